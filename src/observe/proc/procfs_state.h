/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Can a process answer now? It cannot while a signal or a tracer has stopped it, while its cgroup
 * is frozen, or while a thread of it stays in uninterruptible sleep.
 *
 * Every thread is looked at: any of them may be the one that answers the agent (libprocess gives
 * its work to whatever thread is free). So the state of a process is that of its worst thread: T
 * (stopped by a signal: all are), t (at a tracer's stop), D (uninterruptible sleep), else that of
 * its first thread.
 *
 * One look does not tell t and D from a moment's: a tracer that lets its tracee run (strace) has it
 * at a stop at times, and every read from a disk is a short D. A thread stays in its state when at
 * a second look it has that state and its context switches (voluntary_ctxt_switches and
 * nonvoluntary_ctxt_switches of proc(5)) are what they were.
 */
#ifndef EW_OBSERVE_PROC_PROCFS_STATE_H
#define EW_OBSERVE_PROC_PROCFS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_stat;

/* A thread that was in state t or D when it was looked at. */
struct stuck_thread {
	int32_t pid;
	uint64_t start;
	int32_t tid;
	char state;
	bool passing; /* it has run since: the state is no stay */
	bool settled; /* it need not be looked at again in this scan */
	uint64_t switches;
	int64_t since; /* mono, of the first look that found it so */
	uint32_t scan;
};

struct stuck_threads {
	struct stuck_thread *v;
	size_t n, cap;
	bool again; /* the second looks have begun: what is found now is for the next scan */
	uint32_t scan;
};

struct procfs_state {
	char letter[2];	  /* "T", "t", "D", "S", ...; "": not known */
	int64_t in_state; /* at least so long, ns; 0: seen once, or not known */
	int32_t tracer;	  /* host pid; 0: none, or not known */
};

/* A new scan begins: forgets threads that the last one did not find stuck. */
void procfs_state_begin(struct stuck_threads *stuck);
void procfs_state_clear(struct stuck_threads *stuck);

/* Whether the first thread is in a state that needs a closer look: T, t or D. */
bool procfs_state_is_stuck(const struct proc_stat *leader);

/*
 * Reads the state of the process whose directory dir is, and remembers its threads in state t or D.
 * leader: its stat, read already. stuck NULL: it is not to be looked at again. Returns 0, or, with
 * no letter set, a negative errno: a thread that could not be looked at may be the one that stands
 * still.
 */
int procfs_state_read(int dir, int32_t pid, const struct proc_stat *leader,
		      struct stuck_threads *stuck, struct procfs_state *ret);

/*
 * A process with a thread in state t or D that can be judged now: it has been so for long enough,
 * or is so no more. *pid is 0 when there is none. Returns whether others need a later look.
 */
bool procfs_state_due(struct stuck_threads *stuck, int32_t *pid);

#endif
