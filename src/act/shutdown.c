/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/shutdown.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "act/act_report.h"
#include "act/shutdown_act.h"
#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"

/*
 * After each injection the effect is checked for the last RECENT targets, and for all from time to
 * time, such that this takes one part in SWEEP_SHARE of the time: an executor that is slow to close
 * its socket is seen to have closed it SWEEP_MIN late, or some times the length of a sweep.
 */
enum { RECENT = 8, SWEEP_SHARE = 8 };
#define SWEEP_MIN NS_PER_MS

/* The acts, and where the facts about them go. */
struct batch {
	struct shutdown_act *acts;
	size_t n;
	struct act_report report;
	int64_t next_sweep; /* when the effects of all are checked next */
};

static void batch_report(struct batch *batch, struct shutdown_act *act, const char *phase)
{
	struct fact fact = shutdown_act_fact(act, phase);

	act_report_write(&batch->report, &fact, true);
	act->reported = act->end.result != NULL;
}

/* Checks the targets of a range whose effect is awaited; returns how many still are. */
static size_t batch_check_effects(struct batch *batch, size_t from, size_t to)
{
	size_t open = 0;

	for (size_t i = from; i < to; i++) {
		struct shutdown_act *act = &batch->acts[i];

		if (!shutdown_act_is_open(act))
			continue;
		if (shutdown_act_check(act))
			batch_report(batch, act, "result");
		else
			open++;
	}
	return open;
}

/* After the injection of target i: at once, so that the time of the effect is measured closely. */
static void batch_check_begun(struct batch *batch, size_t i)
{
	int64_t began = now_mono(), took;

	if (began < batch->next_sweep) {
		batch_check_effects(batch, i < RECENT ? 0 : i - RECENT, i + 1);
		return;
	}
	batch_check_effects(batch, 0, i + 1);
	took = (now_mono() - began) * SWEEP_SHARE;
	batch->next_sweep = now_mono() + (took > SWEEP_MIN ? took : SWEEP_MIN);
}

/* The other connection of the same process, if it was shut down before; NULL: none was. */
static const struct shutdown_act *sibling_begun(const struct batch *batch,
						const struct shutdown_act *act)
{
	const struct inject_request *own = &act->asked->request;

	for (const struct shutdown_act *other = batch->acts; other < act; other++)
		if (other->begun && other->asked->request.pid == own->pid &&
		    other->asked->request.start == own->start)
			return other;
	return NULL;
}

static void batch_log_intents(struct batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->n && !batch->report.err; i++) {
		if (batch->acts[i].end.result || batch->acts[i].asked->injected)
			continue;
		batch_report(batch, &batch->acts[i], "intent");
		any = true;
	}
	if (any)
		act_report_sync(&batch->report);
}

/*
 * Nobody asks an executor to reconnect before the agent of the plan has ended: while that lives,
 * none has been asked since the plan was made.
 */
static bool agent_lives(const struct shutdown_options *options)
{
	return !options->agent_pid ||
	       proc_live_thread(options->agent_pid, options->agent_start) > 0;
}

/* Ends an act that must not be begun any more; false: it may be begun. */
static bool act_stop(struct shutdown_act *act, const struct batch *batch,
		     const struct shutdown_options *options)
{
	const char *refusal = options->refusal ? options->refusal(options->ctx, act->asked) : NULL;

	if (batch->report.err)
		act_result_set(&act->end, "skipped", "log-failed",
			       "the audit log could not be written");
	else if (options->stop && *options->stop)
		act_result_set(&act->end, "skipped", "interrupted",
			       "interrupted before it was begun");
	else if (!agent_lives(options))
		act_result_set(&act->end, "skipped", "agent-ended",
			       "the agent has ended since the audit: a new one may have asked the "
			       "executor to reconnect, and a second disconnect would end it");
	else if (refusal)
		act_result_set(&act->end, "skipped", "changed", refusal);
	return act->end.result != NULL;
}

static void batch_inject(struct batch *batch, const struct shutdown_options *options,
			 struct inject_worker *worker)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct shutdown_act *act = &batch->acts[i];

		if (act->end.result)
			continue;
		if (act->asked->injected || !act_stop(act, batch, options))
			shutdown_act_begin(act, sibling_begun(batch, act), worker);
		batch_check_begun(batch, i);
		if (options->progress)
			options->progress(options->ctx, i + 1, batch->n);
	}
}

static void batch_await_effects(struct batch *batch, const struct shutdown_options *options)
{
	struct timespec pause = { .tv_nsec = NS_PER_MS / 2 };

	while (batch_check_effects(batch, 0, batch->n)) {
		if (options->idle)
			options->idle(options->ctx);
		nanosleep(&pause, NULL);
	}
}

static void batch_report_unbegun(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++)
		if (!batch->acts[i].reported)
			batch_report(batch, &batch->acts[i], "result");
}

int act_shutdown(const struct shutdown_target *targets, size_t n,
		 const struct shutdown_options *options, struct audit_log *log,
		 const struct fact_sink *sink, size_t *begun, struct error *error)
{
	struct batch batch = { .n = n, .report = { .log = log, .sink = sink, .error = error } };
	struct inject_worker *own = NULL;

	*begun = 0;
	batch.acts = calloc(n ? n : 1, sizeof(*batch.acts));
	if (!batch.acts || (!options->worker && inject_worker_new(&own) < 0)) {
		free(batch.acts);
		return error_set(error, -ENOMEM, NULL, "treat %zu links", n);
	}
	for (size_t i = 0; i < n; i++)
		shutdown_act_init(&batch.acts[i], &targets[i], options->dry_run);
	batch_log_intents(&batch);
	batch_inject(&batch, options, options->worker ? options->worker : own);
	batch_await_effects(&batch, options);
	batch_report_unbegun(&batch);
	act_report_end(&batch.report);
	for (size_t i = 0; i < n; i++)
		*begun += batch.acts[i].begun;
	inject_worker_free(own);
	free(batch.acts);
	return batch.report.err;
}
