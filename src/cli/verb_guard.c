/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>

#include "act/shutdown.h"
#include "base/error.h"
#include "cli/baseline.h"
#include "cli/exit_codes.h"
#include "cli/guard.h"
#include "cli/kept_report.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "cli/verbs.h"
#include "cli/wait_report.h"
#include "show/format.h"

#define QUESTION "Stand by, and treat the links that do not notice the agent's end?"

/* What would be treated if nobody noticed the agent's end. Returns the exit code. */
static int dry_run(const struct options *options, struct session *session,
		   const struct report *audit)
{
	const struct shutdown_options how = { .dry_run = true };
	struct fact_sink sink = session_sink(session);
	struct model_target *plan = NULL;
	struct shutdown_target *targets = NULL;
	struct error error = { 0 };
	struct report *report;
	size_t n = 0, begun;
	int code = EXIT_UNKNOWN;

	if (model_guard_plan(session_model(session), &plan, &n) == 0)
		targets = treat_targets(plan, n, options->method, 0);
	if (!targets) {
		log_message("arm the guard: out of memory");
		goto out;
	}
	log_message(
		"dry run: the guard would stand by for these links, and shut down those that do "
		"not notice the agent's end");
	if (output_plan(options, plan, n, true) != 0)
		goto out;
	code = audit->exit_code;
	if (options->format->text ||
	    act_shutdown(targets, n, &how, NULL, &sink, &begun, &error) < 0)
		goto out;
	report = session_report(session, REPORT_GUARD, &(struct fact_now){ 0 });
	code = output_report(options, report);
	report_free(report);
out:
	free(targets);
	free(plan);
	return code;
}

/* The node may have changed while the question stood. True: the agent is the same process. */
static bool look_again(struct session *session, const struct report *audit)
{
	struct report *now = session_audit(session);
	bool same =
		now && now->agent.pid == audit->agent.pid && now->agent.start == audit->agent.start;

	if (!now)
		log_message("audit: out of memory; nothing was done");
	else if (!same)
		log_message("the agent is another process than before the question; nothing was "
			    "done");
	report_free(now);
	return same;
}

/* Returns 0, or the exit code to end with. */
static int arm(const struct options *options, struct session *session, const struct report *audit,
	       int lock, struct guard **guard)
{
	struct error error = { 0 };
	int code = options->yes ? 0 : treat_ask(QUESTION);

	if (code)
		return code;
	if (!options->yes && !look_again(session, audit))
		return EXIT_ATTENTION;
	if (guard_arm(options, session, audit, lock, guard, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	log_message("the guard is armed for %zu links and waits for the end of the agent (pid %d); "
		    "Ctrl-C disarms it",
		    guard_links(*guard), audit->agent.pid);
	return 0;
}

static int stand_by(const struct options *options, struct session *session,
		    const struct report *audit, int lock)
{
	struct kept_report kept;
	struct guard *guard = NULL;
	int code = arm(options, session, audit, lock, &guard);

	if (code)
		return code;
	kept_report_begin(&kept, options);
	code = wait_report(options, session, NULL, guard, REPORT_GUARD, &kept);
	if (guard_waits(guard))
		log_message("the guard is disarmed; nothing was treated");
	if (!guard_disarm(guard) && code < EXIT_LOST)
		code = EXIT_UNKNOWN;
	return code;
}

int verb_guard(const struct options *options)
{
	struct session *session = NULL;
	struct report *audit = NULL;
	struct treatment treatment;
	int code;

	code = treatment_open(options, true, &treatment, &session);
	if (code)
		return code;
	code = EXIT_UNKNOWN;
	audit = treat_audit(session, true);
	if (!audit)
		goto out;
	treat_show_audit(options, audit);
	baseline_report_save(options, session, audit);
	code = options->dry_run ? dry_run(options, session, audit)
				: stand_by(options, session, audit, treatment.lock);
out:
	report_free(audit);
	code = treatment_end(&treatment, code);
	return session_end(session, code);
}
