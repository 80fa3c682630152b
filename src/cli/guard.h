/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard: when the agent ends, the links that did not notice are shut down at once, and only
 * those, before the next agent asks their executors to reconnect.
 *
 * When a process ends, the kernel closes its sockets before the end is reported, and an executor
 * that gets the FIN or RST leaves ESTABLISHED in the same microseconds. A link that stays
 * ESTABLISHED has lost that packet (a forgotten entry of connection tracking, a dead peer). The
 * next agent needs its start and its recovery before it asks.
 *
 * A thread does that by a plan that is made before (guard_plan.h). What it must not decide by
 * itself, since a new agent listens already or a link is not in the plan, is decided by the model
 * afterwards.
 */
#ifndef EW_CLI_GUARD_H
#define EW_CLI_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct fact;
struct guard;
struct options;
struct report;
struct session;

/* Is there an agent to wait for, and something that tells of its end? */
bool guard_is_possible(struct session *session, const struct report *audit);

/*
 * Does all that takes time before the agent ends: opens the audit log and writes the intents,
 * starts the worker processes and the thread. The caller holds lock, that of those who act, for as
 * long as the guard lives. Returns 0, or a negative errno when nothing would tell of the agent's
 * end, or an act could not be made.
 */
int guard_arm(const struct options *options, struct session *session, const struct report *audit,
	      int lock, struct guard **ret, struct error *error);
/*
 * From now on nothing is treated any more. What was treated since the last guard_act() is logged
 * and told. Twice is fine, and so is NULL.
 */
void guard_stop(struct guard *guard);
/* Stops it, and frees. NULL is fine. False: the audit log is not complete. */
bool guard_disarm(struct guard *guard);

/* Does it still wait for the agent's end? False for NULL. */
bool guard_waits(const struct guard *guard);

/* To be given every fact. NULL is fine. */
void guard_note(struct guard *guard, const struct fact *fact);

/* How many links are in the plan. */
size_t guard_links(const struct guard *guard);

/* Readable when guard_act() has to be called at once; -1: there is no such descriptor. */
int guard_fd(const struct guard *guard);

/* Has a link come that only a scan of sockets and checkpoints can add to the plan? */
bool guard_wants_scan(const struct guard *guard);
/* To be called after a scan. NULL is fine. */
void guard_scanned(struct guard *guard);
/* To be called after events were dispatched: keeps the plan up to date. NULL is fine. */
void guard_tend(struct guard *guard);

/*
 * To be called after events were dispatched, and each second. After the agent's end: treats the
 * links, or finishes what the thread has done, and returns true, after which it waits no more.
 * Blocks until the executors have closed them, at most about 5 s.
 */
bool guard_act(struct guard *guard);

#endif
