/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/baseline.h"
#include "cli/child.h"
#include "cli/guard.h"
#include "cli/treat.h"
#include "cli/exit_codes.h"
#include "cli/kept_report.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verbs.h"
#include "cli/wait_report.h"
#include "base/error.h"
#include "base/now.h"
#include "model/gate.h"
#include "model/verdict_table.h"
#include "show/format.h"

/* How long a gate that unknown executors keep shut is looked at again. */
#define GATE_PATIENCE (5 * NS_PER_S)

#define QUESTION "Treat these links and run the command now?"
#define GUARD_QUESTION                                                                             \
	"Run the command now, and treat the links that do not notice the agent's end?"

/* A command that cannot be started leaves treated executors with their clocks running: say so. */
static int window_open(const struct options *options, struct session *session, struct guard *guard,
		       struct kept_report *kept)
{
	struct fact_sink sink = session_sink(session);
	struct child command;
	struct error error = { 0 };
	int code;

	/* A document on standard output stays one, whatever the command prints. */
	if (child_start(&command, options->command, !options->format->text, &sink, &error) < 0) {
		log_error(&error);
		log_message(
			"the executors are watched all the same: restart the agent by other means, "
			"or press Ctrl-C");
	}
	kept->command = &command.pid;
	code = wait_report(options, session, command.pid ? &command : NULL, guard, REPORT_RUN,
			   kept);
	kept->command = NULL;
	if (command.status > 0)
		log_message(WIFEXITED(command.status) ? "the command ended with exit status %d"
						      : "the command was ended by signal %d",
			    WIFEXITED(command.status) ? WEXITSTATUS(command.status)
						      : WTERMSIG(command.status));
	child_free(&command);
	return code;
}

/* Names what keeps the gate shut: verdicts by number, findings by id. */
static void gate_explain(const struct gate *gate, const struct report *audit)
{
	log_message("the command was not started, and the agent was not restarted:");
	if (gate->blind)
		log_message("  no agent and no executor of it was found, or this host could not be "
			    "read");
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (gate->verdicts & 1u << v)
			log_message("  %zu %s; --accept %s lets the restart lose %s",
				    audit->verdicts[v], verdict_name((enum verdict)v),
				    verdict_name((enum verdict)v),
				    audit->verdicts[v] == 1 ? "it" : "them");
	for (size_t i = 0; i < audit->n_findings; i++)
		if (finding_weight(&audit->findings[i]) == SEVERITY_CRITICAL)
			log_message("  %s: %s --ignore %s lets the restart begin all the same",
				    audit->findings[i].id, audit->findings[i].evidence,
				    audit->findings[i].id);
}

/* What does not keep the gate shut is told before the command starts. */
static void gate_warn(const struct report *audit)
{
	for (size_t i = 0; i < audit->n_findings; i++)
		if (finding_weight(&audit->findings[i]) == SEVERITY_WARNING)
			log_message("warning: %s: %s %s", audit->findings[i].id,
				    audit->findings[i].evidence, audit->findings[i].effect);
}

/* Ends a run whose command is not started; returns the exit code. */
static int gate_refuse(const struct gate *gate, const struct report *audit, struct session *session,
		       struct kept_report *kept)
{
	struct report *last;
	int code;

	gate_explain(gate, audit);
	last = session_report(session, REPORT_RUN, &(struct fact_now){ .final = true });
	if (last)
		last->exit_code = gate_exit_code(gate);
	code = kept_report_end(kept, last);
	report_free(last);
	return code;
}

/*
 * Looks at the node as it stands now. A v1 executor that has just dropped its links subscribes
 * again within its backoff, so a gate that unknown executors keep shut is tried again for some
 * seconds. True: open; else *code is that of the run.
 */
static bool gate_passes(uint32_t accepted, bool guarded, struct session *session,
			struct kept_report *kept, int *code)
{
	struct pollfd interrupt = { .fd = interrupt_fd(), .events = POLLIN };
	int64_t bound = now_mono() + GATE_PATIENCE;
	struct report *audit = NULL;
	struct gate gate;

	do {
		report_free(audit);
		audit = session_audit(session);
		if (!audit) {
			log_message("audit: out of memory; the command was not started");
			*code = EXIT_UNKNOWN;
			return false;
		}
		gate = gate_judge(audit, accepted, guarded);
	} while (!gate.open && gate.unknown && now_mono() < bound && poll(&interrupt, 1, 500) == 0);
	if (gate.open)
		gate_warn(audit);
	else
		*code = gate_refuse(&gate, audit, session, kept);
	report_free(audit);
	return gate.open;
}

/*
 * Would the gate open if every treatment succeeded? If not, nothing is treated, since a treatment
 * starts an executor's clock and the restart that has to follow would not come. What the guard will
 * cover counts as treated.
 */
static bool treatment_makes_sense(const struct options *options, const struct report *audit,
				  struct session *session, struct kept_report *kept, int *code)
{
	bool guarded = options->treat != TREAT_BEFORE && guard_is_possible(session, audit);
	uint32_t accepted = options->accepted;

	for (int v = 0; v < VERDICT_COUNT; v++)
		if (verdict_effect((enum verdict)v) == EFFECT_LOST_UNTREATED)
			accepted |= 1u << v;
	return options->dry_run || gate_judge(audit, accepted, guarded).open ||
	       gate_passes(accepted, guarded, session, kept, code);
}

/* What was done is told at once when the log cannot tell it: the deadlines count from now. */
static void tell_acts(const struct options *options, struct session *session)
{
	struct report *report;

	if (!options->format->text)
		return;
	session_scan(session, SCAN_TRACKING);
	report = session_report(session, REPORT_SHUTDOWN, &(struct fact_now){ 0 });
	output_report(options, report);
	report_free(report);
	putchar('\n');
	fflush(stdout);
}

/* Returns 0, or the exit code to end with. */
static int treat_before(const struct options *options, struct session *session,
			const struct report *audit, struct treatment *treatment,
			struct kept_report *kept)
{
	int code = 0;

	if (options->treat == TREAT_GUARD) {
		if (options->dry_run)
			log_message("--treat guard: nothing is treated before the agent ends");
		return 0;
	}
	if (!treatment_makes_sense(options, audit, session, kept, &code))
		return code;
	code = treat_links(options, session, audit, QUESTION, treatment);
	if (!code && treatment->told_only)
		tell_acts(options, session);
	return code;
}

/*
 * Without a guard the gate decides as for --treat before. Returns 0, or the exit code to end with
 * after a "no".
 */
static int guard_begin(const struct options *options, struct session *session,
		       const struct report *audit, const struct treatment *treatment,
		       struct guard **guard)
{
	struct error error = { 0 };
	int code = 0;

	if (options->treat == TREAT_BEFORE || options->dry_run)
		return 0;
	/* Before it is armed: from then on it acts. */
	if (guard_is_possible(session, audit) && !options->yes && !treatment->asked)
		code = treat_ask(GUARD_QUESTION);
	if (!code && guard_arm(options, session, audit, treatment->lock, guard, &error) < 0)
		log_warning_without(&error);
	return code;
}

/* People have been shown the audit and the plan, unless the reader got nothing. */
static int dry_run_end(const struct options *options, struct session *session,
		       const struct report *audit)
{
	if (options->format->text)
		return ferror(stdout) ? EXIT_UNKNOWN : audit->exit_code;
	return treat_report(options, session, REPORT_RUN);
}

/* What follows the treatment. Returns the exit code. */
static int restart(const struct options *options, struct session *session, struct guard *guard,
		   const struct report *audit, struct kept_report *kept)
{
	int code;

	if (*interrupt_count() > 0) {
		log_message(
			"interrupted before the command was started; treated executors wait for "
			"the agent's restart");
		return EXIT_UNKNOWN;
	}
	if (options->dry_run)
		return dry_run_end(options, session, audit);
	if (gate_passes(options->accepted, guard != NULL, session, kept, &code))
		code = window_open(options, session, guard, kept);
	return code;
}

int verb_run(const struct options *options)
{
	struct session *session = NULL;
	struct report *audit = NULL;
	struct treatment treatment;
	struct kept_report kept;
	struct guard *guard = NULL;
	int code;

	if (options->replay)
		return verb_report(options);
	code = treatment_open(options, true, &treatment, &session);
	if (code)
		return code;
	code = EXIT_UNKNOWN;
	kept_report_begin(&kept, options);
	audit = treat_audit(session, true);
	if (!audit)
		goto out;
	treat_show_audit(options, audit);
	baseline_report_save(options, session, audit);
	code = treat_before(options, session, audit, &treatment, &kept);
	if (!code)
		code = guard_begin(options, session, audit, &treatment, &guard);
	if (!code)
		code = restart(options, session, guard, audit, &kept);
	treatment.told_only |= !guard_disarm(guard);
out:
	report_free(audit);
	code = treatment_end(&treatment, code);
	return session_end(session, code);
}
