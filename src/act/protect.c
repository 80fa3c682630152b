/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/protect_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "act/protected.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"

#define LEAST_LIFE (3 * NS_PER_S) /* the shortest idle time is 1 s, and is told in seconds */
#define SOONEST	   1u		  /* s; the first probe is sent at once, or within it */

/* ---- results ---- */

static struct fact target_fact(const struct protect_batch *batch, const struct protect_link *t,
			       const char *phase)
{
	const struct inject_request *request = &t->asked->request;
	struct fact fact = act_report_fact(phase, &t->end, t->proof);

	fact.act.action = batch->options->undo ? "unprotect" : "protect";
	fact.act.framework_id = t->asked->framework_id;
	fact.act.executor_id = t->asked->executor_id;
	fact.act.pid = request->pid;
	fact.act.start = request->start;
	fact.act.fd = request->fd;
	fact.act.cookie = request->cookie;
	fact.act.inode = request->inode;
	fact.act.method = t->has_before ? "pidfd" : "";
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

static void batch_report(struct protect_batch *batch, const struct protect_link *t,
			 const char *phase)
{
	struct fact fact = target_fact(batch, t, phase);

	act_report_write(&batch->report, &fact, t->has_before);
}

static void batch_save(struct protect_batch *batch)
{
	struct error error = { 0 };

	act_report_failed(&batch->report, protected_save(batch->links, &error), &error);
}

/* ---- before the act ---- */

/* One that this tool has set, in an earlier act, is not the program's own. */
static void target_leave_own(struct protect_link *t, const struct protected *links)
{
	if (t->asked->renewed && !protected_find(links, t->asked->request.cookie))
		act_result_set(&t->end, "skipped", "own-keepalive",
			       "the program's own keepalive renews its entry");
}

static void target_keep(struct protect_batch *batch, struct protect_link *t)
{
	const struct inject_request *request = &t->asked->request;
	struct protected_link link = { .cookie = request->cookie,
				       .pid = request->pid,
				       .start = request->start,
				       .inode = request->inode,
				       .before = t->before };
	struct error error = { 0 };
	int err;

	t->added = !protected_find(batch->links, request->cookie);
	err = protected_add(batch->links, &link);
	if (err)
		error_set(&error, err, NULL, "remember the keepalive of process %d", request->pid);
	act_report_failed(&batch->report, err, &error);
}

/* What they had before is on disk, and so is that they will be acted on, before the first is. */
static void batch_prepare(struct protect_batch *batch)
{
	bool keep = !batch->options->undo;
	size_t begun = 0;

	for (size_t i = 0; i < batch->n; i++) {
		struct protect_link *t = &batch->targets[i];

		if (!t->end.result && keep)
			target_leave_own(t, batch->links);
		if (!t->end.result)
			protect_link_read_before(t);
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

/* ---- the act ---- */

static bool target_stop(struct protect_link *t, const struct protect_batch *batch)
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
static void target_begin(struct protect_link *t, const struct protect_entry *entry,
			 const struct error *error)
{
	struct keepalive first = keepalive_for(SOONEST);

	protect_link_check_entry(t, entry, error);
	if (t->end.result)
		return;
	t->found = *entry;
	t->set = protect_link_set(t, &first);
}

static void batch_begin(struct protect_batch *batch)
{
	bool any = false;

	for (size_t i = 0; i < batch->n; i++) {
		batch->wanted[i] = !batch->targets[i].end.result;
		any |= batch->wanted[i];
	}
	if (any && !batch->report.err)
		protect_batch_look(batch);
	for (size_t i = 0; i < batch->n; i++) {
		struct protect_link *t = &batch->targets[i];

		if (!t->end.result && !target_stop(t, batch))
			target_begin(t, &batch->entries[i], &batch->look_error);
	}
}

/* Back to what it was; the reason of the failure stays. */
static void target_restore(struct protect_batch *batch, struct protect_link *t,
			   const char *reason_id, const char *reason)
{
	struct keepalive before = protected_find(batch->links, t->asked->request.cookie)->before;

	if (!protect_link_set(t, &before))
		return;
	protected_remove(batch->links, t->asked->request.cookie);
	act_result_set(&t->end, "failed", reason_id, reason);
}

static void target_finish(struct protect_batch *batch, struct protect_link *t)
{
	uint32_t idle = t->asked->idle ? t->asked->idle : keepalive_idle_for(t->lifetime);
	struct keepalive wanted = keepalive_for(idle);

	if (!t->renewed && batch->look_error.code)
		target_restore(batch, t, "entry-unknown",
			       "whether a probe renewed its entry of connection tracking could not "
			       "be read; the values of before were restored");
	else if (!t->renewed)
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
	else if (protect_link_set(t, &wanted)) {
		act_result_set(&t->end, "done", "", "");
		t->proof = "entry-renewed";
	}
	if (strcmp(t->end.result, "refused") == 0)
		t->end.result = "failed"; /* it was changed before, and is no such link any more */
}

/* ---- batches ---- */

static void batch_free(struct protect_batch *batch)
{
	free(batch->targets);
	free(batch->wanted);
	free(batch->entries);
}

static int batch_new(struct protect_batch *batch, const struct protect_target *targets, size_t n)
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
		protect_link_init(&batch->targets[i], &targets[i], batch->options->dry_run);
	return 0;
}

static int batch_end(struct protect_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct protect_link *t = &batch->targets[i];

		if (t->added && !t->has_after)
			protected_remove(batch->links, t->asked->request.cookie);
		batch_report(batch, t, "result");
	}
	act_report_end(&batch->report);
	if (!batch->options->dry_run)
		batch_save(batch);
	batch_free(batch);
	return batch->report.err;
}

static void batch_protect(struct protect_batch *batch)
{
	batch_begin(batch);
	protect_batch_await(batch);
	for (size_t i = 0; i < batch->n; i++)
		if (batch->targets[i].set)
			target_finish(batch, &batch->targets[i]);
}

static void target_undo(struct protect_batch *batch, struct protect_link *t)
{
	uint64_t cookie = t->asked->request.cookie;
	const struct protected_link *link = protected_find(batch->links, cookie);

	if (!link || !protect_link_set(t, &link->before))
		return;
	protected_remove(batch->links, cookie);
	act_result_set(&t->end, "done", "", "");
	t->proof = "read-back";
}

static void batch_undo(struct protect_batch *batch)
{
	for (size_t i = 0; i < batch->n; i++) {
		struct protect_link *t = &batch->targets[i];

		if (!t->end.result && !target_stop(t, batch))
			target_undo(batch, t);
	}
}

int act_protect(const struct protect_target *targets, size_t n,
		const struct protect_options *options, struct audit_log *log,
		struct protected *links, const struct fact_sink *sink, struct error *error)
{
	struct protect_batch batch = { .options = options,
				       .links = links,
				       .report = { .log = log, .sink = sink, .error = error } };
	int err = batch_new(&batch, targets, n);

	if (err)
		return err;
	batch_prepare(&batch);
	if (options->undo)
		batch_undo(&batch);
	else
		batch_protect(&batch);
	return batch_end(&batch);
}
