/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/treat.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "act/lock.h"
#include "act/shutdown.h"
#include "base/error.h"
#include "base/now.h"
#include "cli/acts_left.h"
#include "cli/confirm.h"
#include "cli/exit_codes.h"
#include "cli/guard_left.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "show/format.h"

bool treat_may_act(const struct options *options)
{
	if (options->replay) {
		log_message("'%s' acts on this host; a recording can be audited, verified or "
			    "reported",
			    options->verb->name);
		return false;
	}
	if (options->yes || options->dry_run || confirm_possible())
		return true;
	log_message(
		"'%s' acts on running executors and there is no terminal to ask: give --yes, or "
		"--dry-run to see what it would do",
		options->verb->name);
	return false;
}

int treat_ask(const char *question)
{
	enum answer answer = confirm(question, interrupt_fd());

	if (answer == ANSWER_YES)
		return 0;
	log_message(answer == ANSWER_INTERRUPTED ? "interrupted; nothing was done"
						 : "nothing was done");
	return answer == ANSWER_INTERRUPTED ? EXIT_UNKNOWN : EXIT_ATTENTION;
}

bool treat_knows_pid(const struct options *options, const struct report *audit)
{
	if (!options->choice.pid)
		return true;
	for (size_t i = 0; i < audit->n_executors; i++)
		if (audit->executors[i].pid == options->choice.pid)
			return true;
	log_message("process %d is no executor of the agent on port %u; 'execwatch audit' lists "
		    "them",
		    options->choice.pid, options->port);
	return false;
}

/* ---- the audit before the act ---- */

/* True while the wait makes sense: what is unknown now may be known once the agent has recovered.
 */
static bool recovery_decides(const struct report *audit)
{
	return audit->verdicts[VERDICT_UNKNOWN] && audit->agent.recovered_by;
}

/* Waits until the agent serves, its recovery must be over, or Ctrl-C. */
static void recovery_wait(struct session *session, int64_t until_wall)
{
	struct pollfd interrupt = { .fd = interrupt_fd(), .events = POLLIN };

	log_message("the agent has not finished its recovery: waiting %lld s at most until the "
		    "executors can be judged",
		    (long long)((until_wall - now_wall()) / NS_PER_S + 1));
	while (!model_agent_serves(session_model(session)) && now_wall() < until_wall) {
		if (poll(&interrupt, 1, 500) > 0)
			return;
		session_scan(session, SCAN_API);
		session_dispatch(session);
		session_glance(session);
	}
}

struct report *treat_audit(struct session *session, bool wait)
{
	struct fact_sink sink = session_sink(session);
	struct report *audit = session_audit(session);

	if (audit && wait && recovery_decides(audit)) {
		recovery_wait(session, audit->agent.recovered_by + NS_PER_S);
		report_free(audit);
		audit = session_audit(session);
		if (audit && recovery_decides(audit))
			log_message("as far as is known the agent still has not finished its "
				    "recovery: audit again later");
	}
	if (!audit) {
		log_message("audit: out of memory");
		return NULL;
	}
	session_follow(session, audit);
	model_baseline(audit, &sink);
	return audit;
}

/* ---- the act ---- */

static void progress(void *ctx, size_t done, size_t n)
{
	const struct options *options = ctx;

	if (!options->quiet && isatty(STDERR_FILENO))
		fprintf(stderr, "\rexecwatch: %zu of %zu links%s", done, n, done == n ? "\n" : "");
}

struct shutdown_target *treat_targets(const struct model_target *from, size_t n,
				      enum inject_method method, int lock)
{
	struct shutdown_target *to = calloc(n ? n : 1, sizeof(*to));

	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct shutdown_target){
			.executor_id = from[i].executor_id,
			.framework_id = from[i].framework_id,
			.forbidden = from[i].forbidden,
			.changed = from[i].changed,
			.request = {
				.pid = from[i].pid,
				.start = from[i].start,
				.fd = from[i].fd,
				.inode = from[i].inode,
				.cookie = from[i].cookie,
				.method = method,
				.claims = lock,
			},
		};
	return to;
}

/* Returns 0 also when the log failed after something was begun: told_only is set then. */
static int treat(const struct options *options, struct session *session, const struct report *audit,
		 const struct model_target *chosen, size_t n, struct treatment *treatment,
		 struct error *error)
{
	struct shutdown_options how = {
		.agent_pid = audit->agent.pid,
		.agent_start = audit->agent.start,
		.dry_run = options->dry_run,
		.stop = interrupt_count(),
		.progress = progress,
		.ctx = (void *)options,
	};
	struct fact_sink sink = session_sink(session);
	struct shutdown_target *targets =
		treat_targets(chosen, n, options->method, options->dry_run ? 0 : treatment->lock);
	struct audit_log *log = NULL;
	size_t begun = 0;
	int err = targets ? 0 : error_set(error, -ENOMEM, NULL, "treat %zu links", n);

	if (!err && !options->dry_run)
		err = audit_log_open(options->state_dir, &log, error);
	if (!err)
		err = act_shutdown(targets, n, &how, log, &sink, &begun, error);
	audit_log_close(log);
	free(targets);
	treatment->told_only = err && begun;
	return begun ? 0 : err;
}

static size_t allowed(const struct model_target *targets, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !targets[i].forbidden && !targets[i].changed;
	return count;
}

static void changes_tell(const struct model_target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (targets[i].changed)
			log_message("%s is left alone: %s", targets[i].executor_id,
				    targets[i].changed);
}

/* Returns 0, or the exit code to end with. */
static int ask(const struct options *options, const struct model_target *targets, size_t n,
	       const char *question)
{
	int code = output_plan(options, targets, n, false);

	return code ? code : treat_ask(question);
}

/* The node may have changed while the question stood. *ret, to be freed, has the texts. */
static int plan_renew(const struct options *options, struct session *session,
		      const struct report *audit, struct model_target *targets, size_t n,
		      struct report **ret)
{
	size_t was = allowed(targets, n);

	*ret = session_audit(session);
	if (!*ret || model_plan_check(audit, &options->choice, *ret, targets, n) < 0) {
		log_message("look at the node again: out of memory; nothing was done");
		return EXIT_UNKNOWN;
	}
	changes_tell(targets, n);
	if (allowed(targets, n) || !was)
		return 0;
	log_message("nothing was done: nothing is as it was planned; 'execwatch audit' shows the "
		    "node as it is now");
	return EXIT_ATTENTION;
}

static int treatment_begin(const struct options *options, struct treatment *treatment)
{
	struct error error = { 0 };
	int err;

	*treatment = (struct treatment){ .lock = -1 };
	if (options->dry_run)
		return 0;
	err = act_lock_take(options->run_dir, "acting", &treatment->lock, &error);
	if (!err) {
		claims_left_tell(treatment->lock);
		guard_left_tell(options);
		acts_left_tell(options);
		return 0;
	}
	log_error(&error);
	return err == -EBUSY ? EXIT_BUSY : EXIT_UNKNOWN;
}

int treatment_open(const struct options *options, bool survive_hangup, struct treatment *treatment,
		   struct session **session)
{
	struct error error = { 0 };
	int code = treat_may_act(options) ? treatment_begin(options, treatment) : EXIT_WRONG_USE;

	if (code)
		return code;
	if (interrupt_install(survive_hangup, &error) == 0 &&
	    session_open(options, session, &error) == 0)
		return 0;
	log_error(&error);
	return treatment_end(treatment, EXIT_UNKNOWN);
}

int treatment_end(struct treatment *treatment, int code)
{
	if (treatment->lock >= 0)
		close(treatment->lock);
	treatment->lock = -1;
	return treatment->told_only && code < EXIT_LOST ? EXIT_UNKNOWN : code;
}

int treat_links(const struct options *options, struct session *session, const struct report *audit,
		const char *question, struct treatment *treatment)
{
	struct model_target *targets;
	struct report *now = NULL;
	struct error error = { 0 };
	int code = 0;
	size_t n;

	if (model_select(audit, &options->choice, &targets, &n) < 0) {
		log_message("choose what to treat: out of memory");
		return EXIT_UNKNOWN;
	}
	if (options->dry_run)
		code = output_plan(options, targets, n, false);
	else if (!options->yes && allowed(targets, n))
		code = ask(options, targets, n, question);
	treatment->asked = !code && !options->dry_run && !options->yes && allowed(targets, n);
	if (!code && !options->dry_run && !options->yes)
		code = plan_renew(options, session, audit, targets, n, &now);
	if (!code && n && treat(options, session, audit, targets, n, treatment, &error) < 0)
		code = EXIT_UNKNOWN;
	if (error.code)
		log_error(&error);
	if (treatment->told_only)
		log_message("no further link was treated; the report tells what was done");
	report_free(now);
	free(targets);
	return code;
}

/* ---- what people and scripts are shown ---- */

void treat_show_audit(const struct options *options, const struct report *audit)
{
	if (!options->format->text)
		return;
	output_report(options, audit);
	putchar('\n');
	fflush(stdout);
}

int treat_report(const struct options *options, struct session *session, enum report_kind kind)
{
	struct fact_now now = { .interrupted = *interrupt_count() > 0 };
	struct report *report;
	int code;

	session_scan(session, SCAN_TRACKING);
	report = session_report(session, kind, &now);
	/* People have been shown the plan: there is nothing else to tell. */
	code = options->dry_run && options->format->text && report ? report->exit_code
								   : output_report(options, report);
	report_free(report);
	return code;
}
