/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which thread of a process can be stopped for a moment without noticing.
 *
 * Decided from /proc/PID/task/TID/syscall, without a stop. Only system calls that restart unseen,
 * after a stop alone as well as through a signal frame, qualify (each measured on 6.18). Never
 * those that return EINTR from the stop itself (epoll_wait, semop, sigtimedwait, receive timeouts),
 * that return a part of a transfer, that have a relative timeout (it would start anew), or that a
 * signal must end (sigsuspend, ppoll, pause): they would miss the signal whose handler ran
 * meanwhile.
 */
#ifndef EW_ACT_INJECT_THREAD_CHOICE_H
#define EW_ACT_INJECT_THREAD_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { THREAD_RANK_NEVER = -1, THREAD_CHOICE_MAX = 16 };

struct thread_wait {
	bool in_call; /* false: running, or stopped outside a call */
	long nr;
	uint64_t arg[6];
	uint64_t sp, pc;
};

struct thread_choice {
	pid_t tid;
	int rank; /* 0 is best */
	struct thread_wait wait;
};

/* line: the content of /proc/PID/task/TID/syscall. Returns 0, or -EPROTO: another format. */
int thread_wait_parse(const char *line, struct thread_wait *ret);

/* 0 best … THREAD_RANK_NEVER. */
int thread_wait_rank(const struct thread_wait *wait);

bool thread_wait_same(const struct thread_wait *a, const struct thread_wait *b);

int thread_wait_read(pid_t pid, pid_t tid, struct thread_wait *ret);

/*
 * Fills list (max entries, at most THREAD_CHOICE_MAX) with the usable threads, best first; stops
 * reading when it is full of the best rank: reading a thread's wait takes some 10 us. Returns their
 * number, or a negative errno (-EPERM).
 */
int thread_choose(pid_t pid, struct thread_choice *list, int max);

#endif
