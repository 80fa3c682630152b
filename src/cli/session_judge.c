/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A session's judgements: now, and of one look at the node. */
#include "cli/session_private.h"

#include <time.h>

#include "base/now.h"
#include "cli/options.h"
#include "model/verdict_table.h"
#include "cli/time_bound.h"
#include "observe/event_source.h"
#include "observe/scan.h"

void session_glance(struct session *s)
{
	struct fact fact = { .type = FACT_NOW, .mono = now_mono() };

	fact_emit(&s->to_model, &fact);
}

struct report *session_report(struct session *s, enum report_kind kind, const struct fact_now *now)
{
	struct fact_sink sink = session_sink(s);
	struct fact fact = { .type = FACT_NOW, .mono = now_mono(), .now = *now };

	if (s->events)
		event_source_counters(s->events, true, &sink);
	if (!s->options->replay)
		fact_emit(&sink, &fact);
	session_recording_flush(s);
	return model_report(s->model, kind);
}

/*
 * A change during a scan may be seen in part: one end of a link, an executor that has just begun
 * or ended. A second scan does not show the same. A missing entry of connection tracking is not
 * such a state.
 */
static bool may_be_of_a_moment(const struct report *report)
{
	for (int v = 0; v < VERDICT_COUNT; v++)
		if (report->verdicts[v] && verdict_is_passing((enum verdict)v))
			return true;
	return false;
}

/* An agent sees the end of an executor up to a second later (Mesos 3rdparty/libprocess reap.cpp).
 */
#define REAPED_NS (1500 * 1000 * 1000L)

static bool has_row_without_process(const struct report *report)
{
	for (size_t i = 0; i < report->n_executors; i++)
		if (!report->executors[i].pid)
			return true;
	return false;
}

static void wait_reaped(void)
{
	struct timespec left = { .tv_sec = REAPED_NS / 1000000000L,
				 .tv_nsec = REAPED_NS % 1000000000L };

	nanosleep(&left, NULL); /* a signal ends it */
}

/* A scan that is cut off would tell less than the one before it. */
static bool has_time_for(const struct session *s, int64_t ns)
{
	int64_t end = time_bound_scans(s->options->bound);

	return !end || now_mono() + ns < end;
}

struct report *session_audit(struct session *s)
{
	int64_t took = now_mono();
	struct report *report;

	session_scan(s, SCAN_ALL);
	took = now_mono() - took;
	session_glance(s);
	report = model_report(s->model, REPORT_AUDIT);
	if (report && has_row_without_process(report) && has_time_for(s, took + REAPED_NS))
		wait_reaped();
	if (report && may_be_of_a_moment(report) && has_time_for(s, took))
		session_scan(s, SCAN_ALL);
	report_free(report);
	return session_report(s, REPORT_AUDIT, &(struct fact_now){ 0 });
}
