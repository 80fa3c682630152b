/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/thread_choice.h"
#include "base/dirents.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 5.14, not in every header. */
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

int thread_wait_parse(const char *line, struct thread_wait *ret)
{
	uint64_t *a = ret->arg;
	int n;

	memset(ret, 0, sizeof(*ret));
	if (strncmp(line, "running", 7) == 0)
		return 0;
	n = sscanf(line,
		   "%ld 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
		   " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64,
		   &ret->nr, &a[0], &a[1], &a[2], &a[3], &a[4], &a[5], &ret->sp, &ret->pc);
	if (n == 9 && ret->nr >= 0) {
		ret->in_call = true;
		return 0;
	}
	return n == 3 && ret->nr == -1 ? 0 : -EPROTO; /* blocked, but not in a call */
}

static int futex_rank(const struct thread_wait *wait)
{
	bool timed = wait->arg[3] != 0;

	switch (wait->arg[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT: /* a relative timeout would start anew */
		return timed ? THREAD_RANK_NEVER : 0;
	case FUTEX_WAIT_BITSET: /* absolute: restarts exactly */
		return timed ? 2 : 0;
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return 1;
	default:
		return THREAD_RANK_NEVER;
	}
}

int thread_wait_rank(const struct thread_wait *wait)
{
	if (!wait->in_call)
		return THREAD_RANK_NEVER;
	switch (wait->nr) {
	case SYS_futex:
		return futex_rank(wait);
	case SYS_wait4:
		return 1;
	default:
		return THREAD_RANK_NEVER;
	}
}

bool thread_wait_same(const struct thread_wait *a, const struct thread_wait *b)
{
	return a->in_call && b->in_call && a->nr == b->nr && a->sp == b->sp && a->pc == b->pc &&
	       memcmp(a->arg, b->arg, sizeof(a->arg)) == 0;
}

int thread_wait_read(pid_t pid, pid_t tid, struct thread_wait *ret)
{
	char path[PROC_PATH_MAX], line[256];
	ssize_t n = proc_read(AT_FDCWD, proc_path(path, pid, tid, "syscall"), line, sizeof(line));

	return n < 0 ? (int)n : thread_wait_parse(line, ret);
}

/* Inserts in order of rank; a full list drops its worst entry. */
static int list_insert(struct thread_choice *list, int n, int max, const struct thread_choice *new)
{
	int at = n;

	while (at > 0 && list[at - 1].rank > new->rank)
		at--;
	if (at == max)
		return n;
	if (n == max)
		n--;
	memmove(&list[at + 1], &list[at], (size_t)(n - at) * sizeof(*list));
	list[at] = *new;
	return n + 1;
}

int thread_choose(pid_t pid, struct thread_choice *list, int max)
{
	char path[PROC_PATH_MAX];
	struct dirents threads;
	struct thread_choice new;
	int n = 0, err = dirents_open(&threads, AT_FDCWD, proc_path(path, pid, 0, "task"));

	if (err < 0)
		return err;
	while ((new.tid = dirents_next(&threads)) > 0) {
		int read_err = thread_wait_read(pid, new.tid, &new.wait);

		if (read_err == -EPERM || read_err == -EACCES)
			err = -EPERM;
		if (read_err < 0)
			continue; /* it has ended */
		new.rank = thread_wait_rank(&new.wait);
		if (new.rank != THREAD_RANK_NEVER)
			n = list_insert(list, n, max, &new);
		if (n == max && list[n - 1].rank == 0)
			break;
	}
	dirents_close(&threads);
	return n > 0 ? n : err;
}
