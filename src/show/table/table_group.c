/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/table_parts.h"

static const enum severity worst_first[] = {
	SEVERITY_CRITICAL,
	SEVERITY_WARNING,
	SEVERITY_UNKNOWN,
	SEVERITY_OK,
};

#define N_SEVERITIES (int)(sizeof(worst_first) / sizeof(worst_first[0]))

static int key_of(const struct report *report, const struct report_executor *executor)
{
	return report_has_outcomes(report) ? (int)executor->outcome : (int)executor->verdict;
}

bool table_group_has(const struct report *report, const struct table_group *group,
		     const struct report_executor *executor)
{
	return executor->severity == group->severity && key_of(report, executor) == group->key;
}

bool table_group_next(const struct report *report, struct table_group *group)
{
	bool outcomes = report_has_outcomes(report);
	int keys = outcomes ? OUTCOME_COUNT : VERDICT_COUNT;

	for (; group->cursor < N_SEVERITIES * keys; group->cursor++) {
		group->severity = worst_first[group->cursor / keys];
		group->key = group->cursor % keys;
		group->n = 0;
		for (size_t i = 0; i < report->n_executors; i++)
			group->n += table_group_has(report, group, &report->executors[i]);
		if (!group->n)
			continue;
		group->name = outcomes ? outcome_name((enum outcome)group->key)
				       : verdict_name((enum verdict)group->key);
		group->cursor++;
		return true;
	}
	return false;
}
