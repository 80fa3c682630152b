/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <stdio.h>

#include "base/now.h"
#include "cli/common.h"
#include "cli/exits.h"
#include "cli/interrupt.h"
#include "cli/message.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/waiting.h"
#include "fail.h"
#include "record/baseline.h"

static int baseline_take(const struct options *options, struct session *session, struct fail *why)
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
			return fail_set(why, err, NULL, "find the last baseline");
		path = last;
	}
	return baseline_load(path, session_boot_id(session), now_mono(), &sink, &n, why);
}

/* What lives is followed before the host is looked at again: an end in between is not missed. */
static void follow(struct session *session)
{
	struct report *report;

	session_survey(session, SURVEY_SOCKETS | SURVEY_PROCESSES);
	report = model_report(session_model(session), REPORT_AUDIT);
	if (report)
		session_follow(session, report);
	report_free(report);
	session_survey(session, SURVEY_ALL);
}

int verb_verify(const struct options *options)
{
	struct session *session = NULL;
	struct fail why = { 0 };
	int code = EXIT_UNKNOWN;

	if (options->replay)
		return common_replay(options, false, "verify");
	if (interrupt_install() < 0 || session_open(options, &session, &why) < 0) {
		message_fail(&why);
		return EXIT_UNKNOWN;
	}
	if (baseline_take(options, session, &why) < 0) {
		message_fail(&why);
		goto out;
	}
	follow(session);
	code = waiting_report(options, session, NULL, REPORT_VERIFY);
out:
	return common_end(session, code);
}
