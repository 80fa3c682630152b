/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/error.h"
#include "cli/agent_away.h"
#include "cli/baseline.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/replay.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait_report.h"

/* Follows what lives, then scans the host again: an executor that ends in between is seen. */
static void follow(struct session *session)
{
	struct report *report;

	session_scan(session, SCAN_SOCKETS | SCAN_PROCESSES);
	report = model_report(session_model(session), REPORT_AUDIT);
	if (report)
		session_follow(session, report);
	report_free(report);
	session_scan(session, SCAN_ALL);
}

static void agent_away(const struct options *options, struct session *session)
{
	struct report *report = model_report(session_model(session), REPORT_VERIFY);

	if (report)
		agent_away_emit(options, session, report);
	report_free(report);
}

int verb_verify(const struct options *options)
{
	struct session *session = NULL;
	struct error error = { 0 };
	int code = EXIT_UNKNOWN;

	if (options->replay)
		return replay_report(options, false, "verify");
	if (interrupt_install(false, &error) < 0 || session_open(options, &session, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	if (baseline_take(options, session, &error) < 0) {
		log_error(&error);
		goto out;
	}
	follow(session);
	agent_away(options, session);
	code = wait_report(options, session, NULL, NULL, REPORT_VERIFY, NULL);
out:
	return session_end(session, code);
}
