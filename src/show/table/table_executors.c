/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "show/term_text.h"
#include "show/table/grid.h"
#include "show/table/table_parts.h"
#include "show/units.h"

/* Groups of severity ok with more executors are counted, not listed. */
#define LIST_MAX 10

/* The first task (without one, the executor id), and how many more there are. */
static const char *task_name(const struct report_executor *executor, char *buf, size_t size)
{
	const char *name = executor->n_tasks ? executor->tasks[0] : executor->executor_id;

	if (executor->n_tasks <= 1)
		return name;
	snprintf(buf, size, "%s +%zu", name, executor->n_tasks - 1);
	return buf;
}

static const char *cell_verdict(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return verdict_name(((const struct report_executor *)row)->verdict);
}

static const char *cell_outcome(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now, (void)buf, (void)size;
	return outcome_name(((const struct report_executor *)row)->outcome);
}

static const char *cell_task(const void *row, int64_t now, char *buf, size_t size)
{
	(void)now;
	return task_name(row, buf, size);
}

static const char *cell_pid(const void *row, int64_t now, char *buf, size_t size)
{
	const struct report_executor *executor = row;

	(void)now;
	if (executor->pid <= 0)
		return "-";
	snprintf(buf, size, "%d", executor->pid);
	return buf;
}

/* The worse of two links. */
static const struct report_link *worst_link(const struct report_executor *executor)
{
	const struct report_link *worst = executor->n_links ? &executor->links[0] : NULL;

	for (size_t i = 1; i < executor->n_links; i++) {
		const struct report_link *link = &executor->links[i];

		if (worst->agent_end == EW_NO)
			break;
		if (link->agent_end == EW_NO || (link->at_risk && !worst->at_risk) ||
		    (link->agent_end == EW_UNKNOWN && worst->agent_end == EW_YES))
			worst = link;
	}
	return worst;
}

static const char *cell_link(const void *row, int64_t now, char *buf, size_t size)
{
	static const char *const names[] = { "unknown", "one end", "both ends" };
	const struct report_link *link = worst_link(row);

	(void)now, (void)buf, (void)size;
	return link ? names[link->agent_end] : "none";
}

/* Each link keeps its entry: keepalive renews it in time. */
static bool all_renewed(const struct report_executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].keepalive.renewed != EW_YES)
			return false;
	return executor->n_links > 0;
}

/* "6 s left" of an entry that expires too soon. */
static const char *cell_conntrack(const void *row, int64_t now, char *buf, size_t size)
{
	static const char *const names[] = { "unknown", "known", "forgotten", "off" };
	const struct report_link *link = worst_link(row);
	char left[UNITS_MAX];

	(void)now;
	if (!link)
		return "-";
	if (link->conntrack == CONNTRACK_NONE && link->accepted == EW_YES)
		return "accepted";
	if (link->conntrack == CONNTRACK_ENTRY && all_renewed(row))
		return "renewed";
	if (link->conntrack != CONNTRACK_ENTRY || !link->at_risk)
		return names[link->conntrack];
	snprintf(buf, size, "%s left", units_duration(link->expires, left));
	return buf;
}

static const char *cell_idle(const void *row, int64_t now, char *buf, size_t size)
{
	const struct report_link *link = worst_link(row);

	(void)now, (void)size;
	return link ? units_duration(link->idle, buf) : "-";
}

static const char *cell_proof(const void *row, int64_t now, char *buf, size_t size)
{
	const char *name = proof_name(((const struct report_executor *)row)->proof);

	(void)now, (void)buf, (void)size;
	return name ? name : "-";
}

static const char *cell_when(const void *row, int64_t now, char *buf, size_t size)
{
	const struct report_executor *executor = row;
	char clock[UNITS_MAX], until[UNITS_MAX];

	if (executor->ended)
		snprintf(buf, size, "ended %s", units_clock(executor->ended, clock));
	else if (executor->ends_by)
		snprintf(buf, size, executor->ends_by > now ? "ending, by %s" : "overdue since %s",
			 units_clock(executor->ends_by, clock));
	else if (executor->deadline)
		snprintf(buf, size, "%s %s", units_clock(executor->deadline, clock),
			 units_until(executor->deadline, now, until));
	else
		return "-";
	return buf;
}

static const struct grid_column verdict_columns[] = {
	{ "VERDICT", 13, false, cell_verdict },
	{ "TASK", 0, false, cell_task },
	{ "PID", 7, true, cell_pid },
	{ "LINK", 9, false, cell_link },
	{ "CONNTRACK", 9, false, cell_conntrack },
	{ "IDLE", 9, true, cell_idle },
};

static const struct grid_column outcome_columns[] = {
	{ "OUTCOME", 15, false, cell_outcome }, { "TASK", 0, false, cell_task },
	{ "PID", 7, true, cell_pid },		{ "PROOF", 7, false, cell_proof },
	{ "DEADLINE", 23, false, cell_when },
};

static struct grid grid_of(const struct table *table)
{
	struct grid grid = {
		.out = table->out,
		.width = table->width,
		.now = table->report->generated,
		.column = verdict_columns,
		.n = sizeof(verdict_columns) / sizeof(verdict_columns[0]),
	};

	if (report_has_outcomes(table->report)) {
		grid.column = outcome_columns;
		grid.n = sizeof(outcome_columns) / sizeof(outcome_columns[0]);
	}
	return grid;
}

static void line_write(const struct table *table, const char *text)
{
	fputs("  ", table->out);
	term_text_wrap(table->out, text, 2, 4, table->width);
}

static void evidence_write(const struct table *table, const struct report_executor *executor)
{
	char text[512];

	if (executor->n_tasks && strcmp(executor->tasks[0], executor->executor_id) != 0) {
		snprintf(text, sizeof(text), "Executor %s", executor->executor_id);
		line_write(table, text);
	}
	for (size_t i = 0; i < executor->n_why; i++)
		line_write(table, executor->why[i]);
}

/* The cause of a loss is shown without -v. */
static bool needs_evidence(const struct table *table, const struct report_executor *executor)
{
	return table->verbose || executor->severity == SEVERITY_UNKNOWN ||
	       (report_has_outcomes(table->report) && executor->severity == SEVERITY_CRITICAL);
}

static void group_write(const struct table *table, const struct grid *grid,
			const struct table_group *group)
{
	const struct report *report = table->report;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];

		if (!table_group_has(report, group, executor))
			continue;
		grid_row(grid, executor, table_color(table->color, executor->severity));
		if (needs_evidence(table, executor))
			evidence_write(table, executor);
	}
}

static void group_count(const struct table *table, const struct table_group *group)
{
	const char *sgr = table_color(table->color, group->severity);

	fprintf(table->out, "%s%s%s: %zu executor%s, -v lists them\n", sgr ? sgr : "", group->name,
		sgr ? TABLE_RESET : "", group->n, group->n == 1 ? "" : "s");
}

/* Executors of another agent are counted, however few they are. */
static bool group_is_counted(const struct table *table, const struct table_group *group)
{
	bool foreign = !report_has_outcomes(table->report) && group->key == VERDICT_FOREIGN;

	return !table->verbose && group->severity == SEVERITY_OK &&
	       group->n > (foreign ? 0 : LIST_MAX);
}

/* Ended executors stay above the others, except those that finished. */
void table_ended(const struct table *table)
{
	struct report ended = report_ended(table->report);
	struct table part = *table;
	size_t n = 0;

	for (size_t i = 0; i < ended.n_executors; i++)
		n += ended.executors[i].severity != SEVERITY_OK;
	ended.n_executors = n; /* in the order of severity: those come last */
	part.report = &ended;
	if (n)
		table_executors(&part);
}

static bool lists_any(const struct table *table)
{
	struct table_group group = { 0 };

	while (table_group_next(table->report, &group))
		if (!group_is_counted(table, &group))
			return true;
	return false;
}

void table_executors(const struct table *table)
{
	struct grid grid = grid_of(table);
	struct table_group group = { 0 };

	if (table->report->n_executors)
		fputc('\n', table->out);
	if (lists_any(table))
		grid_head(&grid);
	while (table_group_next(table->report, &group)) {
		if (group_is_counted(table, &group))
			group_count(table, &group);
		else
			group_write(table, &grid, &group);
	}
}
