/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which thread of a process can be stopped for a moment without its noticing.
 *
 * Decided from /proc/PID/task/TID/syscall, without a stop. Only calls that restart unseen both
 * after the stop alone and through a frame are taken (each measured on 6.18). Never: calls that
 * return EINTR from the stop itself (epoll_wait, semop, sigtimedwait, receive timeouts), those that
 * return a part of a transfer, relative timeouts (they would start anew), and those that a signal
 * must end (sigsuspend, ppoll, pause): a handler run meanwhile would be lost on them.
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

/* One line of /proc/PID/task/TID/syscall. -EPROTO: not that. */
int thread_wait_parse(const char *line, struct thread_wait *ret);

/* 0 best … THREAD_RANK_NEVER. */
int thread_wait_rank(const struct thread_wait *wait);

bool thread_wait_same(const struct thread_wait *a, const struct thread_wait *b);

int thread_wait_read(pid_t pid, pid_t tid, struct thread_wait *ret);

/*
 * Fills list (THREAD_CHOICE_MAX entries) with the usable threads, best first; ends early when it is
 * full of the best kind. Returns their number, 0 if none, or a negative errno (-EPERM).
 */
int thread_choose(pid_t pid, struct thread_choice *list);

/* A thread of pid that is neither zombie nor dead: pid itself, or another. 0: none. */
pid_t thread_find_live(pid_t pid);

#endif
