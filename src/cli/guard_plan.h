/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The prepared part of a guard: which links it will shut down if they do not notice the agent's
 * end, their intents on disk, their processes open, and the thread that acts (act/standby.h).
 */
#ifndef EW_CLI_GUARD_PLAN_H
#define EW_CLI_GUARD_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/inject/inject_api.h"

struct audit_log;
struct error;
struct guard_plan;
struct options;
struct report_agent;
struct session;
struct shutdown_target;

struct guard_plan_options {
	const struct options *options;
	struct session *session;
	const struct report_agent *agent;
	enum inject_method method;
	struct inject_worker *const *workers; /* the threads' from now on; for INJECT_PTRACE */
	size_t n_workers;
	struct inject_worker *planner; /* struct standby_options */
	int claims;		       /* struct inject_request */
	struct audit_log *log;
};

/*
 * Starts the thread, with nothing to do yet. -ENOSYS: not on this kernel. Says what of its
 * conditions is missing.
 */
int guard_plan_new(const struct guard_plan_options *options, struct guard_plan **ret,
		   struct error *error);
/* Ends the thread, after what it is doing. Twice is fine. */
void guard_plan_stop(struct guard_plan *plan);
/* finished: nothing is left to be told of it by a later execwatch. NULL is fine. */
void guard_plan_free(struct guard_plan *plan, bool finished);

/*
 * Makes the plan what the model says now. Links that are new are written to the audit log, and
 * synced, before the thread gets them. Does nothing once the agent has ended.
 */
int guard_plan_renew(struct guard_plan *plan, struct error *error);

size_t guard_plan_links(const struct guard_plan *plan);

/* Readable once the thread has acted. */
int guard_plan_fd(const struct guard_plan *plan);
bool guard_plan_acted(struct guard_plan *plan);
/* When it saw the agent's end, mono ns. */
int64_t guard_plan_ended(const struct guard_plan *plan);

/*
 * After it has acted: writes the links that it shut down, or tried to, to targets (room for all of
 * guard_plan_links()), with their results; returns how many.
 */
size_t guard_plan_results(const struct guard_plan *plan, struct shutdown_target *targets);
/* Is the link among these? */
bool guard_plan_has_result(const struct guard_plan *plan, uint64_t cookie);
/* Its result is in the audit log. */
void guard_plan_logged(struct guard_plan *plan, uint64_t cookie);
/* The same of all of them. */
void guard_plan_all_logged(struct guard_plan *plan);

#endif
