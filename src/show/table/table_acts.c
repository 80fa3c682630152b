/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "show/term_text.h"
#include "show/table/grid.h"
#include "show/textbuf.h"
#include "show/table/table_parts.h"
#include "show/units.h"

static const char *number(int32_t value, int32_t least, char *buf, size_t size)
{
	if (value < least)
		return "-";
	snprintf(buf, size, "%d", value);
	return buf;
}

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
	return number(((const struct report_act *)row)->pid, 1, buf, size);
}

static const char *act_fd(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return number(((const struct report_act *)row)->fd, 0, buf, size);
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

static enum severity act_severity(const struct report_act *act)
{
	if (strcmp(act->result, "done") == 0)
		return SEVERITY_OK;
	return strcmp(act->result, "failed") == 0 ? SEVERITY_CRITICAL : SEVERITY_WARNING;
}

void table_acts(const struct table *table)
{
	const struct report *report = table->report;
	struct grid grid = { table->out, table->width, report->generated, act_columns,
			     sizeof(act_columns) / sizeof(act_columns[0]) };

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

static const char *target_what(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_target *)row)->forbidden ? "leave" : "shut down";
}

static const char *target_executor(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_target *)row)->executor_id;
}

static const char *target_pid(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return number(((const struct model_target *)row)->pid, 1, buf, size);
}

static const char *target_fd(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return number(((const struct model_target *)row)->fd, 0, buf, size);
}

static const char *target_verdict(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return verdict_name(((const struct model_target *)row)->verdict);
}

static const char *target_timeout(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)size;
	return units_duration(((const struct model_target *)row)->recovery_timeout, buf);
}

static const struct grid_column target_columns[] = {
	{ "PLAN", 9, false, target_what },	  { "EXECUTOR", 0, false, target_executor },
	{ "PID", 7, true, target_pid },		  { "FD", 5, true, target_fd },
	{ "VERDICT", 13, false, target_verdict }, { "CLOCK", 9, true, target_timeout },
};

static void target_write(const struct grid *grid, const struct model_target *target, bool color)
{
	enum severity severity = target->forbidden ? SEVERITY_CRITICAL : SEVERITY_WARNING;

	grid_row(grid, target, table_color(color, severity));
	if (!target->forbidden)
		return;
	fputs("  never touched: ", grid->out);
	term_text_wrap(grid->out, target->forbidden, 17, 4, grid->width);
}

int table_plan_write(FILE *out, const struct model_target *targets, size_t n,
		     const struct table_options *options)
{
	int width = options->width < TABLE_WIDTH_MIN ? TABLE_WIDTH_MIN : options->width;
	struct textbuf text;
	int err = textbuf_begin(&text);
	struct grid grid = { text.text, width, 0, target_columns,
			     sizeof(target_columns) / sizeof(target_columns[0]) };
	size_t treated = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		treated += !targets[i].forbidden;
	if (treated)
		fprintf(grid.out, "%zu link%s would be shut down.\n", treated,
			treated == 1 ? "" : "s");
	else
		fputs("Nothing would be done.\n", grid.out);
	if (n) {
		fputc('\n', grid.out);
		grid_head(&grid);
	}
	for (size_t i = 0; i < n; i++)
		target_write(&grid, &targets[i], options->color);
	return textbuf_end_to(&text, out);
}
