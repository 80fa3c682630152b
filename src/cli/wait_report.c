/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/wait_report.h"

#include <stdio.h>
#include <unistd.h>

#include "base/now.h"
#include "cli/child.h"
#include "cli/exit_codes.h"
#include "cli/guard.h"
#include "cli/kept_report.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/event_loop.h"
#include "base/error.h"
#include "show/screen/progress.h"

struct progress {
	struct session *session;
	enum report_kind kind;
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

static bool progress_show(void *ctx)
{
	struct progress *p = ctx;
	struct report *report;
	int64_t now = now_mono();

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
	struct event_loop window = {
		.session = session,
		.until = options->until,
		.until_ns = options->until_ns,
		.scope = SCAN_SOCKETS | SCAN_PROCESSES,
		.command = command,
		.guard = guard,
		.hung_up = kept ? kept_report_hung_up : NULL,
		.hung_up_ctx = kept,
		.show = options->quiet ? NULL : progress_show,
		.ctx = &progress,
	};
	struct fact_sink sink = session_sink(session);
	struct fact_now now = { 0 };
	struct report *report;
	enum event_loop_end end;
	struct error error = { 0 };
	int code;

	progress.guard = command ? NULL : guard;
	if (watch(&window, &end, &error) < 0) {
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
	return code;
}
