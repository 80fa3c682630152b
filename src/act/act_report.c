/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/act_report.h"

#include <stdio.h>
#include <string.h>

#include "act/audit_log.h"
#include "base/now.h"

void act_result_set(struct act_result *result, const char *what, const char *reason_id,
		    const char *reason)
{
	result->result = what;
	result->reason_id = reason_id;
	snprintf(result->reason, sizeof(result->reason), "%s", reason);
}

void act_result_plan(struct act_result *result, const char *refused, const char *skipped,
		     const char *reason_id, bool dry_run)
{
	if (refused)
		act_result_set(result, "refused", reason_id, refused);
	else if (skipped)
		act_result_set(result, "skipped", reason_id, skipped);
	else if (dry_run)
		act_result_set(result, "skipped", "dry-run", "dry run");
}

struct fact act_report_fact(const char *phase, const struct act_result *result, const char *proof)
{
	return (struct fact){ .type = FACT_ACT,
			      .mono = now_mono(),
			      .act = {
				      .phase = phase,
				      .result = result->result ? result->result : "",
				      .reason = result->reason,
				      .reason_id = result->reason_id ? result->reason_id : "",
				      .stopped = -1,
				      .effect = -1,
				      .interrupted = -1,
				      .copies = -1,
				      .copies_left = -1,
				      .proof = proof ? proof : "",
			      } };
}

void act_report_failed(struct act_report *report, int err, const struct error *error)
{
	if (!err || report->err)
		return;
	report->err = err;
	if (report->error)
		*report->error = *error;
}

void act_report_write(struct act_report *report, const struct fact *fact, bool is_act)
{
	struct error error = { 0 };
	int err = report->log && is_act ? audit_log_write(report->log, fact, &error) : 0;

	act_report_failed(report, err, &error);
	if (!err || fact->act.result[0])
		fact_emit(report->sink, fact);
}

int act_report_retry(struct audit_log *log, const struct fact_sink *sink, struct error *error)
{
	struct error problem = { 0 };
	char text[sizeof(problem.message) + 128] = "";
	bool missed = audit_log_unwritten(log) > 0;
	int err = audit_log_retry(log, &problem);

	if (err && error)
		*error = problem;
	if (err)
		snprintf(text, sizeof(text), "%s: %s", problem.message, strerror(-err));
	if (missed)
		fact_emit(sink, &(struct fact){ .type = FACT_AUDIT_LOG,
						.mono = now_mono(),
						.audit_log = {
							.unwritten = audit_log_unwritten(log),
							.problem = text,
							.opened = audit_log_opened(log),
						} });
	return err;
}

void act_report_end(struct act_report *report)
{
	struct error error = { 0 };

	if (report->log)
		act_report_failed(report, act_report_retry(report->log, report->sink, &error),
				  &error);
}

void act_report_sync(struct act_report *report)
{
	struct error error = { 0 };

	if (report->log)
		act_report_failed(report, audit_log_sync(report->log, &error), &error);
}
