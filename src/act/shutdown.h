/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shuts down links of executors, one after the other, and proves each act by its effect: the
 * executor itself closes that socket.
 */
#ifndef EW_ACT_SHUTDOWN_H
#define EW_ACT_SHUTDOWN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "act/inject/inject_api.h"

struct audit_log;
struct fact_sink;
struct error;

struct shutdown_target {
	const char *executor_id;
	const char *framework_id;
	const char *forbidden;	       /* why it must not be touched: refused; NULL: allowed */
	const char *changed;	       /* what is not as planned: skipped; NULL: as planned */
	struct inject_request request; /* its deadline is set when it is begun */
	/*
	 * The call was made, or tried, before, under an intent that is on disk: its result, and
	 * when it was begun, mono ns. NULL: not yet.
	 */
	const struct inject_result *injected;
	int64_t begun;
};

struct shutdown_options {
	/* The agent at the time of the plan: no target is begun after its end; 0: there was none */
	pid_t agent_pid;
	uint64_t agent_start;
	struct inject_worker *worker; /* to be used; NULL: one of its own */
	/* Right before a target is begun: why it must be left alone, or NULL; may be NULL. */
	const char *(*refusal)(void *ctx, const struct shutdown_target *target);
	void (*idle)(void *ctx); /* called over and over while effects are awaited; may be NULL */
	bool dry_run;		 /* nothing is logged or touched: results are "skipped" */
	const volatile sig_atomic_t *stop;		    /* set: no further target is begun */
	void (*progress)(void *ctx, size_t done, size_t n); /* after each target; may be NULL */
	void *ctx;
};

/*
 * Treats the targets in their order. Emits a FACT_ACT of phase "intent" for each that will be
 * begun, before the first one is, and a FACT_ACT of phase "result" for every target: "done" when
 * the executor has closed the socket, "failed" when the target was begun and the executor has not
 * closed it within 5 s or has ended, "refused" with the reason when nothing was changed, "skipped"
 * for a dry run, for a target that has changed, after a refusal, *stop, and the agent's end. *begun
 * gets how many targets were begun.
 *
 * Returns 0, or a negative errno when the audit log could not be written. No target is begun whose
 * intent is not on disk, and none after a result could not be written; the results of those begun
 * before are emitted all the same. log may be NULL for a dry run only.
 */
int act_shutdown(const struct shutdown_target *targets, size_t n,
		 const struct shutdown_options *options, struct audit_log *log,
		 const struct fact_sink *sink, size_t *begun, struct error *error);

#endif
