/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a table, each of which writes nothing where it has nothing to say. */
#ifndef EW_SHOW_TABLE_TABLE_PARTS_H
#define EW_SHOW_TABLE_TABLE_PARTS_H

#include <stdio.h>

#include "show/textbuf.h"
#include "show/table/table.h"

struct table {
	FILE *out;
	const struct report *report;
	int width;
	bool color;
	bool verbose;
};

#define TABLE_WIDTH_MIN 72 /* columns of a grid that leave room for names */
#define TABLE_RESET	"\x1b[0m"

/* The colour that a severity has; NULL where none is wanted. */
const char *table_color(bool color, enum severity severity);

/* "title" in a line of its own, an empty one before it. */
void table_title(FILE *out, const char *title);

/* Ends text and writes it in lines, those after the first indented. */
void table_paragraph(const struct table *table, struct textbuf *text, int indent);

void table_agent(const struct table *table);
void table_acts(const struct table *table);
void table_ended(const struct table *table); /* of a watch */
void table_executors(const struct table *table);
void table_findings(const struct table *table);
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
	int cursor; /* where to look for the next */
};

/* The next group that has executors, worst first, from a zeroed group on. False: no more. */
bool table_group_next(const struct report *report, struct table_group *group);
bool table_group_has(const struct report *report, const struct table_group *group,
		     const struct report_executor *executor);

#endif
