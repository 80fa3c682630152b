/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "show/term_text.h"
#include "show/table/grid.h"
#include "show/table/table_parts.h"
#include "show/units.h"

static const char *act_result(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct report_act *)row)->result;
}

static const char *act_executor(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct report_act *)row)->executor_id;
}

static const char *act_pid(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return table_number(((const struct report_act *)row)->pid, 1, buf, size);
}

static const char *act_fd(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return table_number(((const struct report_act *)row)->fd, 0, buf, size);
}

static const char *act_method(const void *row, int64_t now, char *buf, size_t size)
{
	const char *method = ((const struct report_act *)row)->method;

	(void)now, (void)buf, (void)size;
	return method && *method ? method : "-";
}

static const char *act_stopped(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)size;
	return units_instant(((const struct report_act *)row)->stopped, buf);
}

static const char *act_effect(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)size;
	return units_instant(((const struct report_act *)row)->effect, buf);
}

static const struct grid_column act_columns[] = {
	{ "RESULT", 7, false, act_result }, { "EXECUTOR", 0, false, act_executor },
	{ "PID", 7, true, act_pid },	    { "FD", 5, true, act_fd },
	{ "METHOD", 6, false, act_method }, { "STOPPED", 8, true, act_stopped },
	{ "CLOSED", 8, true, act_effect },
};

static const char *keepalive_text(const struct act_keepalive *keepalive, char *buf, size_t size)
{
	if (keepalive->on == EW_UNKNOWN)
		return "-";
	if (keepalive->on == EW_NO)
		return "off";
	snprintf(buf, size, "%u s", keepalive->idle);
	return buf;
}

static const char *act_before(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return keepalive_text(&((const struct report_act *)row)->before, buf, size);
}

static const char *act_after(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return keepalive_text(&((const struct report_act *)row)->after, buf, size);
}

static const char *act_proof(const void *row, int64_t now, char *buf, size_t size)
{
	const char *proof = ((const struct report_act *)row)->proof;

	(void)now, (void)buf, (void)size;
	return proof && *proof ? proof : "-";
}

static const struct grid_column keepalive_columns[] = {
	{ "RESULT", 7, false, act_result }, { "EXECUTOR", 0, false, act_executor },
	{ "PID", 7, true, act_pid },	    { "FD", 5, true, act_fd },
	{ "BEFORE", 8, true, act_before },  { "KEEPALIVE", 9, true, act_after },
	{ "PROOF", 13, false, act_proof },
};

static const struct grid_column hold_columns[] = {
	{ "RESULT", 7, false, act_result },
	{ "EXECUTOR", 0, false, act_executor },
	{ "PID", 7, true, act_pid },
	{ "PROOF", 10, false, act_proof },
};

static enum severity act_severity(const struct report_act *act)
{
	if (strcmp(act->result, "done") == 0 || strcmp(act->result, "held") == 0)
		return SEVERITY_OK;
	return strcmp(act->result, "failed") == 0 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
}

void table_acts(const struct table *table)
{
	const struct report *report = table->report;
	struct grid grid = { table->out, table->width, report->generated, act_columns,
			     sizeof(act_columns) / sizeof(act_columns[0]) };

	if (report->kind == REPORT_PROTECT) {
		grid.column = keepalive_columns;
		grid.n = sizeof(keepalive_columns) / sizeof(keepalive_columns[0]);
	}
	if (report->kind == REPORT_HOLD) {
		grid.column = hold_columns;
		grid.n = sizeof(hold_columns) / sizeof(hold_columns[0]);
	}
	if (!report->n_acts)
		return;
	fputc('\n', table->out);
	grid_head(&grid);
	for (size_t i = 0; i < report->n_acts; i++) {
		const struct report_act *act = &report->acts[i];

		grid_row(&grid, act, table_color(table->color, act_severity(act)));
		if (!act->reason || !*act->reason)
			continue;
		fputs("  ", table->out);
		term_text_wrap(table->out, act->reason, 2, 4, table->width);
	}
}
