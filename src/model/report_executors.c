/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The executors of a report: their verdicts or, compared with a baseline, their outcomes. */
#include "base/arena.h"
#include "model/model_private.h"
#include "model/report_row.h"

/*
 * A recording that lacks lines may lack the one that tells of a loss: what it says of a loss
 * counts, and nobody is well, or can be treated, by it.
 */
static void incomplete_judge(struct report *report)
{
	static const char *const why[] = {
		"The recording lacks lines: what they said of this executor is not known."
	};

	for (size_t i = 0; i < report->n_executors; i++) {
		struct report_executor *executor = &report->executors[i];

		if (executor->severity != SEVERITY_OK && executor->severity != SEVERITY_WARNING)
			continue;
		if (report_has_outcomes(report)) {
			executor->outcome = OUTCOME_UNKNOWN;
			executor->proof = PROOF_NONE;
			executor->cause = CAUSE_NONE;
		} else {
			executor->verdict = VERDICT_UNKNOWN;
		}
		executor->severity = SEVERITY_UNKNOWN;
		executor->why = why;
		executor->n_why = 1;
		executor->advice = "";
	}
}

static void executors_count(struct report *report)
{
	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];

		report->verdicts[executor->verdict]++;
		report->outcomes[executor->outcome] += report_has_outcomes(report);
		report->ending += executor->ends_by != 0;
	}
	report_rows_sort(report->executors, report->n_executors);
}

void report_executors_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	bool outcomes = report_has_outcomes(report),
	     compared = outcomes || report->kind == REPORT_SHUTDOWN;
	size_t n = compared ? store->baselines.n : view->n_executors;
	size_t max = n;

	if (outcomes)
		max += view->n_executors + HASH_COUNT(store->processes) +
		       HASH_COUNT(store->checkpoints) + HASH_COUNT(store->listings);
	report->executors = arena_array(report->arena, max, sizeof(*report->executors));
	if (!report->executors)
		return;
	report->n_executors = n;
	for (size_t i = 0; i < n; i++) {
		struct report_executor *out = &report->executors[i];

		if (compared)
			report_row_compare(view, &store->baselines.v[i], outcomes, out,
					   report->arena);
		else
			report_row_fill(store, &view->executors[i], out, report->arena);
	}
	if (outcomes)
		report_appeared_fill(view, report);
	if (report->kind == REPORT_WATCH)
		report_ended_fill(view, report);
	if (store->incomplete)
		incomplete_judge(report);
	executors_count(report);
}
