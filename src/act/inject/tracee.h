/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One thread under ptrace, in a way that its tracer's death at any instant does not harm it:
 * SEIZE (no SIGSTOP), never EXITKILL, and stops are seen without being consumed (WNOWAIT): a
 * consumed signal stop loses its signal when the tracer dies (measured: 100 of 100).
 */
#ifndef EW_ACT_INJECT_TRACEE_H
#define EW_ACT_INJECT_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sigframe_stop;

enum tracee_event {
	TRACEE_STOPPED, /* as PTRACE_INTERRUPT asked */
	TRACEE_GROUP,	/* stopped by job control */
	TRACEE_SIGNAL,	/* a signal is to be delivered: in tracee.signal */
	TRACEE_SYSCALL, /* at entry or exit of a call */
	TRACEE_OTHER,
	TRACEE_ENDED,
};

struct tracee {
	pid_t tid;
	bool seized;
	bool stopped;
	bool lost;	 /* it ended in our hands: only the end of this process lets go of it */
	int signal;	 /* to be given back when the thread goes on; 0: none */
	unsigned *calls; /* counts system calls */
};

void tracee_init(struct tracee *t, pid_t tid, unsigned *calls);

/* SEIZE and INTERRUPT; the stop itself is awaited by tracee_wait(). Negative errno. */
int tracee_stop(struct tracee *t);

/* Waits without limit: the caller has set a timer that ends this process. */
int tracee_wait(struct tracee *t, enum tracee_event *ret_event);

/* Reads the general registers. -ENOTSUP: not a native task. */
int tracee_read_regs(struct tracee *t, struct sigframe_stop *ret);

/* Reads the rest of what a frame is built from: extended state, signal mask. */
int tracee_read_state(struct tracee *t, struct sigframe_stop *ret);

/* From now on no signal is delivered, until the frames have given the thread its mask again. */
int tracee_block_signals(struct tracee *t);

/* Writes the general registers in one call. */
int tracee_write_regs(struct tracee *t, const void *regs, size_t len);

/* Goes on to the next entry or exit of a call, with the signal if there is one. */
int tracee_step_call(struct tracee *t);

/* Lets the thread go, with the signal if there is one. Harmless in any state. */
int tracee_release(struct tracee *t);

/*
 * Whether the thread's calls end in a signal to itself, unless its own code makes them
 * (PR_SET_SYSCALL_USER_DISPATCH, Linux 5.11; seen from 6.4 on).
 */
bool tracee_dispatches_calls(struct tracee *t);

/* Whether the thread has state that a frame cannot carry (frame_foreign_notes). */
bool tracee_has_foreign_state(struct tracee *t);

/* Whether the thread, stopped, is inside a restartable sequence. */
int tracee_in_rseq(struct tracee *t, uint64_t pc, bool *ret_inside);

#endif
