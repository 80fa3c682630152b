/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/replay.h"

#include <string.h>

#include "base/error.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

static enum report_kind kind_of(const char *verb)
{
	if (strcmp(verb, "run") == 0)
		return REPORT_RUN;
	if (strcmp(verb, "guard") == 0)
		return REPORT_GUARD;
	if (strcmp(verb, "verify") == 0)
		return REPORT_VERIFY;
	if (strcmp(verb, "watch") == 0)
		return REPORT_WATCH;
	if (strcmp(verb, "protect") == 0)
		return REPORT_PROTECT;
	if (strcmp(verb, "hold") == 0)
		return REPORT_HOLD;
	return strcmp(verb, "shutdown") == 0 ? REPORT_SHUTDOWN : REPORT_AUDIT;
}

int replay_report(const struct options *options, bool first_only, const char *verb)
{
	struct fact_now now = { 0 };
	struct session *session;
	struct report *report;
	struct error error = { 0 };
	int code;

	if (session_replay(options, first_only, &session, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	report = session_report(session, kind_of(verb ? verb : session_verb(session)), &now);
	code = output_report(options, report);
	report_free(report);
	return session_end(session, code);
}
