/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the node and the next start of the agent. */
#include "show/table/table_parts.h"
#include "show/term_text.h"

static void finding_write(const struct table *table, const struct report_finding *finding)
{
	const char *sgr = table_color(table->color, finding_weight(finding));
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	fprintf(text.text, "  %s%s%s (%s%s): %s %s%s%s", sgr ? sgr : "", finding->id,
		sgr ? TABLE_RESET : "", severity_name(finding->severity),
		finding->ignored ? ", ignored" : "", finding->evidence, finding->effect,
		*finding->cure ? " " : "", finding->cure);
	table_paragraph(table, &text, 4);
}

void table_findings(const struct table *table)
{
	if (table->report->n_findings)
		table_title(table->out, "Findings");
	for (size_t i = 0; i < table->report->n_findings; i++)
		finding_write(table, &table->report->findings[i]);
}
