/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/table.h"

#include <stdlib.h>

#include "show/term_text.h"
#include "show/summary.h"
#include "show/textbuf.h"
#include "show/table/table_parts.h"

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

void table_paragraph(const struct table *table, struct textbuf *text, int indent)
{
	char *buf = textbuf_end(text);

	if (buf)
		term_text_wrap(table->out, buf, 0, indent, table->width);
	free(buf);
}

static void headline_put(const struct table *table)
{
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	summary_write(text.text, table->report);
	fputs(table->color ? "\x1b[1m" : "", table->out);
	table_paragraph(table, &text, 0);
	fputs(table->color ? TABLE_RESET : "", table->out);
}

int table_write(FILE *out, const struct report *report, const struct table_options *options)
{
	struct textbuf text;
	int err = textbuf_begin(&text);
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
	table_ended(&table);
	table_executors(&table);
	table_findings(&table);
	table_advice(&table);
	table_clocks(&table);
	table_others(&table);
	table_notes(&table);
	return textbuf_end_to(&text, out);
}
