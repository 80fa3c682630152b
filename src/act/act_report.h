/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the verbs that act tell what they are about to do, and what came of it. */
#ifndef EW_ACT_ACT_REPORT_H
#define EW_ACT_ACT_REPORT_H

#include <stdbool.h>

#include "base/error.h"
#include "facts.h"

struct audit_log;

/* Begin with .log, .sink and .error set; none of them is owned. */
struct act_report {
	struct audit_log *log; /* NULL: nothing is logged */
	const struct fact_sink *sink;
	struct error *error; /* filled once, when err is; may be NULL */
	int err;	     /* negative errno of the first thing that failed */
};

/* What became of a target. */
struct act_result {
	const char *result; /* "done", "failed", "refused", "skipped"; NULL: not decided */
	const char *reason_id;
	char reason[540]; /* a whole error_text */
};

void act_result_set(struct act_result *result, const char *what, const char *reason_id,
		    const char *reason);

/*
 * Before the act: a target that is refused (why not: refused), or need not be acted on (skipped),
 * is decided, and in a dry run every other one. NULL: it is not so.
 */
void act_result_plan(struct act_result *result, const char *refused, const char *skipped,
		     const char *reason_id, bool dry_run);

/* A FACT_ACT of now with what came of it; nothing is known of its target or of its duration. */
struct fact act_report_fact(const char *phase, const struct act_result *result, const char *proof);

/* Keeps err, a negative errno, and what it says, when it is the first; 0 is no failure. */
void act_report_failed(struct act_report *report, int err, const struct error *error);

/*
 * Writes a FACT_ACT to the log, where is_act says so: what was not touched is no act. Then emits
 * it. A result is emitted also when it could not be logged, since what was done must be told; after
 * a failure the log is still tried, since there may be space again.
 */
void act_report_write(struct act_report *report, const struct fact *fact, bool is_act);

/*
 * The end of the acts: tries once more to write the results that could not be written, and syncs.
 * Then emits a FACT_AUDIT_LOG, if a result could not be written at first.
 */
void act_report_end(struct act_report *report);

/* The same later, when there may be space again. Returns 0 once the log has all results. */
int act_report_retry(struct audit_log *log, const struct fact_sink *sink, struct error *error);

/* What was written so far is on the disk when this returns, or report->err is set. */
void act_report_sync(struct act_report *report);

#endif
