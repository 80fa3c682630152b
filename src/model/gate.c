/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/gate.h"

#include <string.h>

#include "model/model.h"
#include "model/verdict_table.h"

static void executor_judge(struct gate *gate, const struct report_executor *executor)
{
	switch (verdict_effect(executor->verdict)) {
	case EFFECT_NOT_CONCERNED:
	case EFFECT_SURVIVES:
	case EFFECT_NEEDS_RESTART: /* treated ones among them: only the restart saves them */
		return;
	case EFFECT_LOST:
	case EFFECT_LOST_UNTREATED:
		gate->lost++;
		break;
	case EFFECT_UNKNOWN:
	case EFFECT_COUNT:
		gate->unknown++;
		break;
	}
	gate->verdicts |= 1u << executor->verdict;
}

/* The guard would do the same to it again. */
static bool has_failed(const struct report *audit, const struct report_executor *executor)
{
	for (size_t i = 0; i < audit->n_acts; i++)
		if (audit->acts[i].pid == executor->pid &&
		    strcmp(audit->acts[i].result, "failed") == 0)
			return true;
	return false;
}

static bool passes(const struct report *audit, const struct report_executor *executor,
		   uint32_t accepted, bool guarded)
{
	return accepted & 1u << executor->verdict ||
	       (guarded && model_guard_covers(executor) && !has_failed(audit, executor));
}

struct gate gate_judge(const struct report *audit, uint32_t accepted, bool guarded)
{
	struct gate gate = { .blind = audit->blind };

	for (size_t i = 0; i < audit->n_executors; i++)
		if (!passes(audit, &audit->executors[i], accepted, guarded))
			executor_judge(&gate, &audit->executors[i]);
	for (size_t i = 0; i < audit->n_findings; i++)
		gate.findings += finding_weight(&audit->findings[i]) == SEVERITY_CRITICAL;
	gate.blind |= report_has_nobody(audit);
	gate.open = !gate.lost && !gate.unknown && !gate.findings && !gate.blind;
	return gate;
}

int gate_exit_code(const struct gate *gate)
{
	if (gate->open)
		return 0;
	return gate->lost || gate->findings ? 2 : 3;
}
