/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/table.h"

#include "show/summary.h"
#include "show/textbuf.h"
#include "show/table/table_parts.h"

static void summary_show(const struct table *table)
{
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	summary_write(text.text, table->report);
	fputs(table->color ? "\x1b[1m" : "", table->out);
	table_paragraph(table, &text, 0);
	fputs(table->color ? TABLE_RESET : "", table->out);
}

int table_write(FILE *out, const struct report *report, const struct layout *layout)
{
	struct textbuf text;
	int err = textbuf_begin(&text);
	struct table table = {
		.out = text.text,
		.report = report,
		.width = table_width(layout),
		.color = layout->color,
		.verbose = layout->verbose,
	};

	if (err < 0)
		return err;
	summary_show(&table);
	table_agent(&table);
	table_acts(&table);
	table_ended(&table);
	table_executors(&table);
	table_findings(&table);
	table_foreseen(&table);
	table_advice(&table);
	table_clocks(&table);
	table_others(&table);
	table_notes(&table);
	return textbuf_end_to(&text, out);
}
