/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One injection by ptrace, in the child process of an injector (act/injector.h). Everything it
 * needs lies in one structure, shared with the parent, so that it allocates nothing and what it
 * found out survives it.
 */
#ifndef EW_ACT_INJECTION_H
#define EW_ACT_INJECTION_H

#include <linux/filter.h>

#include "act/frame.h"
#include "act/gadget.h"
#include "act/inject_report.h"
#include "act/seccomp_verdict.h"
#include "act/thread_choice.h"
#include "act/tracee_maps.h"

enum injection_phase {
	INJECTION_PREPARING,
	INJECTION_STOPPING,  /* the thread will stop, or has */
	INJECTION_COMMITTED, /* set before the write that makes the call happen */
	INJECTION_ENDED,     /* the report is complete */
};

struct injection {
	struct inject_report rep;
	volatile enum injection_phase phase;
	struct inject_target target;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	pid_t live;	      /* a thread of the target whose /proc files can be read */
	int copy;	      /* of the socket, or -1; the child's own descriptor */
	int n_threads;
	bool holds; /* a thread that ended meanwhile: it is let go of by the end of this process */
	struct frame_code code;
	struct frame_descriptors fds;

	/* From here on it outlives the injection: what the next can use, and room to work in. */
	struct gadget_cache cache;
	struct frame_layout layout;
	struct tracee_maps maps;
	struct thread_choice threads[THREAD_CHOICE_MAX];
	unsigned char chunk[GADGET_CHUNK];
	struct sock_filter insns[SECCOMP_INSNS_MAX];
	struct frame_stop stop;
	struct frame frame;
};

/* Once in the process that injects, before the first injection. */
void injection_warm(struct injection *in);

/*
 * Injects as in->target says, from in->phase INJECTION_PREPARING to INJECTION_ENDED. This process
 * ends by SIGALRM at the deadline, wherever it is then, and with it the trace.
 */
void injection_perform(struct injection *in);

#endif
