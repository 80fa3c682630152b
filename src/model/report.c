/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/report.h"

#include <string.h>

#include "base/arena.h"

bool report_has_outcomes(const struct report *report)
{
	return report->kind == REPORT_VERIFY || report->kind == REPORT_RUN ||
	       report->kind == REPORT_GUARD;
}

struct report report_ended(const struct report *report)
{
	struct report ended = *report;

	ended.kind = REPORT_VERIFY;
	ended.executors = report->ended;
	ended.n_executors = report->n_ended;
	memset(ended.verdicts, 0, sizeof(ended.verdicts));
	memset(ended.outcomes, 0, sizeof(ended.outcomes));
	for (size_t i = 0; i < report->n_ended; i++)
		ended.outcomes[report->ended[i].outcome]++;
	return ended;
}

void report_free(struct report *report)
{
	if (report)
		arena_free(report->arena);
}

enum severity finding_weight(const struct report_finding *finding)
{
	return finding->ignored ? SEVERITY_OK : finding->severity;
}

bool report_has_nobody(const struct report *report)
{
	size_t foreign = report_has_outcomes(report) ? 0 : report->verdicts[VERDICT_FOREIGN];
	bool is_agent = report->agent.pid > 0 && *report->agent.slave_id;

	return !is_agent && report->n_executors == foreign;
}
