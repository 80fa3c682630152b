/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One thread under ptrace, such that the death of its tracer at any instant does not harm it: SEIZE
 * (no SIGSTOP), never EXITKILL, and stops are seen without being consumed (WNOWAIT). A signal stop
 * that was consumed loses its signal when the tracer dies (measured: 100 of 100).
 */
#ifndef EW_ACT_INJECT_TRACEE_H
#define EW_ACT_INJECT_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sigframe_stop;

enum tracee_event {
	TRACEE_STOPPED, /* by PTRACE_INTERRUPT */
	TRACEE_GROUP,	/* stopped by job control */
	TRACEE_SIGNAL,	/* a signal is to be delivered: in tracee.signal */
	TRACEE_SYSCALL, /* at entry or exit of a system call */
	TRACEE_OTHER,
	TRACEE_ENDED,
};

struct tracee {
	pid_t tid;
	bool seized;
	bool stopped;
	bool must_exit_to_detach;  /* it has ended, or runs: only the exit of this process detaches
				    */
	int signal;		   /* to be delivered when the thread is resumed; 0: none */
	int64_t asked_at, seen_at; /* when the stop was asked for, and seen; 0: was not */
	bool polls;		   /* for a stop, before it sleeps */
	unsigned *calls;	   /* counts system calls */
};

/* polls: not with real-time priority, with which polling keeps the thread from its processor. */
void tracee_init(struct tracee *t, pid_t tid, bool polls, unsigned *calls);

/* SEIZE and INTERRUPT; tracee_wait() then waits for the stop. Returns 0 or a negative errno. */
int tracee_stop(struct tracee *t);

/* Waits without a limit: the caller has set a timer that ends this process. */
int tracee_wait(struct tracee *t, enum tracee_event *ret_event);

/* Reads the general registers. -ENOTSUP: not a native task. */
int tracee_read_regs(struct tracee *t, struct sigframe_stop *ret);

/* Reads the rest of what a frame is built from: extended state, signal mask. */
int tracee_read_state(struct tracee *t, struct sigframe_stop *ret);

/* Blocks all signals until the frames have restored the signal mask of the thread. */
int tracee_block_signals(struct tracee *t);

/* Writes the general registers in one call. */
int tracee_write_regs(struct tracee *t, const void *regs, size_t len);

/* Resumes to the next entry or exit of a system call, delivering the signal if there is one. */
int tracee_step_call(struct tracee *t);

/* Detaches, delivering the signal if there is one. Harmless in any state. */
int tracee_release(struct tracee *t);

/*
 * Whether system calls from outside a range of the thread's own code raise SIGSYS in it
 * (PR_SET_SYSCALL_USER_DISPATCH, Linux 5.11; can be seen since 6.4).
 */
bool tracee_dispatches_calls(struct tracee *t);

/* Whether the thread has state that a frame cannot carry (sigframe_unsupported_regsets). */
bool tracee_has_unsupported_regsets(struct tracee *t);

/* Whether the stopped thread, at pc, is inside a restartable sequence. 0 or a negative errno. */
int tracee_in_rseq(struct tracee *t, uint64_t pc, bool *ret_inside);

#endif
