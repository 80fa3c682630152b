/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/table/table_plan.h"

#include <string.h>

#include "show/term_text.h"
#include "show/textbuf.h"
#include "show/units.h"
#include "show/table/grid.h"
#include "show/table/table_style.h"

static const char *target_what(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_target *)row)->forbidden ? "leave" : "shut down";
}

static const char *guarded_what(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_target *)row)->forbidden ? "leave" : "guard";
}

static const char *target_executor(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_target *)row)->executor_id;
}

static const char *target_pid(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return table_number(((const struct model_target *)row)->pid, 1, buf, size);
}

static const char *target_fd(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return table_number(((const struct model_target *)row)->fd, 0, buf, size);
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

/* ---- protect ---- */

static const char *protection_what(const void *row, int64_t now, char *buf, size_t size)
{
	const struct model_protection *p = row;

	(void)now, (void)buf, (void)size;
	return p->target.forbidden ? "leave" : p->needless ? "keep" : "protect";
}

static const char *restoration_what(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_protection *)row)->target.forbidden ? "leave" : "restore";
}

static const char *protection_executor(const void *row, int64_t now, char *buf, size_t size)
{
	return target_executor(&((const struct model_protection *)row)->target, now, buf, size);
}

static const char *protection_pid(const void *row, int64_t now, char *buf, size_t size)
{
	return target_pid(&((const struct model_protection *)row)->target, now, buf, size);
}

static const char *protection_fd(const void *row, int64_t now, char *buf, size_t size)
{
	return target_fd(&((const struct model_protection *)row)->target, now, buf, size);
}

static const char *protection_verdict(const void *row, int64_t now, char *buf, size_t size)
{
	return target_verdict(&((const struct model_protection *)row)->target, now, buf, size);
}

enum { PROTECTION_COLUMNS = 5 };

/* Those of protect, and of --undo. */
static const struct grid_column protection_columns[2][PROTECTION_COLUMNS] = {
	{
		{ "PLAN", 9, false, protection_what },
		{ "EXECUTOR", 0, false, protection_executor },
		{ "PID", 7, true, protection_pid },
		{ "FD", 5, true, protection_fd },
		{ "VERDICT", 13, false, protection_verdict },
	},
	{
		{ "PLAN", 9, false, restoration_what },
		{ "EXECUTOR", 0, false, protection_executor },
		{ "PID", 7, true, protection_pid },
		{ "FD", 5, true, protection_fd },
		{ "VERDICT", 13, false, protection_verdict },
	},
};

static void protection_write(const struct grid *grid, const struct model_protection *link,
			     bool color)
{
	const char *reason = link->target.forbidden ? link->target.forbidden : link->needless;

	grid_row(grid, link,
		 table_color(color, link->target.forbidden ? SEVERITY_WARNING : SEVERITY_OK));
	if (!reason)
		return;
	fputs("  ", grid->out);
	term_text_wrap(grid->out, reason, 2, 4, grid->width);
}

/* A sentence around the number of links, and the head of the table if there are rows. */
static void plan_begin(const struct grid *grid, const char *before, size_t acted, const char *after,
		       size_t n)
{
	if (acted)
		fprintf(grid->out, "%s%zu link%s%s.\n", before, acted, acted == 1 ? "" : "s",
			after);
	else
		fputs("Nothing would be done.\n", grid->out);
	if (!n)
		return;
	fputc('\n', grid->out);
	grid_head(grid);
}

int table_protections_write(FILE *out, const struct model_protection *links, size_t n, bool undo,
			    const struct layout *layout)
{
	struct textbuf text;
	int err = textbuf_begin(&text);
	struct grid grid = { text.text, table_width(layout), 0, protection_columns[undo],
			     PROTECTION_COLUMNS };
	size_t acted = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		acted += !links[i].reason_id;
	plan_begin(&grid,
		   undo ? "The keepalive of before would be restored on "
			: "Keepalive would be set on ",
		   acted, "", n);
	for (size_t i = 0; i < n; i++)
		protection_write(&grid, &links[i], layout->color);
	return textbuf_end_to(&text, out);
}

/* ---- hold ---- */

static const char *hold_what(const void *row, int64_t now, char *buf, size_t size)
{
	const struct model_hold *hold = row;

	(void)now, (void)buf, (void)size;
	return hold->refused ? "leave" : hold->needless ? "keep" : "hold";
}

static const char *hold_executor(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return ((const struct model_hold *)row)->executor_id;
}

static const char *hold_pid(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return table_number(((const struct model_hold *)row)->pid, 1, buf, size);
}

static const char *hold_deadline(const void *row, int64_t now, char *buf, size_t size)
{
	const struct model_hold *hold = row;

	(void)now, (void)size;
	return hold->deadline ? units_clock(hold->deadline, buf) : "-";
}

static const struct grid_column hold_columns[] = {
	{ "PLAN", 9, false, hold_what },
	{ "EXECUTOR", 0, false, hold_executor },
	{ "PID", 7, true, hold_pid },
	{ "ENDS ITSELF", 11, true, hold_deadline },
};

static void hold_write(const struct grid *grid, const struct model_hold *hold, bool color)
{
	const char *reason = hold->refused ? hold->refused : hold->needless;

	grid_row(grid, hold,
		 table_color(color, hold->refused ? SEVERITY_CRITICAL : SEVERITY_WARNING));
	if (!reason)
		return;
	fputs("  ", grid->out);
	term_text_wrap(grid->out, reason, 2, 4, grid->width);
}

int table_holds_write(FILE *out, const struct model_hold *holds, size_t n,
		      const struct layout *layout)
{
	struct textbuf text;
	int err = textbuf_begin(&text);
	struct grid grid = { text.text, table_width(layout), 0, hold_columns,
			     sizeof(hold_columns) / sizeof(hold_columns[0]) };
	size_t acted = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		acted += !holds[i].reason_id;
	if (acted)
		fprintf(grid.out, "The clock%s of %zu executor%s would be stopped.\n",
			acted == 1 ? "" : "s", acted, acted == 1 ? "" : "s");
	else
		fputs("Nothing would be done.\n", grid.out);
	if (n) {
		fputc('\n', grid.out);
		grid_head(&grid);
	}
	for (size_t i = 0; i < n; i++)
		hold_write(&grid, &holds[i], layout->color);
	return textbuf_end_to(&text, out);
}

/* ---- shutdown ---- */

#define TARGET_COLUMNS (sizeof(target_columns) / sizeof(target_columns[0]))

int table_plan_write(FILE *out, const struct model_target *targets, size_t n, bool guarded,
		     const struct layout *layout)
{
	struct textbuf text;
	int err = textbuf_begin(&text);
	struct grid_column columns[TARGET_COLUMNS];
	struct grid grid = { text.text, table_width(layout), 0, columns, TARGET_COLUMNS };
	size_t treated = 0;

	if (err < 0)
		return err;
	for (size_t i = 0; i < n; i++)
		treated += !targets[i].forbidden;
	memcpy(columns, target_columns, sizeof(columns));
	if (guarded)
		columns[0].cell = guarded_what;
	plan_begin(&grid, "", treated,
		   guarded ? " would be shut down on which the agent's end is not noticed"
			   : " would be shut down",
		   n);
	for (size_t i = 0; i < n; i++)
		target_write(&grid, &targets[i], layout->color);
	return textbuf_end_to(&text, out);
}
