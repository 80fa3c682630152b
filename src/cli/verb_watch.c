/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/now.h"
#include "cli/exit_codes.h"
#include "cli/interrupt.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/own_traffic.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "cli/verbs.h"
#include "cli/event_loop.h"
#include "base/error.h"
#include "show/format.h"
#include "show/json/watch_jsonl.h"
#include "show/screen/watch_screen.h"

/* On a terminal the table, else lines; each fact is passed to the one that is used. */
struct live {
	const struct options *options;
	struct session *session;
	struct watch_jsonl *lines;
	struct watch_screen *screen;
	struct own_traffic own;
	struct fact_sink shown_to;
	int64_t shown;	/* when a report was shown last, mono ns */
	bool changed;	/* a fact has come since */
	bool is_moving; /* what it said may change by time alone, at any moment */
	int err;
};

/* How often a report is made: at most, and for lines where nothing has come and no clock runs. */
#define SHOW_EVERY NS_PER_S
#define SHOW_QUIET (10 * NS_PER_S)

static int rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row : 24;
}

static int lines_write(struct live *live, const struct report *report)
{
	size_t next = 0;
	int ret;

	while ((ret = watch_jsonl_report(live->lines, report, &next)) > 0)
		session_poll_throttled(live->session);
	return ret;
}

static int draw(struct live *live, const struct report *report)
{
	struct layout table = output_layout(live->options);

	return live->lines ? lines_write(live, report)
			   : watch_screen_draw(live->screen, report, rows(), &table);
}

/* Lines may be rare: a pipe without a reader is noticed before the next write. */
static bool reader_gone(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

static bool has_clock(const struct report_executor *executors, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (executors[i].deadline || executors[i].ends_by ||
		    executors[i].outcome == OUTCOME_WAITING)
			return true;
	return false;
}

/* An agent recovers or is away, or an executor waits for it. */
static bool is_moving(const struct report *report)
{
	return !report->agent.serving || has_clock(report->executors, report->n_executors) ||
	       has_clock(report->ended, report->n_ended);
}

/* With a thousand executors a report is what an idle watch costs most. A screen shows the time. */
static bool is_due(const struct live *live, int64_t now)
{
	bool often = live->screen || live->changed || live->is_moving;

	return !live->shown || now - live->shown >= (often ? SHOW_EVERY : SHOW_QUIET);
}

static void report_show(struct live *live, int64_t now)
{
	struct report *report;

	live->shown = now;
	live->changed = false;
	session_glance(live->session);
	report = model_report(session_model(live->session), REPORT_WATCH);
	live->is_moving = !report || is_moving(report);
	if (report && !live->err)
		live->err = draw(live, report);
	report_free(report);
}

static bool show(void *ctx)
{
	struct live *live = ctx;
	int64_t now = now_mono();

	if (is_due(live, now))
		report_show(live, now);
	if (!live->err && reader_gone())
		live->err = -EPIPE;
	return !live->err;
}

static int finish(struct live *live)
{
	struct fact_now now = { .final = true };
	struct report *report;
	int code = EXIT_UNKNOWN;

	session_scan(live->session, SCAN_TRACKING);
	report = session_report(live->session, REPORT_WATCH, &now);
	if (report && live->lines) {
		live->err = watch_jsonl_end(live->lines, report);
		code = report->exit_code;
	} else {
		if (live->screen)
			watch_screen_clear(live->screen);
		code = output_report(live->options, report);
	}
	report_free(report);
	if (!live->err)
		return code;
	log_message("write to standard output: %s", strerror(-live->err));
	return EXIT_UNKNOWN;
}

static bool live_open(struct live *live)
{
	if (live->options->format->events == EVENTS_SCREEN && isatty(STDOUT_FILENO))
		live->screen = watch_screen_new(stdout);
	else
		live->lines = watch_jsonl_new(stdout);
	return live->screen || live->lines;
}

static void show_event(void *ctx, const struct fact *fact)
{
	struct live *live = ctx;

	live->changed = true;
	if (!own_traffic_event(&live->own, fact))
		fact_emit(&live->shown_to, fact);
}

/* The end of a connection that the audit makes may be told when it is over. */
static void note_own(void *ctx, const struct fact *fact)
{
	struct live *live = ctx;

	own_traffic_event(&live->own, fact);
}

static int watch(struct live *live, struct error *error)
{
	struct event_loop window = {
		.session = live->session,
		.until = live->options->until,
		.until_ns = live->options->until_ns,
		.forever = !live->options->until_ns,
		.scope = SCAN_TRACKING, /* a verdict needs it */
		.show = show,
		.ctx = live,
	};
	enum event_loop_end end;

	live->shown_to =
		live->lines ? watch_jsonl_sink(live->lines) : watch_screen_sink(live->screen);
	session_listen(live->session, (struct fact_sink){ show_event, live });
	return event_loop_run(&window, &end, error);
}

static int watch_until_told(const struct options *options, struct error *error)
{
	struct live live = { .options = options };
	struct report *audit;
	int code = EXIT_UNKNOWN, err;

	err = session_open(options, &live.session, error);
	if (err)
		return err;
	if (!live_open(&live)) {
		log_message("begin to watch: out of memory");
		goto out;
	}
	live.own.pid = getpid();
	session_listen(live.session, (struct fact_sink){ note_own, &live });
	audit = treat_audit(live.session, false);
	if (!audit)
		goto out;
	report_free(audit); /* shown again by the first redraw */
	err = watch(&live, error);
	session_listen(live.session, (struct fact_sink){ 0 });
	if (!err)
		code = finish(&live);
	else
		log_error(error);
out:
	watch_jsonl_free(live.lines);
	watch_screen_free(live.screen);
	return session_end(live.session, code);
}

int verb_watch(const struct options *options)
{
	struct error error = { 0 };
	int code;

	if (options->replay) {
		log_message("'watch' looks at this host; a recording can be audited, verified or "
			    "reported");
		return EXIT_WRONG_USE;
	}
	code = interrupt_install(false, &error);
	if (code == 0)
		code = watch_until_told(options, &error);
	if (code >= 0)
		return code;
	log_error(&error);
	return EXIT_UNKNOWN;
}
