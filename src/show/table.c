/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table.h"

#include <stdlib.h>

#include "show/cell.h"
#include "show/headline.h"
#include "show/out.h"
#include "show/table_parts.h"

const char *table_color(bool color, enum severity severity)
{
	static const char *const sgr[] = {
		[SEVERITY_OK] = "\x1b[32m",
		[SEVERITY_WARNING] = "\x1b[33m",
		[SEVERITY_CRITICAL] = "\x1b[31m",
		[SEVERITY_UNKNOWN] = "\x1b[35m",
	};

	return color ? sgr[severity] : NULL;
}

void table_title(FILE *out, const char *title)
{
	fprintf(out, "\n%s\n", title);
}

void table_paragraph(const struct table *table, struct out *text, int indent)
{
	char *buf = out_end(text);

	if (buf)
		cell_wrap(table->out, buf, 0, indent, table->width);
	free(buf);
}

static void headline_put(const struct table *table)
{
	struct out text;

	if (out_begin(&text) < 0)
		return;
	headline_write(text.text, table->report);
	fputs(table->color ? "\x1b[1m" : "", table->out);
	table_paragraph(table, &text, 0);
	fputs(table->color ? TABLE_RESET : "", table->out);
}

int table_write(FILE *out, const struct report *report, const struct table_options *options)
{
	struct out text;
	int err = out_begin(&text);
	struct table table = {
		.out = text.text,
		.report = report,
		.width = options->width < TABLE_WIDTH_MIN ? TABLE_WIDTH_MIN : options->width,
		.color = options->color,
		.verbose = options->verbose,
	};

	if (err < 0)
		return err;
	headline_put(&table);
	table_agent(&table);
	table_acts(&table);
	table_executors(&table);
	table_next(&table);
	table_clocks(&table);
	table_others(&table);
	table_notes(&table);
	return out_end_to(&text, out);
}
