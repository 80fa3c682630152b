/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/protect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/act_report.h"
#include "act/audit_log.h"
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_result.h"
#include "act/protected.h"
#include "base/error.h"
#include "base/keepalive.h"
#include "base/now.h"
#include "facts.h"

#define COPY_WAIT   (2000 * NS_PER_MS)
#define RENEW_WAIT  (5000 * NS_PER_MS)
#define LOOK_PAUSE  (25 * NS_PER_MS)
#define PROBE_TIME  (500 * NS_PER_MS) /* an entry that expires sooner may be gone by then */
#define LEAST_LIFE  (3 * NS_PER_S)    /* the shortest idle time is 1 s, and is told in seconds */
#define SOONEST	    1u		      /* s; the first probe is sent at once, or within it */
#define ROUNDED_OFF NS_PER_S	      /* what is left of an entry is told in whole seconds */

struct target {
	const struct protect_target *asked;
	struct keepalive before, after;
	bool has_before, has_after;
	bool added; /* to links, by this act */
	bool set;   /* keepalive runs: it waits for a probe to renew the entries */
	bool renewed;
	struct protect_entry found; /* when it was begun */
	int64_t lifetime; /* of the entries, as their renewal showed it, or by the sysctl; ns */
	struct act_result end;
	const char *proof;
};

struct batch {
	const char *action;
	struct target *targets;
	size_t n;
	bool *wanted;
	struct protect_entry *entries;
	const struct protect_options *options;
	struct act_report report;
	struct protected *links;
};

/* ---- results ---- */

static struct fact target_fact(const struct batch *batch, const struct target *t, const char *phase)
{
	const struct inject_request *request = &t->asked->request;
	struct fact fact = { .type = FACT_ACT,
			     .mono = now_mono(),
			     .act = {
				     .phase = phase,
				     .action = batch->action,
				     .framework_id = t->asked->framework_id,
				     .executor_id = t->asked->executor_id,
				     .pid = request->pid,
				     .start = request->start,
				     .fd = request->fd,
				     .cookie = request->cookie,
				     .inode = request->inode,
				     .method = t->has_before ? "pidfd" : "",
				     .result = t->end.result ? t->end.result : "",
				     .reason = t->end.reason,
				     .reason_id = t->end.reason_id ? t->end.reason_id : "",
				     .stopped = -1,
				     .effect = -1,
				     .interrupted = -1,
				     .copies = -1,
				     .copies_left = -1,
				     .proof = t->proof ? t->proof : "",
			     } };

	if (t->has_before) {
		fact.act.before_on = t->before.on ? EW_YES : EW_NO;
		fact.act.before_idle = t->before.idle;
		fact.act.before_interval = t->before.interval;
		fact.act.before_count = t->before.count;
	}
	if (t->has_after) {
		fact.act.on = t->after.on ? EW_YES : EW_NO;
		fact.act.idle = t->after.idle;
		fact.act.interval = t->after.interval;
		fact.act.count = t->after.count;
	}
	return fact;
}

static void batch_report(struct batch *batch, const struct target *t, const char *phase)
{
	struct fact fact = target_fact(batch, t, phase);

	act_report_write(&batch->report, &fact, t->has_before);
}

static void batch_save(struct batch *batch)
{
	struct error error = { 0 };

	act_report_failed(&batch->report, protected_save(batch->links, &error), &error);
}

static void target_init(struct target *t, const struct protect_target *asked, bool dry_run)
{
	t->asked = asked;
	t->lifetime = asked->lifetime;
	if (asked->refused)
		act_result_set(&t->end, "refused", asked->reason_id, asked->refused);
	else if (asked->skipped)
		act_result_set(&t->end, "skipped", asked->reason_id, asked->skipped);
	else if (dry_run)
		act_result_set(&t->end, "skipped", "dry-run", "dry run");
}

/* ---- one socket ---- */

/* A copy of the descriptor that was checked to be that very socket, ESTABLISHED; -1: refused. */
static int target_copy(struct target *t)
{
	struct inject_request request = t->asked->request;
	struct inject_result result = { 0 };
	char text[sizeof(t->end.reason)];
	int copy = -1, err;

	request.deadline = now_mono() + COPY_WAIT;
	err = inject_preflight(&request, &copy, &result);
	if (!err && copy < 0)
		err = inject_refuse(&result, INJECT_R_NO_PIDFD, -ENOSYS,
				    "copy descriptor %d of process %d", request.fd, request.pid);
	if (!err)
		return copy;
	act_result_set(&t->end, "refused", inject_reason_id(result.reason),
		       error_text(&result.error, text, sizeof(text)));
	return -1;
}

static void target_call_failed(struct target *t, int err, const char *what)
{
	char text[160];

	snprintf(text, sizeof(text), "%s descriptor %d of process %d: %s", what,
		 t->asked->request.fd, t->asked->request.pid, strerror(-err));
	act_result_set(&t->end, "failed", "call-error", text);
}

static void target_read_before(struct target *t)
{
	int copy = target_copy(t), err;

	if (copy < 0)
		return;
	err = keepalive_read(copy, &t->before);
	close(copy);
	t->has_before = !err;
	if (err)
		target_call_failed(t, err, "read the keepalive of");
}

/* Sets and reads back. False: the target has its result. */
static bool target_set(struct target *t, const struct keepalive *wanted)
{
	int copy = target_copy(t), err;

	if (copy < 0)
		return false;
	err = keepalive_write(copy, wanted);
	if (!err)
		err = keepalive_read(copy, &t->after);
	close(copy);
	t->has_after = !err;
	if (err)
		target_call_failed(t, err, "set the keepalive of");
	else if (!keepalive_equal(&t->after, wanted))
		act_result_set(&t->end, "failed", "not-set",
			       "the kernel does not show the values that were "
			       "set");
	return !t->end.result;
}

/* ---- before the act ---- */

/* One that this tool has set, in an earlier act, is not the program's own. */
static void target_leave_own(struct target *t, const struct protected *links)
{
	if (t->asked->renewed && !protected_find(links, t->asked->request.cookie))
		act_result_set(&t->end, "skipped", "own-keepalive",
			       "the program's own keepalive renews its entry");
}

static void target_keep(struct batch *batch, struct target *t)
{
	const struct inject_request *request = &t->asked->request;
	struct protected_link link = { request->cookie, request->pid, request->start, t->before };
	struct error error = { 0 };
	int err;

	t->added = !protected_find(batch->links, request->cookie);
	err = protected_add(batch->links, &link);
	if (err)
		error_set(&error, err, NULL, "remember the keepalive of process %d", request->pid);
	act_report_failed(&batch->report, err, &error);
}

/* What they had before is on disk, and so is that they will be acted on, before the first is. */
static void batch_prepare(struct batch *batch, bool keep)
{
	size_t begun = 0;

	for (size_t i = 0; i < batch->n; i++) {
		struct target *t = &batch->targets[i];

		if (!t->end.result && keep)
			target_leave_own(t, batch->links);
		if (!t->end.result)
			target_read_before(t);
		if (t->end.result)
			continue;
		if (keep)
			target_keep(batch, t);
		batch_report(batch, t, "intent");
		begun++;
	}
	if (!begun)
		return;
	act_report_sync(&batch->report);
	if (keep && !batch->report.err)
		batch_save(batch);
}

static void batch_look(struct batch *batch)
{
	struct error error = { 0 };
	int err = batch->options->look(batch->options->ctx, batch->wanted, batch->entries, &error);

	act_report_failed(&batch->report, err, &error);
}

/*
 * A probe on a link whose entry is gone is dropped or answered by a reset, either of which ends the
 * connection: what the audit said of the entry is checked once more.
 */
static void target_check_entry(struct target *t, const struct protect_entry *entry)
{
	if (entry->state == ENTRY_GONE)
		act_result_set(
			&t->end, "refused", "no-entry",
			"its entry of connection tracking is gone: a probe would break the link");
	else if (entry->state != ENTRY_THERE)
		act_result_set(&t->end, "refused", "entry-unknown",
			       "its entry of connection tracking could not be read");
	else if (entry->earliest <= now_mono() + PROBE_TIME)
		act_result_set(
			&t->end, "refused", "expiring",
			"its entry of connection tracking expires this very moment: a probe may "
			"come too late and break the link");
}

/* ---- the act ---- */

static bool target_stop(struct target *t, const struct batch *batch)
{
	const struct protect_options *options = batch->options;

	if (batch->report.err)
		act_result_set(&t->end, "skipped", "log-failed",
			       "the audit log, or what was before, could not be written");
	else if (options->stop && *options->stop)
		act_result_set(&t->end, "skipped", "interrupted",
			       "interrupted before it was begun");
	return t->end.result != NULL;
}

/* The shortest idle time: a link that has been idle for longer sends its first probe at once. */
static void target_begin(struct target *t, const struct protect_entry *entry)
{
	struct keepalive first = keepalive_for(SOONEST);

	target_check_entry(t, entry);
	if (t->end.result)
		return;
	t->found = *entry;
	t->set = target_set(t, &first);
}

static void batch_begin(struct batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->n; i++) {
		batch->wanted[i] = !batch->targets[i].end.result;
		any |= batch->wanted[i];
	}
	if (any && !batch->report.err)
		batch_look(batch);
	for (size_t i = 0; i < batch->n; i++) {
		struct target *t = &batch->targets[i];

		if (!t->end.result && !target_stop(t, batch))
			target_begin(t, &batch->entries[i]);
	}
}

/*
 * Only a packet moves the time at which an entry expires: to later, or to earlier where the timeout
 * was lowered since the last one. What is left of an entry right after that is its whole lifetime,
 * rounded down.
 */
static void target_note(struct target *t, const struct protect_entry *entry, int64_t looked_at)
{
	int64_t lifetime = entry->latest - looked_at;

	if (entry->state != ENTRY_THERE ||
	    (entry->earliest <= t->found.latest && entry->latest >= t->found.earliest))
		return;
	t->renewed = true;
	if (!t->lifetime || lifetime < t->lifetime)
		t->lifetime = lifetime;
}

static size_t batch_await_some(struct batch *batch)
{
	size_t open = 0;

	for (size_t i = 0; i < batch->n; i++) {
		const struct target *t = &batch->targets[i];

		batch->wanted[i] = t->set && !t->renewed;
		open += batch->wanted[i];
	}
	if (open) {
		int64_t looked_at = now_mono();

		batch_look(batch);
		for (size_t i = 0; i < batch->n; i++)
			if (batch->wanted[i])
				target_note(&batch->targets[i], &batch->entries[i], looked_at);
	}
	return open;
}

static void batch_await(struct batch *batch)
{
	int64_t bound = now_mono() + RENEW_WAIT;
	struct timespec pause = { .tv_nsec = LOOK_PAUSE };

	while (batch_await_some(batch) && now_mono() < bound) {
		if (batch->options->idle)
			batch->options->idle(batch->options->ctx);
		nanosleep(&pause, NULL);
	}
}

/* Back to what it was; the reason of the failure stays. */
static void target_restore(struct batch *batch, struct target *t, const char *reason_id,
			   const char *reason)
{
	struct keepalive before = protected_find(batch->links, t->asked->request.cookie)->before;

	if (!target_set(t, &before))
		return;
	protected_remove(batch->links, t->asked->request.cookie);
	act_result_set(&t->end, "failed", reason_id, reason);
}

static void target_finish(struct batch *batch, struct target *t)
{
	uint32_t idle = t->asked->idle ? t->asked->idle : keepalive_idle_for(t->lifetime);
	struct keepalive wanted = keepalive_for(idle);

	if (!t->renewed)
		target_restore(batch, t, "not-renewed",
			       "no probe renewed its entry of connection tracking within 5 s; the "
			       "values of before were restored");
	else if (t->lifetime < LEAST_LIFE || idle * NS_PER_S > t->lifetime / 2)
		target_restore(batch, t, t->asked->idle ? "idle-too-long" : "short-lived",
			       t->asked->idle ? "the idle time is more than half of what its entry "
						"lasts; the values of before were restored"
					      : "its entry lasts less than 3 s, which keepalive "
						"cannot renew in time; the values of before were "
						"restored");
	else if (target_set(t, &wanted)) {
		act_result_set(&t->end, "done", "", "");
		t->proof = "entry-renewed";
	}
	if (strcmp(t->end.result, "refused") == 0)
		t->end.result = "failed"; /* it was changed before, and is no such link any more */
}

/* ---- batches ---- */

static void batch_free(struct batch *batch)
{
	free(batch->targets);
	free(batch->wanted);
	free(batch->entries);
}

static int batch_new(struct batch *batch, const struct protect_target *targets, size_t n)
{
	batch->n = n;
	batch->targets = calloc(n + 1, sizeof(*batch->targets));
	batch->wanted = calloc(n + 1, sizeof(*batch->wanted));
	batch->entries = calloc(n + 1, sizeof(*batch->entries));
	if (!batch->targets || !batch->wanted || !batch->entries) {
		batch_free(batch);
		return error_set(batch->report.error, -ENOMEM, NULL, "act on %zu links", n);
	}
	for (size_t i = 0; i < n; i++)
		target_init(&batch->targets[i], &targets[i], batch->options->dry_run);
	return 0;
}

static int batch_end(struct batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct target *t = &batch->targets[i];

		if (t->added && !t->has_after)
			protected_remove(batch->links, t->asked->request.cookie);
		batch_report(batch, t, "result");
	}
	act_report_sync(&batch->report);
	if (!batch->options->dry_run)
		batch_save(batch);
	batch_free(batch);
	return batch->report.err;
}

int act_protect(const struct protect_target *targets, size_t n,
		const struct protect_options *options, struct audit_log *log,
		struct protected *links, const struct fact_sink *sink, struct error *error)
{
	struct batch batch = { .action = "protect",
			       .options = options,
			       .links = links,
			       .report = { .log = log, .sink = sink, .error = error } };
	int err = batch_new(&batch, targets, n);

	if (err)
		return err;
	batch_prepare(&batch, true);
	batch_begin(&batch);
	batch_await(&batch);
	for (size_t i = 0; i < n; i++)
		if (batch.targets[i].set)
			target_finish(&batch, &batch.targets[i]);
	return batch_end(&batch);
}

static void target_undo(struct batch *batch, struct target *t)
{
	uint64_t cookie = t->asked->request.cookie;
	const struct protected_link *link = protected_find(batch->links, cookie);

	if (!link || !target_set(t, &link->before))
		return;
	protected_remove(batch->links, cookie);
	act_result_set(&t->end, "done", "", "");
	t->proof = "read-back";
}

int act_unprotect(const struct protect_target *targets, size_t n,
		  const struct protect_options *options, struct audit_log *log,
		  struct protected *links, const struct fact_sink *sink, struct error *error)
{
	struct batch batch = { .action = "unprotect",
			       .options = options,
			       .links = links,
			       .report = { .log = log, .sink = sink, .error = error } };
	int err = batch_new(&batch, targets, n);

	if (err)
		return err;
	batch_prepare(&batch, false);
	for (size_t i = 0; i < n; i++)
		if (!batch.targets[i].end.result && !target_stop(&batch.targets[i], &batch))
			target_undo(&batch, &batch.targets[i]);
	return batch_end(&batch);
}
