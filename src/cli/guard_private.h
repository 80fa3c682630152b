/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a guard consists of. For guard*.c. */
#ifndef EW_CLI_GUARD_PRIVATE_H
#define EW_CLI_GUARD_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "act/inject/inject_api.h"
#include "cli/guard.h"

struct audit_log;
struct guard_plan;
struct inject_worker;
struct model_target;

/* Of ptrace, links that are treated at a time: on a busy host each waits to be scheduled. */
#define WORKERS_MAX 32

struct guard {
	struct session *session;
	struct audit_log *log;
	struct inject_worker *workers[WORKERS_MAX];
	size_t n_workers;
	struct inject_worker *planner; /* of links to be treated by ptrace; NULL: by pidfd */
	struct guard_plan *plan;       /* NULL: this kernel lacks what it needs */
	pid_t agent;
	uint64_t agent_start;
	uint16_t port;
	enum inject_method method;
	int lock;	 /* of those who act */
	bool ended;	 /* the agent, as an event or its process tells */
	int64_t at;	 /* when that was; mono */
	bool stale;	 /* the plan, since an event */
	bool serves;	 /* the agent, when the plan was made */
	bool wants_scan; /* a link has come, of which only a scan shows descriptor and executor */
	int64_t renewed; /* the plan, mono */
	bool acted;
	bool failed;	 /* not all that had to be looked at was */
	size_t done;	 /* links treated */
	int64_t last;	 /* when the last of them was, mono */
	int64_t retried; /* to write results that could not be written, mono */
	struct model_target *targets;
	size_t n;
};

/*
 * Finds, after the agent's end, the links that did not notice it, for guard->targets. Without
 * events of connections, or when the end was missed, a scan tells. Returns 0 or a negative errno.
 */
int guard_targets_find(struct guard *guard);

/*
 * Shuts down guard->targets, and takes over what the thread has done. Returns how many links were
 * treated or should have been.
 */
size_t guard_treat(struct guard *guard);

/*
 * Tries again, at most each second unless last, to write the results that the audit log had no room
 * for. guard may be NULL.
 */
void guard_log_retry(struct guard *guard, bool last);

/* Says what became of n links, and which were left alone. */
void guard_tell(const struct guard *guard, size_t n);

#endif
