/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Disarms the clock of v0 executors that wait for an agent: sends each a message that says it is
 * registered again. The driver then believes in an agent that is not there.
 */
#ifndef EW_ACT_HOLD_H
#define EW_ACT_HOLD_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct audit_log;
struct error;
struct fact_sink;

struct hold_target {
	const char *executor_id;
	const char *framework_id;
	const char *refused;   /* why it must not be held; NULL: it may be */
	const char *skipped;   /* why nothing is to be done; NULL: it is */
	const char *reason_id; /* of refused or skipped */
	int32_t pid;
	uint64_t start;
	struct ew_addr to;   /* where its libprocess listens */
	struct ew_addr from; /* the agent's address */
	const char *bytes;   /* the request; sent as it is */
	size_t len;
};

struct hold_refusal {
	const char *id; /* NULL: it may be sent to */
	const char *reason;
};

struct hold_options {
	int nsfd; /* the agent's network namespace, from which it is sent; NETNS_OWN */
	bool dry_run;
	const volatile sig_atomic_t *stop; /* set: no further target is begun */
	/*
	 * Right before a target is sent to: why it must be left alone. only_own is set when the
	 * executor takes messages from its agent's address only.
	 */
	struct hold_refusal (*check)(void *ctx, const struct hold_target *target, bool *only_own);
	void *ctx;
};

/*
 * Sends to the targets, one after the other. Emits a FACT_ACT "intent", with the bytes, for each
 * that will be sent to, and a "result" for every target: "held" when the executor has answered 202
 * and, where its log can be read, has written the line of its driver; "sent" when that did not come
 * within 3 s; "failed" when it could not be sent, or was answered otherwise; "refused" and
 * "skipped" as act_protect(). Returns 0, or a negative errno when the audit log could not be
 * written. log may be NULL for a dry run only.
 */
int act_hold(const struct hold_target *targets, size_t n, const struct hold_options *options,
	     struct audit_log *log, const struct fact_sink *sink, struct error *error);

#endif
