/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "base/now.h"
#include "cli/replay.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait_report.h"
#include "base/error.h"
#include "record/baseline.h"

static int baseline_take(const struct options *options, struct session *session,
			 struct error *error)
{
	struct fact_sink sink = session_sink(session);
	const char *path = options->baseline;
	char last[4096];
	size_t n;
	int err;

	if (!path) {
		err = baseline_path(options->state_dir, session_boot_id(session), options->port,
				    last, sizeof(last));
		if (err)
			return error_set(error, err, NULL, "find the last baseline");
		path = last;
	}
	return baseline_load(path, session_boot_id(session), now_mono(), &sink, &n, error);
}

/* What lives is followed before the host is looked at again: an end in between is not missed. */
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

int verb_verify(const struct options *options)
{
	struct session *session = NULL;
	struct error error = { 0 };
	int code = EXIT_UNKNOWN;

	if (options->replay)
		return replay_report(options, false, "verify");
	if (interrupt_install() < 0 || session_open(options, &session, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	if (baseline_take(options, session, &error) < 0) {
		log_error(&error);
		goto out;
	}
	follow(session);
	code = wait_report(options, session, NULL, REPORT_VERIFY);
out:
	return session_end(session, code);
}
