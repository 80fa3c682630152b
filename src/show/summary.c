/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/summary.h"

#include <string.h>

#include "show/units.h"

static const char *are(size_t n)
{
	return n == 1 ? "is" : "are";
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static void none_write(FILE *out, const struct report *report)
{
	size_t foreign = report->verdicts[VERDICT_FOREIGN];

	if (report->blind) {
		fprintf(out,
			"Nothing is known of the agent on port %u and its executors: this host's "
			"sockets or processes could not be read. Run as root.",
			report->agent_port);
		return;
	}
	fprintf(out, "No executor of the agent on port %u was found", report->agent_port);
	fputs(report->agent.pid > 0 ? "." : ", and no agent listens there.", out);
	if (!report_has_outcomes(report) && foreign)
		fprintf(out, " %zu executor%s of another agent %s left alone.", foreign,
			plural(foreign), are(foreign));
}

static void doomed_write(FILE *out, size_t n, size_t doomed, size_t treatable)
{
	if (!doomed && !treatable)
		return;
	fputs("If the agent restarts now, ", out);
	if (doomed && treatable)
		fprintf(out,
			"%zu of %zu executors %s lost, and %zu more unless treated first: "
			"execwatch shutdown.",
			doomed, n, are(doomed), treatable);
	else if (doomed)
		fprintf(out, "%zu of %zu executors %s lost, and must not be touched.", doomed, n,
			are(doomed));
	else
		fprintf(out,
			"%zu of %zu executors %s lost unless treated first: "
			"execwatch shutdown.",
			treatable, n, are(treatable));
}

/* Whose timer has fired. */
static void ending_write(FILE *out, const struct report *report, const char *lead)
{
	if (report->ending)
		fprintf(out, "%s%zu %s ending %s: an agent that comes now is too late.", lead,
			report->ending, are(report->ending),
			report->ending == 1 ? "itself" : "themselves");
}

/* Those that still have the time to be asked. */
static size_t disconnected_count(const struct report *report)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_executors; i++)
		n += report->executors[i].verdict == VERDICT_DISCONNECTED &&
		     !report->executors[i].ends_by;
	return n;
}

static void audit_write(FILE *out, const struct report *report)
{
	const size_t *v = report->verdicts;
	size_t n = report->n_executors - v[VERDICT_FOREIGN];
	size_t doomed = v[VERDICT_NO_CHECKPOINT] + v[VERDICT_UNREGISTERED];
	size_t treatable = v[VERDICT_HALF_OPEN] + v[VERDICT_AT_RISK];
	size_t waiting = disconnected_count(report), unknown = v[VERDICT_UNKNOWN];

	if (!n) {
		none_write(out, report);
		return;
	}
	doomed_write(out, n, doomed, treatable);
	if (waiting)
		fprintf(out, "%s%zu %s disconnected and may end by itself: restart the agent soon.",
			doomed + treatable ? " " : "", waiting, are(waiting));
	if (unknown)
		fprintf(out, "%s%zu of %zu could not be judged.",
			doomed + treatable + waiting ? " " : "", unknown, n);
	ending_write(out, report, doomed + treatable + waiting + unknown ? " " : "");
	if (!(doomed + treatable + waiting + unknown + report->ending))
		fprintf(out, "A restart of the agent is safe for %s%zu executor%s.",
			n == 1 ? "the " : "all ", n, plural(n));
}

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

static void outcomes_write(FILE *out, const struct report *report)
{
	const size_t *o = report->outcomes;
	size_t lost = o[OUTCOME_SELF_TERMINATED] + o[OUTCOME_KILLED_BY_AGENT] + o[OUTCOME_KILLED] +
		      o[OUTCOME_CRASHED];

	if (!report->n_executors) {
		none_write(out, report);
		return;
	}
	if (lost) {
		fprintf(out, "%zu of %zu executors %s lost", lost, report->n_executors, are(lost));
		outcomes_list(out, report, SEVERITY_CRITICAL, ": ");
	} else if (o[OUTCOME_UNKNOWN]) {
		fprintf(out, "No loss is known of, but %zu of %zu executors cannot be told",
			o[OUTCOME_UNKNOWN], report->n_executors);
	} else {
		fprintf(out, "None of %zu executor%s is lost%s", report->n_executors,
			plural(report->n_executors), report->ending ? " yet" : "");
	}
	outcomes_list(out, report, SEVERITY_OK, lost || o[OUTCOME_UNKNOWN] ? "; " : ": ");
	fputc('.', out);
	waiting_write(out, report);
	ending_write(out, report, " ");
	if (lost && o[OUTCOME_UNKNOWN])
		fprintf(out, " %zu cannot be told.", o[OUTCOME_UNKNOWN]);
}

void summary_write(FILE *out, const struct report *report)
{
	if (report->interrupted)
		fputs("Interrupted: this is what is known so far. ", out);
	if (report_has_outcomes(report))
		outcomes_write(out, report);
	else if (report->kind == REPORT_SHUTDOWN)
		shutdown_write(out, report);
	else
		audit_write(out, report);
}
