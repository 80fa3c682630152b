/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/shutdown.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "act/act_report.h"
#include "act/audit_log.h"
#include "act/inject/inject_copies.h"
#include "act/socket_effect.h"
#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"

#define INJECT_WAIT (2000 * NS_PER_MS) /* then a thread in uninterruptible sleep is given up */
#define EFFECT_WAIT (5000 * NS_PER_MS) /* by then an event loop has run, or is stuck or frozen */

#define CLOSED_WITH_SIBLING "the executor closed it together with its other connection"

/*
 * After each injection the effect is checked for the last RECENT targets, and for all from time to
 * time, such that this takes one part in SWEEP_SHARE of the time: an executor that is slow to close
 * its socket is seen to have closed it SWEEP_MIN late, or some times the length of a sweep.
 */
enum { RECENT = 8, SWEEP_SHARE = 8 };
#define SWEEP_MIN NS_PER_MS

struct target {
	const struct shutdown_target *asked;
	bool begun;   /* the call was, or may have been, made */
	bool closing; /* refused, but the executor may be closing it with its other connection */
	bool reported;
	int64_t begun_at;
	struct inject_result injected;
	struct act_result end;
	int64_t effect;
	int64_t ended_at; /* when the result was known; 0: not yet */
	bool settled;	  /* copies is filled */
	struct inject_copies copies;
};

/* The targets, and where the facts about them go. */
struct batch {
	struct target *targets;
	size_t n;
	struct act_report report;
	int64_t next_sweep; /* when the effects of all are checked next */
};

static int64_t time_or_none(uint64_t ns)
{
	return ns ? (int64_t)ns : -1;
}

static struct fact target_fact(const struct target *t, const char *phase)
{
	const struct inject_request *request = &t->asked->request;
	enum inject_method used = t->injected.used;

	return (struct fact){ .type = FACT_ACT,
			      .mono = now_mono(),
			      .act = {
				      .phase = phase,
				      .action = "shutdown",
				      .framework_id = t->asked->framework_id,
				      .executor_id = t->asked->executor_id,
				      .pid = request->pid,
				      .start = request->start,
				      .fd = request->fd,
				      .cookie = request->cookie,
				      .inode = request->inode,
				      .method = used == INJECT_AUTO ? "" : inject_method_name(used),
				      .result = t->end.result ? t->end.result : "",
				      .reason = t->end.reason,
				      .reason_id = t->end.reason_id ? t->end.reason_id : "",
				      .stopped = time_or_none(t->injected.stopped_ns),
				      .effect = t->effect,
				      .interrupted = time_or_none(t->injected.interrupted_ns),
				      .copies = t->settled ? t->copies.n : -1,
				      .copies_left = t->settled ? t->copies.left : -1,
				      .begun = t->begun ? t->begun_at : 0,
			      } };
}

static void batch_report(struct batch *batch, struct target *t, const char *phase)
{
	struct fact fact = target_fact(t, phase);

	act_report_write(&batch->report, &fact, true);
	t->reported = t->end.result != NULL;
}

static void target_init(struct target *t, const struct shutdown_target *asked, bool dry_run)
{
	t->asked = asked;
	t->effect = -1;
	if (asked->forbidden)
		act_result_set(&t->end, "refused", "forbidden", asked->forbidden);
	else if (asked->changed)
		act_result_set(&t->end, "skipped", "changed", asked->changed);
	else if (dry_run)
		act_result_set(&t->end, "skipped", "dry-run", "dry run");
}

static void target_inject(struct target *t, struct inject_worker *worker)
{
	struct inject_request request = t->asked->request;
	const struct inject_result *injected = &t->injected;
	char text[sizeof(t->end.reason)];

	if (t->asked->injected) {
		t->begun_at = t->asked->begun;
		t->injected = *t->asked->injected;
	} else {
		t->begun_at = now_mono();
		request.deadline = t->begun_at + INJECT_WAIT;
		inject_shutdown(worker, &request, &t->injected);
	}
	t->begun = injected->status == INJECT_DONE || injected->status == INJECT_UNSURE;
	if (!t->begun)
		act_result_set(&t->end, injected->status == INJECT_REFUSED ? "refused" : "failed",
			       inject_reason_id(injected->reason),
			       error_text(&injected->error, text, sizeof(text)));
}

static void target_end_unclosed(struct target *t)
{
	if (t->injected.status == INJECT_DONE)
		act_result_set(
			&t->end, "failed", "not-closed",
			"the call was made, but the executor has not closed its socket within "
			"5 s: its event loop is stuck, or it is frozen");
	else
		act_result_set(
			&t->end, "failed", "call-unsure",
			"it is not known whether the call was made, and the executor has not "
			"closed its socket within 5 s");
}

/* Refused, unless the executor closes it in time: it was closing it together with the other one. */
static void target_check_closing(struct target *t)
{
	enum socket_effect effect = socket_effect_read(&t->asked->request);
	int64_t waited = now_mono() - t->begun_at;

	if (effect == SOCKET_CLOSED) {
		t->effect = waited;
		act_result_set(&t->end, "done", "", CLOSED_WITH_SIBLING);
	} else if (effect == SOCKET_PROCESS_ENDED || waited > EFFECT_WAIT) {
		t->end.result = "refused"; /* with the reason of then */
	}
}

static void target_check_effect(struct target *t)
{
	enum socket_effect effect = socket_effect_read(&t->asked->request);
	int64_t waited = now_mono() - t->begun_at;

	if (effect == SOCKET_PROCESS_ENDED) {
		act_result_set(&t->end, "failed", "executor-ended", "the executor has ended");
	} else if (effect == SOCKET_CLOSED) {
		t->effect = waited;
		act_result_set(&t->end, "done", "", "");
	} else if (waited > EFFECT_WAIT) {
		target_end_unclosed(t);
	}
}

/* Appends to the reason, which has the text of the result. */
static void target_add_reason(struct target *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void target_add_reason(struct target *t, const char *fmt, ...)
{
	size_t len = strlen(t->end.reason);
	va_list args;

	va_start(args, fmt);
	vsnprintf(t->end.reason + len, sizeof(t->end.reason) - len, fmt, args);
	va_end(args);
}

static void target_tell_copies(struct target *t)
{
	const struct inject_copies *copies = &t->copies;

	if (copies->n && *t->end.reason)
		target_add_reason(t, "; ");
	if (copies->n < 0) {
		target_add_reason(t, "it is not known whether a child that was forked during the "
				     "injection keeps a copy of the socket open");
	} else if (copies->n > 0) {
		target_add_reason(
			t,
			"children forked during the injection have inherited copies of the "
			"socket (%d in all, one is descriptor %d of process %d): ",
			copies->n, copies->fd, copies->pid);
		target_add_reason(t, copies->left ? "the connection ends when they do"
						  : "the connection was ended in their place");
	}
	if (copies->left > 0 && copies->other)
		target_add_reason(t, ", and process %d, which holds the socket itself",
				  copies->other);
}

/*
 * Once the result is known, looks for copies of the socket that children may have inherited. False:
 * too early.
 */
static bool target_settle(struct target *t)
{
	bool closed = t->effect >= 0;

	if (!t->ended_at)
		t->ended_at = now_mono();
	if (t->injected.dups.n && now_mono() < t->ended_at + INJECT_COPIES_WAIT)
		return false;
	if (t->injected.dups.n && !closed)
		closed = socket_effect_read(&t->asked->request) == SOCKET_PROCESS_ENDED;
	inject_copies_settle(&t->asked->request, &t->injected.dups, closed, &t->copies);
	target_tell_copies(t);
	t->settled = true;
	return true;
}

/* Whether something was done to it, of which not all is known yet. */
static bool target_is_open(const struct target *t)
{
	return !t->reported && (t->begun || t->closing || t->injected.dups.n);
}

/* Checks the targets of a range whose effect is awaited; returns how many still are. */
static size_t batch_check_effects(struct batch *batch, size_t from, size_t to)
{
	size_t open = 0;

	for (size_t i = from; i < to; i++) {
		struct target *t = &batch->targets[i];

		if (!target_is_open(t))
			continue;
		if (!t->end.result && t->closing)
			target_check_closing(t);
		else if (!t->end.result)
			target_check_effect(t);
		if (t->end.result && target_settle(t))
			batch_report(batch, t, "result");
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
static const struct target *sibling_begun(const struct batch *batch, const struct target *t)
{
	const struct inject_request *own = &t->asked->request;

	for (const struct target *other = batch->targets; other < t; other++)
		if (other->begun && other->asked->request.pid == own->pid &&
		    other->asked->request.start == own->start)
			return other;
	return NULL;
}

/*
 * A v1 executor closes both of its connections when one of them ends (Mesos executor.cpp,
 * disconnected()).
 */
static bool closed_with(struct target *t, const struct target *sibling)
{
	if (!sibling || socket_effect_read(&t->asked->request) != SOCKET_CLOSED)
		return false;
	t->effect = now_mono() - sibling->begun_at;
	act_result_set(&t->end, "done", "", CLOSED_WITH_SIBLING);
	return true;
}

static void target_begin(struct target *t, const struct target *sibling,
			 struct inject_worker *worker)
{
	if (!t->asked->injected && closed_with(t, sibling))
		return;
	target_inject(t, worker);
	t->closing = sibling && t->injected.status == INJECT_REFUSED;
	if (t->closing) {
		t->begun_at = sibling->begun_at;
		t->end.result = NULL; /* looked at again: it may be about to close both */
	}
}

static void batch_log_intents(struct batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->n && !batch->report.err; i++) {
		if (batch->targets[i].end.result || batch->targets[i].asked->injected)
			continue;
		batch_report(batch, &batch->targets[i], "intent");
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

/* Ends a target that must not be begun any more; false: it may be begun. */
static bool target_stop(struct target *t, const struct batch *batch,
			const struct shutdown_options *options)
{
	const char *refusal = options->refusal ? options->refusal(options->ctx, t->asked) : NULL;

	if (batch->report.err)
		act_result_set(&t->end, "skipped", "log-failed",
			       "the audit log could not be written");
	else if (options->stop && *options->stop)
		act_result_set(&t->end, "skipped", "interrupted",
			       "interrupted before it was begun");
	else if (!agent_lives(options))
		act_result_set(&t->end, "skipped", "agent-ended",
			       "the agent has ended since the audit: a new one may have asked the "
			       "executor to reconnect, and a second disconnect would end it");
	else if (refusal)
		act_result_set(&t->end, "skipped", "changed", refusal);
	return t->end.result != NULL;
}

static void batch_inject(struct batch *batch, const struct shutdown_options *options,
			 struct inject_worker *worker)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct target *t = &batch->targets[i];

		if (t->end.result)
			continue;
		if (t->asked->injected || !target_stop(t, batch, options))
			target_begin(t, sibling_begun(batch, t), worker);
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
		if (!batch->targets[i].reported)
			batch_report(batch, &batch->targets[i], "result");
}

int act_shutdown(const struct shutdown_target *targets, size_t n,
		 const struct shutdown_options *options, struct audit_log *log,
		 const struct fact_sink *sink, size_t *begun, struct error *error)
{
	struct batch batch = { .n = n, .report = { .log = log, .sink = sink, .error = error } };
	struct inject_worker *own = NULL;

	*begun = 0;
	batch.targets = calloc(n ? n : 1, sizeof(*batch.targets));
	if (!batch.targets || (!options->worker && inject_worker_new(&own) < 0)) {
		free(batch.targets);
		return error_set(error, -ENOMEM, NULL, "treat %zu links", n);
	}
	for (size_t i = 0; i < n; i++)
		target_init(&batch.targets[i], &targets[i], options->dry_run);
	batch_log_intents(&batch);
	batch_inject(&batch, options, options->worker ? options->worker : own);
	batch_await_effects(&batch, options);
	batch_report_unbegun(&batch);
	act_report_end(&batch.report);
	for (size_t i = 0; i < n; i++)
		*begun += batch.targets[i].begun;
	inject_worker_free(own);
	free(batch.targets);
	return batch.report.err;
}
