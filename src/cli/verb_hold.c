/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/exit_codes.h"
#include "cli/holding.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "cli/verbs.h"

static int hold(const struct options *options, struct session *session, struct treatment *treatment)
{
	struct report *audit = session_audit(session);
	int code;

	if (!audit) {
		log_message("audit: out of memory");
		return EXIT_UNKNOWN;
	}
	code = treat_knows_pid(options, audit) ? 0 : EXIT_WRONG_USE;
	if (!code)
		code = holding_act(options, session, audit, treatment);
	if (!code)
		code = treat_report(options, session, REPORT_HOLD);
	report_free(audit);
	return code;
}

int verb_hold(const struct options *options)
{
	struct session *session = NULL;
	struct treatment treatment;
	int code;

	code = treatment_open(options, false, &treatment, &session);
	if (code)
		return code;
	code = hold(options, session, &treatment);
	code = treatment_end(&treatment, code);
	return session_end(session, code);
}
