/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/common.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait_report.h"
#include "base/error.h"

#define QUESTION "Treat these links and run the command now?"

static void show_audit(const struct options *options, const struct report *audit)
{
	size_t n = audit->verdicts[VERDICT_NO_CHECKPOINT] + audit->verdicts[VERDICT_UNREGISTERED];

	/* The table says itself what a restart loses whatever is done. */
	if (options->format == FORMAT_TABLE) {
		output_report(options, audit);
		putchar('\n');
		fflush(stdout);
	} else if (n) {
		log_message("%zu of %zu executors %s lost by a restart whatever is done; see "
			    "'execwatch audit'",
			    n, audit->n_executors - audit->verdicts[VERDICT_FOREIGN],
			    n == 1 ? "is" : "are");
	}
}

/* A command that cannot be started leaves treated executors with their clocks running: say so. */
static int window_open(const struct options *options, struct session *session)
{
	struct fact_sink sink = session_sink(session);
	struct child command;
	struct error error = { 0 };
	int code;

	/* A document on standard output stays one, whatever the command prints. */
	if (child_start(&command, options->command, options->format != FORMAT_TABLE, &sink,
			&error) < 0) {
		log_error(&error);
		log_message(
			"the executors are watched all the same: restart the agent by other means, "
			"or press Ctrl-C");
	}
	code = wait_report(options, session, command.pid ? &command : NULL, REPORT_RUN);
	if (command.status > 0)
		log_message(WIFEXITED(command.status) ? "the command ended with exit status %d"
						      : "the command was ended by signal %d",
			    WIFEXITED(command.status) ? WEXITSTATUS(command.status)
						      : WTERMSIG(command.status));
	child_free(&command);
	return code;
}

int verb_run(const struct options *options)
{
	struct session *session = NULL;
	struct report *audit = NULL;
	struct error error = { 0 };
	int held = -1, code = EXIT_UNKNOWN;

	if (options->replay)
		return verb_report(options);
	if (!common_may_act(options))
		return EXIT_WRONG_USE;
	if (interrupt_install() < 0 || session_open(options, &session, &error) < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	audit = common_audit(session);
	if (!audit)
		goto out;
	show_audit(options, audit);
	common_baseline_save(options, session, audit);
	code = common_shutdown(options, session, audit, QUESTION, &held);
	if (code)
		goto out;
	if (*interrupt_count() > 0) {
		log_message(
			"interrupted before the command was started; treated executors wait for "
			"the agent's restart");
		code = EXIT_UNKNOWN;
	} else if (options->dry_run) {
		code = audit->exit_code;
	} else {
		code = window_open(options, session);
	}
out:
	report_free(audit);
	if (held >= 0)
		close(held);
	return common_end(session, code);
}
