/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One injection by ptrace, in a child process of its own. A tracer's death releases its target
 * (never EXITKILL), so a timer that ends the child is a deadline for every wait, even for a target
 * that does not stop (there is no other way to let go of a thread that runs).
 *
 * Everything the child needs lies in this one structure, shared with the parent, so that it
 * allocates nothing and what it found out survives it.
 */
#ifndef EW_ACT_INJECTOR_H
#define EW_ACT_INJECTOR_H

#include <linux/filter.h>

#include "act/frame.h"
#include "act/gadget.h"
#include "act/inject_report.h"
#include "act/seccomp_verdict.h"
#include "act/thread_choice.h"
#include "act/tracee_maps.h"

enum injector_phase {
	INJECTOR_PREPARING,
	INJECTOR_STOPPING,  /* the thread will stop, or has */
	INJECTOR_COMMITTED, /* set before the write that makes the call happen */
	INJECTOR_ENDED,	    /* the report is complete */
};

struct injector {
	struct inject_report rep;
	volatile enum injector_phase phase;
	struct inject_target target;
	struct inject_cache cache;
	uint64_t deadline_ns; /* CLOCK_MONOTONIC */
	pid_t live;	      /* a thread of the target whose /proc files can be read */
	int copy;	      /* of the socket, or -1 */

	struct tracee_maps maps;
	struct thread_choice threads[THREAD_CHOICE_MAX];
	int n_threads;
	bool filtered; /* the thread at hand has seccomp filters */
	struct frame_code code;
	struct frame_descriptors fds;
	struct frame_layout layout;
	unsigned char chunk[GADGET_CHUNK];
	struct sock_filter insns[SECCOMP_INSNS_MAX];
	struct frame_stop stop;
	struct frame frame;
};

/* Runs the child to its end or the deadline. Fills in->rep; returns 0 if done, else an errno. */
int injector_run(struct injector *in);

/* What the child does; ends with in->phase INJECTOR_ENDED. */
void injector_child(struct injector *in);

/* CLOCK_MONOTONIC in ns. */
uint64_t injector_now(void);

/* Milliseconds from now to a deadline, at least 0. */
int injector_left_ms(uint64_t deadline_ns);

#endif
