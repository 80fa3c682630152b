/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "show/term_text.h"
#include "show/table/table_parts.h"
#include "show/units.h"

/* The name of a process that ended early may not have been read. */
static void process_text(FILE *text, const char *comm, int32_t pid)
{
	if (comm && *comm)
		fprintf(text, "%s (pid %d)", comm, pid);
	else
		fprintf(text, "pid %d", pid);
}

static void agent_text(FILE *text, const struct report *report)
{
	const struct report_agent *agent = &report->agent;
	char address[ADDR_TEXT_MAX];

	if (agent->pid <= 0) {
		fprintf(text,
			report->blind ? "Agent: not known whether one listens on port %u"
				      : "Agent: none listens on port %u",
			report->agent_port);
		return;
	}
	fputs("Agent: ", text);
	process_text(text, agent->comm, agent->pid);
	if (*agent->version)
		fprintf(text, ", Mesos %s", agent->version);
	fprintf(text, ", %s", addr_text(&agent->listen, address));
	for (int i = 1; i < AGENT_PORTS_MAX && report->ports.v[i]; i++)
		fprintf(text, ", advertised as port %u", report->ports.v[i]);
	if (*agent->api)
		fprintf(text, ", API %s", agent->api);
	if (agent->restarted)
		fputs(", restarted", text);
}

void table_agent(const struct table *table)
{
	char time[UNITS_MAX], status[UNITS_MAX];
	const struct report *report = table->report;
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	agent_text(text.text, report);
	fprintf(text.text, ". Host %s, %s.", report->host, units_time(report->generated, time));
	if (report->command)
		fprintf(text.text, " Command (%s): %s",
			report->command_ended ? units_status(report->command_status, status)
					      : "still runs",
			report->command);
	table_paragraph(table, &text, 2);
}

static const char *clock_meaning(const char *name)
{
	static const struct {
		const char *name, *meaning;
	} meanings[] = {
		{ "executors", "the first executor ends itself, unless an agent has come back" },
		{ "master", "the master gives the silent agent up" },
		{ "agent", "the agent ends what has not registered again" },
	};

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		if (strcmp(name, meanings[i].name) == 0)
			return meanings[i].meaning;
	}
	return name;
}

void table_clocks(const struct table *table)
{
	const struct report *report = table->report;
	bool titled = false;

	for (size_t i = 0; i < sizeof(report->clocks) / sizeof(report->clocks[0]); i++) {
		const struct report_clock *clock = &report->clocks[i];
		char time[UNITS_MAX], until[UNITS_MAX], text[256];

		if (!clock->name || !clock->deadline)
			continue;
		if (!titled)
			table_title(table->out, "Clocks that run");
		titled = true;
		snprintf(text, sizeof(text), "%s, %s: %s.", units_clock(clock->deadline, time),
			 units_until(clock->deadline, report->generated, until),
			 clock_meaning(clock->name));
		fputs("  ", table->out);
		term_text_wrap(table->out, text, 2, 4, table->width);
	}
}

void table_others(const struct table *table)
{
	const struct report *report = table->report;
	struct textbuf text;

	if (!report->n_others || textbuf_begin(&text) < 0)
		return;
	fprintf(text.text, "Other connections to port %u, left alone:", report->agent_port);
	for (size_t i = 0; i < report->n_others; i++) {
		const struct report_other *other = &report->others[i];

		fprintf(text.text, "%s %" PRIu32 " ", i ? "," : "", other->connections);
		if (other->pid > 0) {
			fputs("of ", text.text);
			process_text(text.text, other->comm, other->pid);
		} else {
			fputs("without an owning process", text.text);
		}
	}
	fputc('.', text.text);
	fputc('\n', table->out);
	table_paragraph(table, &text, 2);
}

static void events_line(const struct table *table)
{
	const struct report *report = table->report;
	bool hooked = report->messages && *report->messages;
	struct textbuf text;

	if (textbuf_begin(&text) < 0)
		return;
	fprintf(text.text, "Events: %" PRIu64 " seen, %" PRIu64 " lost. Protocol messages: %s%s.",
		report->events_seen, report->events_lost, hooked ? report->messages : "not seen",
		hooked && report->messages_best_effort ? " (in part)" : "");
	fputc('\n', table->out);
	table_paragraph(table, &text, 2);
}

void table_notes(const struct table *table)
{
	const struct report *report = table->report;

	if (report->n_notes)
		table_title(table->out, "Notes");
	for (size_t i = 0; i < report->n_notes; i++) {
		fputs("  ", table->out);
		term_text_wrap(table->out, report->notes[i], 2, 4, table->width);
	}
	if (table->verbose)
		events_line(table);
}
