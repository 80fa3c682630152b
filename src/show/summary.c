/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/summary.h"

#include <string.h>

#include "base/now.h"
#include "model/verdict_table.h"
#include "show/units.h"

static const char *are(size_t n)
{
	return n == 1 ? "is" : "are";
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- no executors ---- */

static void none_write(FILE *out, const struct report *report)
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

/* ---- audits ---- */

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
static void ending_write(FILE *out, const struct report *report)
{
	if (report->ending)
		fprintf(out,
			"%zu executor%s recovery timeout has expired; %s shutting down, and an "
			"agent that starts now is too late.",
			report->ending, report->ending == 1 ? "'s" : "s'",
			report->ending == 1 ? "it is" : "they are");
}

static void audit_write(FILE *out, const struct report *report)
{
	struct effects e = effects_count(report);
	size_t waiting = e.count[EFFECT_NEEDS_RESTART];
	bool blank = false;

	if (!e.n) {
		none_write(out, report);
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
	ending_write(out, report);
	if (!blank && !report->ending)
		safe_write(out, report, e.n);
}

/* ---- acts ---- */

static size_t acts_count(const struct report *report, const char *result)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_acts; i++)
		n += strcmp(report->acts[i].result, result) == 0;
	return n;
}

static void shutdown_write(FILE *out, const struct report *report)
{
	static const char *const others[] = { "failed", "refused", "skipped" };
	char until[UNITS_MAX], clock[UNITS_MAX];
	int64_t deadline = report->clocks[0].deadline;

	if (!report->n_acts) {
		fputs("Nothing was treated. ", out);
		audit_write(out, report);
		return;
	}
	fprintf(out, "%zu of %zu link%s treated and closed by %s", acts_count(report, "done"),
		report->n_acts, plural(report->n_acts),
		report->n_acts == 1 ? "its executor" : "their executors");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		size_t n = acts_count(report, others[i]);

		if (n)
			fprintf(out, ", %zu %s", n, others[i]);
	}
	fputc('.', out);
	if (deadline)
		fprintf(out,
			" The first executor ends itself %s (%s) unless the agent has "
			"restarted by then.",
			units_until(deadline, report->generated, until),
			units_clock(deadline, clock));
}

static size_t acts_count_of(const struct report *report, const char *action, const char *result)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_acts; i++)
		n += strcmp(report->acts[i].action, action) == 0 &&
		     strcmp(report->acts[i].result, result) == 0;
	return n;
}

static size_t renewed_count(const struct report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_executors; i++)
		for (size_t j = 0; j < report->executors[i].n_links; j++)
			n += report->executors[i].links[j].keepalive.renewed == EW_YES;
	return n;
}

static void protect_write(FILE *out, const struct report *report)
{
	static const char *const others[] = { "refused", "failed" };
	size_t done = acts_count_of(report, "protect", "done"),
	       undone = acts_count_of(report, "unprotect", "done"), now = renewed_count(report);

	if (undone)
		fprintf(out, "%zu link%s the keepalive of before again", undone,
			undone == 1 ? " has" : "s have");
	else if (done)
		fprintf(out, "%zu link%s protected", done, done == 1 ? " is now" : "s are now");
	else
		fputs("Nothing was changed", out);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (acts_count(report, others[i]))
			fprintf(out, ", %zu %s", acts_count(report, others[i]), others[i]);
	fprintf(out, ". Keepalive renews the entr%s of %zu link%s. ", now == 1 ? "y" : "ies", now,
		plural(now));
	audit_write(out, report);
}

static void hold_write(FILE *out, const struct report *report)
{
	static const char *const others[] = { "sent", "refused", "failed" };
	size_t held = acts_count(report, "held");

	if (held)
		fprintf(out,
			"%zu executor%s held: %s for an agent, and %s not run until the next link "
			"is lost",
			held, held == 1 ? " is" : "s are", held == 1 ? "it waits" : "they wait",
			held == 1 ? "its clock does" : "their clocks do");
	else
		fputs("Nobody was held", out);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (acts_count(report, others[i]))
			fprintf(out, ", %zu %s", acts_count(report, others[i]), others[i]);
	fputs(". ", out);
	audit_write(out, report);
}

/* ---- outcomes ---- */

/* " 2 killed-by-agent, 1 crashed" for those of the given severity, after a lead. */
static void outcomes_list(FILE *out, const struct report *report, enum severity severity,
			  const char *lead)
{
	for (int i = 0; i < OUTCOME_COUNT; i++) {
		enum outcome outcome = (enum outcome)i;

		if (!report->outcomes[i] || outcome_severity(outcome) != severity)
			continue;
		fprintf(out, "%s%zu %s", lead, report->outcomes[i], outcome_name(outcome));
		lead = ", ";
	}
}

static int64_t next_deadline(const struct report *report)
{
	int64_t next = 0;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *e = &report->executors[i];

		if (e->outcome == OUTCOME_WAITING && e->deadline && !e->ends_by &&
		    (!next || e->deadline < next))
			next = e->deadline;
	}
	return next;
}

static void waiting_write(FILE *out, const struct report *report)
{
	char until[UNITS_MAX], clock[UNITS_MAX];
	int64_t next = next_deadline(report);
	size_t n = report->outcomes[OUTCOME_WAITING] - report->ending;

	if (!n)
		return;
	fprintf(out, " %zu %s waiting for the agent", n, are(n));
	if (next)
		fprintf(out, ", the next deadline %s (%s)",
			units_until(next, report->generated, until), units_clock(next, clock));
	fputc('.', out);
}

static size_t lost_count(const struct report *report)
{
	size_t lost = 0;

	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (outcome_severity((enum outcome)i) == SEVERITY_CRITICAL)
			lost += report->outcomes[i];
	return lost;
}

/* The first clause: what is lost, what is not known, or that all is well. */
static void verdict_write(FILE *out, const struct report *report, size_t lost)
{
	size_t n = report->n_executors, unknown = report->outcomes[OUTCOME_UNKNOWN];

	if (lost) {
		fprintf(out, "%zu of %zu executor%s %s lost", lost, n, plural(n), are(lost));
		outcomes_list(out, report, SEVERITY_CRITICAL, ": ");
	} else if (unknown) {
		fprintf(out, "UNKNOWN: what became of %zu of %zu executor%s is not known", unknown,
			n, plural(n));
	} else if (report->restart_wanted && !report->agent.restarted) {
		fputs("No executor lost, but the agent was NOT restarted", out);
	} else {
		fprintf(out, "None of %zu executor%s is lost%s", n, plural(n),
			report->ending || report->outcomes[OUTCOME_WAITING] ? " yet" : "");
	}
	outcomes_list(out, report, SEVERITY_OK, lost || unknown ? "; " : ": ");
	fputc('.', out);
}

/* A time of the same day as now without its date. */
static const char *time_or_clock(int64_t wall, int64_t now, char *buf)
{
	int64_t day = 86400 * NS_PER_S;

	return wall / day == now / day ? units_clock(wall, buf) : units_time(wall, buf);
}

static void baseline_write(FILE *out, const struct report *report)
{
	const struct report_baseline *baseline = &report->baseline;
	bool same = report->agent.pid > 0 && !report->agent.restarted;
	char time[UNITS_MAX];

	if (report->kind != REPORT_VERIFY || !baseline->taken)
		return;
	time_or_clock(baseline->taken, report->generated, time);
	fprintf(out, " Compared with the audit of %s", time);
	if (same)
		fprintf(out, ": the agent (pid %d) was not restarted since.", report->agent.pid);
	else if (baseline->agent_pid)
		fprintf(out, ", of agent pid %d.", baseline->agent_pid);
	else
		fputs(", made while no agent listened.", out);
}

static void outcomes_write(FILE *out, const struct report *report)
{
	size_t lost = lost_count(report);

	if (!report->n_executors) {
		none_write(out, report);
		return;
	}
	verdict_write(out, report, lost);
	waiting_write(out, report);
	fputs(report->ending ? " " : "", out);
	ending_write(out, report);
	if (lost && report->outcomes[OUTCOME_UNKNOWN])
		fprintf(out, " What became of %zu is not known.",
			report->outcomes[OUTCOME_UNKNOWN]);
	if (lost && report->restart_wanted && !report->agent.restarted)
		fputs(" The agent was NOT restarted.", out);
	baseline_write(out, report);
}

/* What ended during a watch, before the audit of those that live. */
static void watch_write(FILE *out, const struct report *report)
{
	const struct report ended = report_ended(report);
	size_t lost = lost_count(&ended), unknown = ended.outcomes[OUTCOME_UNKNOWN];

	if (lost) {
		fprintf(out, "%zu executor%s lost", lost, lost == 1 ? " was" : "s were");
		outcomes_list(out, &ended, SEVERITY_CRITICAL, ": ");
		fputs(". ", out);
	}
	if (unknown)
		fprintf(out, "What became of %zu executor%s that ended is not known. ", unknown,
			plural(unknown));
	audit_write(out, report);
}

/* Findings that count for nothing by the user's wish. */
static void ignored_write(FILE *out, const struct report *report)
{
	const char *lead = " Ignored: ";

	for (size_t i = 0; i < report->n_findings; i++) {
		if (!report->findings[i].ignored)
			continue;
		fprintf(out, "%s%s (%s)", lead, report->findings[i].id,
			severity_name(report->findings[i].severity));
		lead = ", ";
	}
	if (*lead == ',')
		fputc('.', out);
}

void summary_write(FILE *out, const struct report *report)
{
	if (report->interrupted)
		fputs("Interrupted: this is what is known so far. ", out);
	if (report_has_outcomes(report))
		outcomes_write(out, report);
	else if (report->kind == REPORT_SHUTDOWN)
		shutdown_write(out, report);
	else if (report->kind == REPORT_PROTECT)
		protect_write(out, report);
	else if (report->kind == REPORT_HOLD)
		hold_write(out, report);
	else if (report->kind == REPORT_WATCH)
		watch_write(out, report);
	else
		audit_write(out, report);
	ignored_write(out, report);
}
