/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/protect_daemon.h"
#include "cli/protecting.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "cli/verbs.h"

static int protect(const struct options *options, struct session *session,
		   struct treatment *treatment)
{
	struct report *audit = session_audit(session);
	int code;

	if (!audit) {
		log_message("audit: out of memory");
		return EXIT_UNKNOWN;
	}
	if (!treat_knows_pid(options, audit)) {
		code = EXIT_WRONG_USE;
	} else {
		code = protecting_act(options, session, audit, treatment);
		if (!code)
			code = treat_report(options, session, REPORT_PROTECT);
	}
	report_free(audit);
	return code;
}

int verb_protect(const struct options *options)
{
	struct session *session = NULL;
	struct treatment treatment;
	int code;

	if (options->daemon)
		return treat_may_act(options) ? protect_daemon(options) : EXIT_WRONG_USE;
	code = treatment_open(options, false, &treatment, &session);
	if (code)
		return code;
	code = protect(options, session, &treatment);
	code = treatment_end(&treatment, code);
	return session_end(session, code);
}
