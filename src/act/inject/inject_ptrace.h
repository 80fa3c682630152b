/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ptrace method, as it runs in the worker process. */
#ifndef EW_ACT_INJECT_INJECT_PTRACE_H
#define EW_ACT_INJECT_INJECT_PTRACE_H

struct inject_shared;

/* Once in the process that injects, before the first injection. */
void inject_ptrace_warm(struct inject_shared *in);

/*
 * Executes in->request, from phase PREPARING to COMPLETE. SIGALRM ends this process, and with it
 * the trace, at the deadline.
 */
void inject_ptrace_perform(struct inject_shared *in);

#endif
