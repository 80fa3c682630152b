/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the node and the next start of the agent. */
#include <stdlib.h>
#include <string.h>

#include "show/table/table_parts.h"
#include "show/term_text.h"

static void finding_write(const struct table *table, const struct report_finding *finding)
{
	const char *sgr = table_color(table->color, finding_weight(finding));
	int sentence = (int)strcspn(finding->cure, "\n"), used;
	const char *commands = finding->cure + sentence;
	struct textbuf text;
	char *buf;

	if (textbuf_begin(&text) < 0)
		return;
	fprintf(text.text, "%s %s%s%.*s", finding->evidence, finding->effect, sentence ? " " : "",
		sentence, finding->cure);
	buf = textbuf_end(&text);
	fputs(sgr ? sgr : "", table->out);
	used = fprintf(table->out, "  %s", finding->id);
	fputs(sgr ? TABLE_RESET : "", table->out);
	used += fprintf(table->out, " (%s%s): ", severity_name(finding->severity),
			finding->ignored ? ", ignored" : "");
	term_text_wrap(table->out, buf ? buf : "", used, 4, table->width);
	if (*commands)
		term_text_wrap_commands(table->out, commands + 1, 0, 4, table->width);
	free(buf);
}

static void foreseen_write(const struct table *table, const struct report_foreseen *foreseen)
{
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	fprintf(text.text, "  %s (%s): %s", foreseen->id, foreseen->severity,
		foreseen->stands ? "it still is so" : "it is so no more");
	table_paragraph(table, &text, 4);
}

void table_foreseen(const struct table *table)
{
	if (table->report->n_foreseen)
		table_title(table->out, "Foreseen by the audit before the restart");
	for (size_t i = 0; i < table->report->n_foreseen; i++)
		foreseen_write(table, &table->report->foreseen[i]);
}

void table_findings(const struct table *table)
{
	if (table->report->n_findings)
		table_title(table->out, "Findings");
	for (size_t i = 0; i < table->report->n_findings; i++)
		finding_write(table, &table->report->findings[i]);
}
