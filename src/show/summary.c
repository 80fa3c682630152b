/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/summary.h"

#include "show/summary_parts.h"

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
	if (report_has_outcomes(report) && report->dry_run && report->n_executors)
		summary_dry_run(out, report);
	else if (report_has_outcomes(report))
		summary_outcomes(out, report);
	else if (report->kind == REPORT_SHUTDOWN)
		summary_shutdown(out, report);
	else if (report->kind == REPORT_PROTECT)
		summary_protect(out, report);
	else if (report->kind == REPORT_HOLD)
		summary_hold(out, report);
	else if (report->kind == REPORT_WATCH)
		summary_watch(out, report);
	else
		summary_audit(out, report);
	ignored_write(out, report);
}
