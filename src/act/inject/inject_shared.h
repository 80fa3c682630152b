/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The memory of one injection by ptrace, shared between the worker and its parent: the worker
 * allocates nothing, and what it has found out survives its death.
 */
#ifndef EW_ACT_INJECT_INJECT_SHARED_H
#define EW_ACT_INJECT_INJECT_SHARED_H

#include <linux/filter.h>
#include <sched.h>
#include <stdbool.h>

#include "act/inject/gadget.h"
#include "act/inject/inject_result.h"
#include "act/inject/seccomp_verdict.h"
#include "act/inject/sigframe.h"
#include "act/inject/thread_choice.h"
#include "act/inject/tracee_maps.h"

enum inject_phase {
	INJECT_PHASE_PREPARING,
	INJECT_PHASE_STOPPING,	/* a thread will stop, or has stopped */
	INJECT_PHASE_COMMITTED, /* set before the write that makes the call happen */
	INJECT_PHASE_COMPLETE,	/* so are result and end */
};

struct inject_shared {
	struct inject_result result; /* but for what is made of end */
	struct inject_end end;
	volatile enum inject_phase phase;
	struct inject_request request;
	pid_t live; /* a thread of the process whose /proc files can be read */
	int copy;   /* the worker's own copy of the socket, or -1 */
	int n_threads;
	bool plan_only; /* fill plan, and touch nothing */
	struct inject_plan plan;
	bool must_exit_to_detach; /* a traced thread has ended: only the exit of this process
				     detaches it */
	struct sigframe_code code;
	struct sigframe_fds fds;
	int processor; /* where the thread ran last */

	/* From here on kept for the next injection: caches, and buffers to work in. */
	struct gadget_cache cache;
	bool first; /* the child has real-time priority */
	struct xstate_layout layout;
	cpu_set_t processors; /* where the worker may run */
	struct tracee_maps maps;
	struct thread_choice threads[THREAD_CHOICE_MAX];
	unsigned char chunk[GADGET_CHUNK];
	struct sock_filter insns[SECCOMP_INSNS_MAX];
	struct sigframe_stop stop;
	struct sigframe frame;
};

#endif
