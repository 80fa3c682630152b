/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One injection by ptrace, in the child process of an injector (act/injector.h). Everything it
 * needs lies in one structure, shared with the parent, so that it allocates nothing and what it
 * found out survives it.
 */
#ifndef EW_ACT_INJECT_INJECT_PTRACE_H
#define EW_ACT_INJECT_INJECT_PTRACE_H

#include <linux/filter.h>

#include "act/inject/sigframe.h"
#include "act/inject/gadget.h"
#include "act/inject/inject_report.h"
#include "act/inject/seccomp_verdict.h"
#include "act/inject/thread_choice.h"
#include "act/inject/tracee_maps.h"

enum inject_ptrace_phase {
	INJECT_PTRACE_PREPARING,
	INJECT_PTRACE_STOPPING,	 /* the thread will stop, or has */
	INJECT_PTRACE_COMMITTED, /* set before the write that makes the call happen */
	INJECT_PTRACE_ENDED,	 /* the report is complete */
};

struct inject_ptrace {
	struct inject_report rep;
	volatile enum inject_ptrace_phase phase;
	struct inject_target target;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	pid_t live;	      /* a thread of the target whose /proc files can be read */
	int copy;	      /* of the socket, or -1; the child's own descriptor */
	int n_threads;
	bool holds; /* a thread that ended meanwhile: it is let go of by the end of this process */
	struct sigframe_code code;
	struct sigframe_descriptors fds;

	/* From here on it outlives the injection: what the next can use, and room to work in. */
	struct gadget_cache cache;
	struct xstate_layout layout;
	struct tracee_maps maps;
	struct thread_choice threads[THREAD_CHOICE_MAX];
	unsigned char chunk[GADGET_CHUNK];
	struct sock_filter insns[SECCOMP_INSNS_MAX];
	struct sigframe_stop stop;
	struct sigframe frame;
};

/* Once in the process that injects, before the first injection. */
void inject_ptrace_warm(struct inject_ptrace *in);

/*
 * Injects as in->target says, from in->phase INJECT_PTRACE_PREPARING to INJECT_PTRACE_ENDED. This
 * process ends by SIGALRM at the deadline, wherever it is then, and with it the trace.
 */
void inject_ptrace_perform(struct inject_ptrace *in);

#endif
