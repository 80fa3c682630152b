/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/common.h"
#include "cli/exits.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "fail.h"

int verb_audit(const struct options *options)
{
	struct fact_now now = { 0 };
	struct session *session;
	struct report *report;
	struct fail why = { 0 };
	int code;

	if (options->replay)
		return common_replay(options, true, "audit");
	if (session_open(options, &session, &why) < 0) {
		message_fail(&why);
		return EXIT_UNKNOWN;
	}
	session_survey(session, SURVEY_ALL);
	report = session_report(session, REPORT_AUDIT, &now);
	code = output_report(options, report);
	if (report && !common_baseline_save(options, session, report))
		code = EXIT_UNKNOWN;
	report_free(report);
	return common_end(session, code);
}
