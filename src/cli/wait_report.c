/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/wait_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/now.h"
#include "cli/child.h"
#include "cli/exit_codes.h"
#include "cli/holding.h"
#include "cli/guard.h"
#include "cli/kept_report.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/event_loop.h"
#include "base/error.h"
#include "model/finding_table.h"
#include "show/screen/progress.h"
#include "show/units.h"

struct progress {
	struct session *session;
	enum report_kind kind;
	bool quiet;
	size_t failed; /* starts of the agent that were told */
	bool terminal; /* the line is redrawn in place; else a new line at intervals */
	int64_t shown;
	int64_t every;
	const struct guard *guard;
};

/* Nothing is to be told while a guard waits for somebody else. */
#define GUARDED (3600 * NS_PER_S)

/* One line a minute in a log, one a second on a terminal. */
static struct progress progress_begin(struct session *session, enum report_kind kind)
{
	bool terminal = isatty(STDERR_FILENO);

	return (struct progress){ .session = session,
				  .kind = kind,
				  .terminal = terminal,
				  .every = terminal ? NS_PER_S : 60 * NS_PER_S };
}

static void tell_failure(const struct report *report)
{
	const struct report_clock *clock = &report->clocks[0];
	char at[UNITS_MAX], until[UNITS_MAX];

	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, finding_id(FINDING_RECOVERY_FAILED)) == 0)
			log_message("%s: %s %s", report->findings[i].id,
				    report->findings[i].evidence, report->findings[i].cure);
	if (clock->deadline)
		log_message("the first executor ends itself %s (%s)",
			    units_until(clock->deadline, report->generated, until),
			    units_clock(clock->deadline, at));
}

/* An agent that has just ended within its recovery is told at once: the executors' clocks run. */
static void failed_starts_tell(struct progress *p)
{
	int32_t pid;
	uint64_t start;
	size_t n = model_failed_starts(session_model(p->session), &pid, &start);
	bool is_new = n > p->failed;
	struct report *report;

	p->failed = n;
	if (!is_new)
		return;
	session_agent_log(p->session, pid, start);
	session_glance(p->session);
	report = model_report(session_model(p->session), p->kind);
	if (report)
		tell_failure(report);
	report_free(report);
}

static bool progress_show(void *ctx)
{
	struct progress *p = ctx;
	struct report *report;
	int64_t now = now_mono();

	failed_starts_tell(p);
	if (p->quiet)
		return true;
	if (p->shown && now - p->shown < (guard_waits(p->guard) ? GUARDED : 0) + p->every)
		return true;
	p->shown = now;
	session_glance(p->session);
	report = model_report(session_model(p->session), p->kind);
	if (report && p->terminal)
		progress_draw(stderr, report, output_width());
	else if (report)
		progress_write(stderr, report);
	report_free(report);
	return true;
}

/*
 * The final judgement uses a scan of the host, not only events. If the agent's restart begins
 * during that scan, watching goes on.
 */
static int watch(struct event_loop *window, enum event_loop_end *end, struct error *error)
{
	struct session *session = window->session;
	int64_t next;
	int err;

	do {
		err = event_loop_run(window, end, error);
		if (err < 0)
			return err;
		session_scan(session, SCAN_ALL & ~SCAN_TRACKING);
		session_dispatch(session);
		session_glance(session);
	} while (*end == LOOP_DONE && !model_done(session_model(session), window->until, &next));
	return 0;
}

static void post_mortem(struct session *session, enum report_kind kind)
{
	struct report *report;

	session_glance(session);
	report = model_report(session_model(session), kind);
	if (report)
		session_post_mortem(session, report);
	report_free(report);
}

int wait_report(const struct options *options, struct session *session, struct child *command,
		struct guard *guard, enum report_kind kind, struct kept_report *kept)
{
	struct progress progress = progress_begin(session, kind);
	struct hold_later later = { .options = options, .session = session };
	struct event_loop window = {
		.session = session,
		.until = options->until,
		.until_ns = options->until_ns,
		.scope = SCAN_SOCKETS | SCAN_PROCESSES,
		.command = command,
		.guard = guard,
		.hung_up = kept ? kept_report_hung_up : NULL,
		.hung_up_ctx = kept,
		.tick = options->hold_at ? hold_later_tick : NULL,
		.tick_ctx = &later,
		.show = progress_show,
		.ctx = &progress,
	};
	struct fact_sink sink = session_sink(session);
	struct fact_now now = { 0 };
	struct report *report;
	enum event_loop_end end;
	struct error error = { 0 };
	int code;

	progress.guard = command ? NULL : guard;
	progress.quiet = options->quiet;
	code = watch(&window, &end, &error);
	guard_stop(guard); /* it takes time to make and to write the report */
	hold_later_end(&later);
	if (code < 0) {
		log_error(&error);
		return EXIT_UNKNOWN;
	}
	if (command)
		child_ended(command, &sink); /* if it has just done so */
	if (!options->quiet && progress.terminal)
		progress_clear(stderr);
	post_mortem(session, kind);
	now.interrupted = end == LOOP_INTERRUPTED;
	now.final = end != LOOP_INTERRUPTED;
	report = session_report(session, kind, &now);
	if (command && command->pid)
		log_message("the command (pid %d) still runs; it was left alone", command->pid);
	code = kept ? kept_report_end(kept, report) : output_report(options, report);
	report_free(report);
	return later.failed && code < EXIT_LOST ? EXIT_UNKNOWN : code;
}
