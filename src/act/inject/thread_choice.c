/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/thread_choice.h"
#include "act/inject/thread_status.h"

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
	case FUTEX_WAIT: /* its timeout is relative: it would start anew */
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
	char line[256];
	ssize_t n = thread_proc_read(pid, tid, "syscall", line, sizeof(line));

	return n < 0 ? (int)n : thread_wait_parse(line, ret);
}

/* Directory of threads without opendir(): that allocates. */
struct thread_dir {
	int fd;
	size_t used, at;
	_Alignas(8) char buf[4096];
};

struct dirent_raw { /* struct linux_dirent64 */
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static int dir_open(struct thread_dir *dir, pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir->used = dir->at = 0;
	dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir->fd < 0 ? -errno : 0;
}

/* The next thread id; 0 at the end. */
static pid_t dir_next(struct thread_dir *dir)
{
	for (;;) {
		const struct dirent_raw *entry;
		pid_t tid;

		if (dir->at >= dir->used) {
			long n = syscall(SYS_getdents64, dir->fd, dir->buf, sizeof(dir->buf));

			if (n <= 0)
				return 0;
			dir->used = (size_t)n;
			dir->at = 0;
		}
		entry = (const struct dirent_raw *)(dir->buf + dir->at);
		dir->at += entry->len;
		tid = (pid_t)strtol(entry->name, NULL, 10); /* "." and "..": 0 */
		if (tid > 0)
			return tid;
	}
}

/* Sorted insertion; the worst falls off the end. */
static int list_insert(struct thread_choice *list, int n, const struct thread_choice *new)
{
	int at = n;

	while (at > 0 && list[at - 1].rank > new->rank)
		at--;
	if (at == THREAD_CHOICE_MAX)
		return n;
	if (n == THREAD_CHOICE_MAX)
		n--;
	memmove(&list[at + 1], &list[at], (size_t)(n - at) * sizeof(*list));
	list[at] = *new;
	return n + 1;
}

int thread_choose(pid_t pid, struct thread_choice *list)
{
	struct thread_dir dir;
	int n = 0, err = dir_open(&dir, pid);

	if (err < 0)
		return err;
	for (struct thread_choice new; (new.tid = dir_next(&dir));) {
		int read_err = thread_wait_read(pid, new.tid, &new.wait);

		if (read_err == -EPERM || read_err == -EACCES)
			err = -EPERM;
		if (read_err < 0)
			continue; /* ended meanwhile */
		new.rank = thread_wait_rank(&new.wait);
		if (new.rank != THREAD_RANK_NEVER)
			n = list_insert(list, n, &new);
		if (n == THREAD_CHOICE_MAX && list[n - 1].rank == 0)
			break;
	}
	close(dir.fd);
	return n > 0 ? n : err;
}

pid_t thread_find_live(pid_t pid)
{
	struct thread_dir dir;
	pid_t tid;

	if (dir_open(&dir, pid) < 0)
		return 0;
	while ((tid = dir_next(&dir))) {
		struct thread_status status;

		if (thread_status_read(pid, tid, &status) == 0 && status.state != 'Z' &&
		    status.state != 'X')
			break;
	}
	close(dir.fd);
	return tid;
}
