/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/lock.h"
#include "act/audit_log.h"
#include "act/shutdown.h"
#include "cli/confirm.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "base/error.h"
#include "record/baseline.h"
#include "show/json/json_report.h"

bool common_may_act(const struct options *options)
{
	if (options->yes || options->dry_run || confirm_possible())
		return true;
	log_message(
		"'%s' acts on running executors and there is no terminal to ask: give --yes, or "
		"--dry-run to see what it would do",
		options->verb->name);
	return false;
}

bool common_document_save(const struct options *options, const struct session *session,
			  const char *document, size_t len)
{
	struct error error = { 0 };
	char path[4096];

	/* Only the last part is ours to make: a mistyped path leaves no directories behind. */
	if (mkdir(options->state_dir, 0700) < 0 && errno != EEXIST)
		error_set(&error, -errno, "choose a place with --state-dir", "make '%s'",
			  options->state_dir);
	if (error.code)
		log_warning_without(&error);
	else if (baseline_path(options->state_dir, session_boot_id(session), options->port, path,
			       sizeof(path)) < 0 ||
		 baseline_save(path, document, len, &error) < 0)
		log_warning_without(&error);
	if (!options->baseline || baseline_save(options->baseline, document, len, &error) == 0)
		return true;
	log_error(&error);
	return false;
}

bool common_baseline_save(const struct options *options, const struct session *session,
			  const struct report *report)
{
	size_t len;
	char *document = json_report_text(report, &len);
	bool saved = document && common_document_save(options, session, document, len);

	if (!document)
		log_message("save the baseline: out of memory");
	free(document);
	return saved;
}

int common_end(struct session *session, int code)
{
	return session_close(session) ? code : EXIT_UNKNOWN;
}

static enum report_kind kind_of(const char *verb)
{
	if (strcmp(verb, "run") == 0)
		return REPORT_RUN;
	if (strcmp(verb, "verify") == 0)
		return REPORT_VERIFY;
	return strcmp(verb, "shutdown") == 0 ? REPORT_SHUTDOWN : REPORT_AUDIT;
}

int common_replay(const struct options *options, bool first_only, const char *verb)
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
	return common_end(session, code);
}

struct report *common_audit(struct session *session)
{
	struct fact_sink sink = session_sink(session);
	struct report *audit = session_audit(session);

	if (!audit) {
		log_message("audit: out of memory");
		return NULL;
	}
	session_follow(session, audit);
	model_baseline(audit, &sink);
	return audit;
}

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

int common_shutdown(const struct options *options, struct session *session,
		    const struct report *audit, const char *question, int *held)
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
