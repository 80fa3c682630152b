/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/format.h"

#include <string.h>

#include "show/json/json_report.h"
#include "show/nagios.h"
#include "show/table/table.h"

/* ---- formats without a layout ---- */

static int json(FILE *out, const struct report *report, const struct layout *layout)
{
	(void)layout;
	return json_report_write(out, report);
}

static int json_checkup(FILE *out, const struct checkup *checkup, const struct layout *layout)
{
	(void)layout;
	return doctor_document_write(out, checkup, true);
}

static int jsonl(FILE *out, const struct report *report, const struct layout *layout)
{
	(void)layout;
	return json_report_line_write(out, NULL, report);
}

static int jsonl_checkup(FILE *out, const struct checkup *checkup, const struct layout *layout)
{
	(void)layout;
	return doctor_document_write(out, checkup, false);
}

static int nagios(FILE *out, const struct report *report, const struct layout *layout)
{
	(void)layout;
	return nagios_write(out, report);
}

static int nagios_checkup(FILE *out, const struct checkup *checkup, const struct layout *layout)
{
	(void)layout;
	return doctor_nagios_write(out, checkup);
}

static int table_checkup(FILE *out, const struct checkup *checkup, const struct layout *layout)
{
	return doctor_table_write(out, checkup, layout->width, layout->color);
}

/* ---- the table ---- */

const struct formatter formatters[] = {
	{
		.name = "table",
		.summary = "text for a terminal",
		.text = true,
		.events = EVENTS_SCREEN,
		.report = table_write,
		.checkup = table_checkup,
	},
	{
		.name = "json",
		.summary = "one indented document",
		.baseline = true,
		.events = EVENTS_LINES,
		.report = json,
		.checkup = json_checkup,
	},
	{
		.name = "jsonl",
		.summary = "one document or event a line",
		.events = EVENTS_LINES,
		.report = jsonl,
		.checkup = jsonl_checkup,
	},
	{
		.name = "nagios",
		.summary = "one line and exit code 0 to 3, for monitoring",
		.plugin = true,
		.report = nagios,
		.checkup = nagios_checkup,
	},
	{ 0 },
};

const struct formatter *formatter_find(const char *name)
{
	for (const struct formatter *f = formatters; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}
