/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was done. */
#include "show/summary_parts.h"

#include <string.h>

#include "show/units.h"

static size_t acts_count(const struct report *report, const char *result)
{
	size_t n = 0;

	for (size_t i = 0; i < report->n_acts; i++)
		n += strcmp(report->acts[i].result, result) == 0;
	return n;
}

void summary_shutdown(FILE *out, const struct report *report)
{
	static const char *const others[] = { "failed", "refused", "skipped" };
	char until[UNITS_MAX], clock[UNITS_MAX];
	int64_t deadline = report->clocks[0].deadline;

	if (!report->n_acts) {
		fputs("Nothing was treated. ", out);
		summary_audit(out, report);
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

void summary_protect(FILE *out, const struct report *report)
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
	summary_audit(out, report);
}

void summary_hold(FILE *out, const struct report *report)
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
	summary_audit(out, report);
}

void summary_dry_run(FILE *out, const struct report *report)
{
	size_t n = acts_count(report, "skipped");

	fprintf(out, "Dry run: nothing was done. %zu link%s would be shut down%s.", n, plural(n),
		report->kind == REPORT_GUARD ? " if the agent's end is not noticed on them" : "");
}
