/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Injections by ptrace happen in a child process. A tracer's death releases its target (never
 * EXITKILL), so a timer that ends the child is a deadline for every wait, even for a target that
 * does not stop (there is no other way to let go of a thread that runs). One child does many
 * injections, one after the other: to start and end one costs more than to inject. It ends with its
 * parent.
 */
#ifndef EW_ACT_INJECT_INJECT_WORKER_H
#define EW_ACT_INJECT_INJECT_WORKER_H

#include <stdint.h>

struct inject_report;
struct inject_subject;
struct inject_target;
struct inject_worker;

/* Until it has ended or the deadline has passed. Fills *rep; returns 0 if done, else an errno. */
int inject_worker_run(struct inject_worker *injector, const struct inject_target *t,
		      const struct inject_subject *subject, uint64_t deadline_ns,
		      struct inject_report *rep);

/* CLOCK_MONOTONIC in ns. */
uint64_t inject_worker_now(void);

/* Milliseconds from now to a deadline, from 0 to a day. */
int inject_worker_left_ms(uint64_t deadline_ns);

#endif
