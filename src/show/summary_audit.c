/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a restart would do. */
#include "show/summary_parts.h"

#include <string.h>

#include "model/verdict_table.h"
#include "show/units.h"

void summary_none(FILE *out, const struct report *report)
{
	size_t foreign = report->verdicts[VERDICT_FOREIGN];

	if (report->blind) {
		fprintf(out,
			"UNKNOWN: this host's sockets or processes could not be read, so nothing "
			"is known of the agent on port %u and its executors. Run as root.",
			report->agent_port);
		return;
	}
	if (report->agent.pid > 0 && !report_has_nobody(report))
		fprintf(out, "The agent on port %u has no executors.", report->agent_port);
	else if (report->agent.pid > 0)
		fprintf(out,
			"UNKNOWN: a process (pid %d) listens on port %u, and neither its API nor a "
			"work directory shows that it is a Mesos agent; no executor of it was "
			"found. Is it the right port?",
			report->agent.pid, report->agent_port);
	else
		fprintf(out,
			"UNKNOWN: no agent listens on port %u and no executor of one was found. "
			"Is it the right port?",
			report->agent_port);
	if (!report_has_outcomes(report) && foreign)
		fprintf(out, " %zu executor%s of another agent %s left alone.", foreign,
			plural(foreign), are(foreign));
}

struct effects {
	size_t n; /* executors that a restart concerns */
	size_t count[EFFECT_COUNT];
	size_t held;	 /* of those, their clocks do not run */
	size_t findings; /* critical */
};

/* A report that runs out of time says so by ends_by: those are counted by report->ending. */
static struct effects effects_count(const struct report *report)
{
	struct effects e = { 0 };

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];
		enum restart_effect effect = verdict_effect(executor->verdict);

		e.n += effect != EFFECT_NOT_CONCERNED;
		if (executor->held)
			e.held++;
		else if (!executor->ends_by)
			e.count[effect]++;
	}
	for (size_t i = 0; i < report->n_findings; i++)
		e.findings += finding_weight(&report->findings[i]) == SEVERITY_CRITICAL;
	return e;
}

static void lost_write(FILE *out, const struct effects *e)
{
	size_t lost = e->count[EFFECT_LOST], untreated = e->count[EFFECT_LOST_UNTREATED];

	if (!lost && !untreated)
		return;
	fputs("If the agent restarts now, ", out);
	if (lost && untreated)
		fprintf(out,
			"%zu of %zu executors %s lost, and %zu more unless treated first: "
			"execwatch shutdown.",
			lost, e->n, are(lost), untreated);
	else if (lost)
		fprintf(out, "%zu of %zu executors %s lost, and must not be touched.", lost, e->n,
			are(lost));
	else
		fprintf(out,
			"%zu of %zu executors %s lost unless treated first: "
			"execwatch shutdown.",
			untreated, e->n, are(untreated));
}

static void unknown_write(FILE *out, const struct effects *e)
{
	size_t unknown = e->count[EFFECT_UNKNOWN];

	if (unknown == e->n && unknown)
		fprintf(out, "UNKNOWN: %zu of %zu executor%s could not be checked. Do not restart.",
			unknown, e->n, plural(e->n));
	else if (unknown)
		fprintf(out,
			"%zu of %zu executors could not be checked: do not restart before "
			"they are.",
			unknown, e->n);
}

/* How many findings weigh that much, and the first of them. */
static size_t findings_of(const struct report *report, enum severity severity, const char **first)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_findings; i++)
		if (finding_weight(&report->findings[i]) == severity)
			*first = n++ ? *first : report->findings[i].id;
	return n;
}

/* What keeps a restart from being called safe without more ado. */
static void safe_write(FILE *out, const struct report *report, size_t executors)
{
	const char *id = "";
	size_t unknown = findings_of(report, SEVERITY_UNKNOWN, &id), warnings;

	if (unknown) {
		fprintf(out, "UNKNOWN: what the next start changes could not be checked: %s.", id);
		return;
	}
	fprintf(out, "A restart of the agent is safe for %s%zu executor%s.",
		executors == 1 ? "the " : "all ", executors, plural(executors));
	warnings = findings_of(report, SEVERITY_WARNING, &id);
	if (warnings)
		fprintf(out, " %zu warning%s about it: %s%s.", warnings, plural(warnings), id,
			warnings > 1 ? ", …" : "");
}

static void findings_write(FILE *out, const struct report *report, const struct effects *e)
{
	const char *lead = ": ";

	if (!e->findings)
		return;
	fprintf(out, "%zu critical finding%s about the restart", e->findings, plural(e->findings));
	for (size_t i = 0; i < report->n_findings; i++) {
		if (finding_weight(&report->findings[i]) != SEVERITY_CRITICAL)
			continue;
		fprintf(out, "%s%s", lead, report->findings[i].id);
		lead = ", ";
	}
	fputc('.', out);
}

/* Executors whose recovery timeout has run out. */
void summary_ending(FILE *out, const struct report *report)
{
	if (report->ending)
		fprintf(out,
			"%zu executor%s recovery timeout has expired; %s shutting down, and an "
			"agent that starts now is too late.",
			report->ending, report->ending == 1 ? "'s" : "s'",
			report->ending == 1 ? "it is" : "they are");
}

void summary_audit(FILE *out, const struct report *report)
{
	struct effects e = effects_count(report);
	size_t waiting = e.count[EFFECT_NEEDS_RESTART];
	bool blank = false;

	if (!e.n) {
		summary_none(out, report);
		return;
	}
	lost_write(out, &e);
	blank = e.count[EFFECT_LOST] + e.count[EFFECT_LOST_UNTREATED];
	if (waiting)
		fprintf(out, "%s%zu %s disconnected and may end by itself: restart the agent soon.",
			blank ? " " : "", waiting, are(waiting));
	blank |= waiting != 0;
	if (e.held)
		fprintf(out, "%s%zu %s held: start the agent.", blank ? " " : "", e.held,
			are(e.held));
	blank |= e.held != 0;
	fputs(e.count[EFFECT_UNKNOWN] && blank ? " " : "", out);
	unknown_write(out, &e);
	blank |= e.count[EFFECT_UNKNOWN] != 0;
	fputs(e.findings && blank ? " " : "", out);
	findings_write(out, report, &e);
	blank |= e.findings != 0;
	fputs(report->ending && blank ? " " : "", out);
	summary_ending(out, report);
	if (!blank && !report->ending)
		safe_write(out, report, e.n);
}
