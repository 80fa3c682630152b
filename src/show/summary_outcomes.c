/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of the executors. */
#include "show/summary_parts.h"

#include "base/now.h"
#include "show/units.h"

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

void summary_outcomes(FILE *out, const struct report *report)
{
	size_t lost = lost_count(report);

	if (!report->n_executors) {
		summary_none(out, report);
		return;
	}
	verdict_write(out, report, lost);
	waiting_write(out, report);
	fputs(report->ending ? " " : "", out);
	summary_ending(out, report);
	if (lost && report->outcomes[OUTCOME_UNKNOWN])
		fprintf(out, " What became of %zu is not known.",
			report->outcomes[OUTCOME_UNKNOWN]);
	if (lost && report->restart_wanted && !report->agent.restarted)
		fputs(" The agent was NOT restarted.", out);
	baseline_write(out, report);
}

/* What ended during a watch, before the audit of those that live. */
void summary_watch(FILE *out, const struct report *report)
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
	summary_audit(out, report);
}
