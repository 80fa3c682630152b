/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follows an injecting process by ptrace, from one system call to the next, so that something can
 * be changed, or the process killed, at exactly one of them. For the fault campaign and unit tests.
 */
#ifndef EW_FAULT_FOLLOW_H
#define EW_FAULT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A system call of the subject, which is stopped there. (linux/ptrace.h clashes with sys/ptrace.h.)
 */
struct follow_call {
	pid_t subject;
	bool at_entry; /* nr and arg are known at the entry only */
	uint64_t nr, arg[6];
};

/* Called at each entry and exit. False: the subject is not resumed (it was killed or detached). */
typedef bool follow_fn(void *arg, const struct follow_call *call);

struct follow {
	pid_t root;
	pid_t subject; /* the process whose calls are seen; 0: it does not exist yet */
	follow_fn *fn;
	void *arg;
};

/*
 * Seizes the process root, a child of this one. in_child: its children are followed, one at a time;
 * else root itself.
 */
void follow_start(struct follow *f, pid_t root, bool in_child, follow_fn *fn, void *arg);

/* Returns when root has ended. Reaps any child of this process meanwhile. */
void follow_to_end(struct follow *f);

#endif
