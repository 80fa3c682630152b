/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "cli/common.h"
#include "cli/exits.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "fail.h"

/* What the recorded run itself reported at its end. */
static enum report_kind kind_of(const struct session *session)
{
	const char *verb = session_verb(session);

	if (strcmp(verb, "run") == 0)
		return REPORT_RUN;
	if (strcmp(verb, "verify") == 0)
		return REPORT_VERIFY;
	return strcmp(verb, "shutdown") == 0 ? REPORT_SHUTDOWN : REPORT_AUDIT;
}

int verb_report(const struct options *options)
{
	struct fact_now now = { 0 };
	struct session *session;
	struct report *report;
	struct fail why = { 0 };
	int code;

	if (!options->replay) {
		message("'report' needs a recording: execwatch report --replay FILE");
		return EXIT_WRONG_USE;
	}
	if (session_replay(options, false, &session, &why) < 0) {
		message_fail(&why);
		return EXIT_UNKNOWN;
	}
	report = session_report(session, kind_of(session), &now);
	code = output_report(options, report);
	report_free(report);
	return common_end(session, code);
}
