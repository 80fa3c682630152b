/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "cli/baseline.h"
#include "cli/replay.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/time_bound.h"
#include "cli/verbs.h"
#include "base/error.h"
#include "show/format.h"
#include "show/json/json_report.h"

/* The same document is shown and kept: with many executors, making it is a tenth of the whole. */
static int tell(const struct options *options, const struct session *session,
		const struct report *report)
{
	size_t len = 0;
	char *document = report ? json_report_text(report, &len) : NULL;
	int code;

	time_bound_write(options->bound);
	code = document && options->format->baseline
		       ? output_document(document, len, report->exit_code)
		       : output_report(options, document ? report : NULL);
	time_bound_step(options->bound, "the baseline in '%s'", options->state_dir);
	time_bound_written(options->bound);
	if (document && !baseline_document_save(options, session, report, document, len))
		code = EXIT_UNKNOWN;
	free(document);
	return code;
}

int verb_audit(const struct options *options)
{
	struct session *session;
	struct report *report;
	struct error error = { 0 };
	int code;

	if (options->replay)
		return replay_report(options, true, "audit");
	if (session_open(options, &session, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	report = session_audit(session);
	if (report && options->keep)
		session_follow(session, report);
	code = tell(options, session, report);
	report_free(report);
	return session_end(session, code);
}
