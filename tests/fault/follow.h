/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Follows a process that injects from one system call to the next, by ptrace: the place to change
 * the world, or to end it, is then exact. For the fault campaign and unit tests.
 */
#ifndef EW_FAULT_FOLLOW_H
#define EW_FAULT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Of the subject, which is stopped meanwhile. Not linux/ptrace.h's: that clashes with sys/ptrace.h.
 */
struct follow_call {
	pid_t subject;
	bool at_entry; /* what follows is known at the entry only */
	uint64_t nr, arg[6];
};

/* At each entry and exit. False: the subject is not let go on, the callee has killed it. */
typedef bool follow_fn(void *arg, const struct follow_call *call);

struct follow {
	pid_t root;
	pid_t subject; /* whose calls are seen; 0: it does not exist yet */
	follow_fn *fn;
	void *arg;
};

/*
 * Seizes the process, which must be a child of this one. in_child: its children are seen, one at a
 * time; else it itself.
 */
void follow_start(struct follow *f, pid_t root, bool in_child, follow_fn *fn, void *arg);

/* Until it and its children have ended; waits for all of this process's children. */
void follow_to_end(struct follow *f);

#endif
