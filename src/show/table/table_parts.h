/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a table; a part without content writes nothing. */
#ifndef EW_SHOW_TABLE_TABLE_PARTS_H
#define EW_SHOW_TABLE_TABLE_PARTS_H

#include "show/table/table_style.h"

void table_agent(const struct table *table);
void table_acts(const struct table *table);
void table_ended(const struct table *table); /* of a watch */
void table_executors(const struct table *table);
void table_findings(const struct table *table);
void table_foreseen(const struct table *table);
void table_advice(const struct table *table);
void table_clocks(const struct table *table);
void table_others(const struct table *table);
void table_notes(const struct table *table);

/* The executors that have one verdict or outcome. */
struct table_group {
	enum severity severity;
	int key; /* enum verdict or enum outcome */
	const char *name;
	size_t n;
	int cursor; /* where the next group is searched */
};

/* The next group that has executors, worst first, from a zeroed group on. False: no more. */
bool table_group_next(const struct report *report, struct table_group *group);
bool table_group_has(const struct report *report, const struct table_group *group,
		     const struct report_executor *executor);

#endif
