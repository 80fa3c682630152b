/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <unistd.h>

#include "cli/baseline.h"
#include "cli/treat.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "show/format.h"

#define QUESTION                                                                                   \
	"Treat these links now? A v0 executor ends itself unless the agent is restarted within "   \
	"its recovery timeout."

/* The state of the links after the act, and the report on it. */
static int finish(const struct options *options, struct session *session,
		  const struct report *audit)
{
	struct fact_now now = { .interrupted = *interrupt_count() > 0 };
	struct report *report;
	int code;

	session_dispatch(session);
	session_scan(session, SCAN_TRACKING);
	report = session_report(session, REPORT_SHUTDOWN, &now);
	/* People have been shown the plan: there is nothing else to tell. */
	code = options->dry_run && options->format->text && report ? report->exit_code
								   : output_report(options, report);
	if (report && !options->dry_run && !baseline_treated_save(options, session, audit, report))
		code = EXIT_UNKNOWN;
	report_free(report);
	return code;
}

int verb_shutdown(const struct options *options)
{
	struct session *session = NULL;
	struct report *audit = NULL;
	struct treatment treatment;
	int code;

	code = treatment_open(options, false, &treatment, &session);
	if (code)
		return code;
	code = EXIT_UNKNOWN;
	audit = treat_audit(session, false);
	if (!audit)
		goto out;
	if (!treat_knows_pid(options, audit)) {
		code = EXIT_WRONG_USE;
		goto out;
	}
	code = treat_links(options, session, audit, QUESTION, &treatment);
	if (code == 0)
		code = finish(options, session, audit);
out:
	report_free(audit);
	code = treatment_end(&treatment, code);
	return session_end(session, code);
}
