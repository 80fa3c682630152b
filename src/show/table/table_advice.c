/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "show/term_text.h"
#include "show/table/table_parts.h"

static bool same_advice(const struct report *report, const struct table_group *group, size_t i,
			const char *advice)
{
	const struct report_executor *executor = &report->executors[i];

	return table_group_has(report, group, executor) && strcmp(executor->advice, advice) == 0;
}

/* Executors of the group from i on that have the advice of i; 0: it was said before, or is none. */
static size_t advice_count(const struct report *report, const struct table_group *group, size_t i)
{
	const char *advice = report->executors[i].advice;
	size_t n = 0;

	if (!*advice || !same_advice(report, group, i, advice))
		return 0;
	for (size_t k = 0; k < i; k++) {
		if (same_advice(report, group, k, advice))
			return 0;
	}
	for (size_t k = i; k < report->n_executors; k++)
		n += same_advice(report, group, k, advice);
	return n;
}

static void advice_write(const struct table *table, const struct table_group *group, size_t n,
			 const char *advice)
{
	const char *sgr = table_color(table->color, group->severity);
	int used;

	fputs(sgr ? sgr : "", table->out);
	used = fprintf(table->out, "  %s (%zu):", group->name, n);
	fprintf(table->out, "%s ", sgr ? TABLE_RESET : "");
	term_text_wrap_commands(table->out, advice, used + 1, 4, table->width);
}

void table_advice(const struct table *table)
{
	const struct report *report = table->report;
	struct table_group group = { 0 };
	bool titled = false;

	while (table_group_next(report, &group) && group.severity != SEVERITY_OK) {
		for (size_t i = 0; i < report->n_executors; i++) {
			size_t n = advice_count(report, &group, i);

			if (!n)
				continue;
			if (!titled)
				table_title(table->out, "What to do next");
			titled = true;
			advice_write(table, &group, n, report->executors[i].advice);
		}
	}
}
