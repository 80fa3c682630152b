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
#include "cli/confirm.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

bool treat_may_act(const struct options *options)
{
	if (options->yes || options->dry_run || confirm_possible())
		return true;
	log_message(
		"'%s' acts on running executors and there is no terminal to ask: give --yes, or "
		"--dry-run to see what it would do",
		options->verb->name);
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

static struct shutdown_target *targets_convert(const struct model_target *from, size_t n,
					       enum inject_method method)
{
	struct shutdown_target *to = calloc(n ? n : 1, sizeof(*to));

	for (size_t i = 0; to && i < n; i++)
		to[i] = (struct shutdown_target){
			.executor_id = from[i].executor_id,
			.framework_id = from[i].framework_id,
			.forbidden = from[i].forbidden,
			.request = {
				.pid = from[i].pid,
				.start = from[i].start,
				.fd = from[i].fd,
				.inode = from[i].inode,
				.cookie = from[i].cookie,
				.method = method,
				.proof = INJECT_BY_VALUE,
			},
		};
	return to;
}

static int treat(const struct options *options, struct session *session,
		 const struct model_target *chosen, size_t n, struct error *error)
{
	struct shutdown_options how = {
		.dry_run = options->dry_run,
		.stop = interrupt_count(),
		.progress = progress,
		.ctx = (void *)options,
	};
	struct fact_sink sink = session_sink(session);
	struct shutdown_target *targets = targets_convert(chosen, n, options->method);
	struct audit_log *log = NULL;
	int err = targets ? 0 : error_set(error, -ENOMEM, NULL, "treat %zu links", n);

	if (!err && !options->dry_run)
		err = audit_log_open(options->state_dir, &log, error);
	if (!err)
		err = act_shutdown(targets, n, &how, log, &sink, error);
	audit_log_close(log);
	free(targets);
	return err;
}

static size_t allowed(const struct model_target *targets, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += !targets[i].forbidden;
	return count;
}

static bool agreed(const struct options *options, const struct model_target *targets, size_t n,
		   const char *question)
{
	if (options->yes || options->dry_run)
		return true;
	output_plan(options, targets, n);
	fflush(stdout);
	return confirm(question);
}

int treat_links(const struct options *options, struct session *session, const struct report *audit,
		const char *question, int *held)
{
	struct model_target *targets;
	struct error error = { 0 };
	int code = 0, err;
	size_t n;

	*held = -1;
	if (model_select(audit, &options->choice, &targets, &n) < 0) {
		log_message("choose what to treat: out of memory");
		return EXIT_UNKNOWN;
	}
	if (options->dry_run)
		output_plan(options, targets, n);
	if (allowed(targets, n) && !agreed(options, targets, n, question)) {
		log_message("nothing was done");
		code = EXIT_ATTENTION;
		goto out;
	}
	if (!options->dry_run) {
		err = act_lock_take(options->run_dir, "acting", held, &error);
		if (err) {
			log_error(&error);
			code = err == -EBUSY ? EXIT_BUSY : EXIT_UNKNOWN;
			goto out;
		}
	}
	if (n && treat(options, session, targets, n, &error) < 0) {
		log_error(&error);
		code = EXIT_UNKNOWN;
	}
out:
	free(targets);
	return code;
}
