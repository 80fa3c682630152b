/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* After the agent's end: which links did not notice it, and their treatment. */
#include "cli/guard_private.h"

#include <errno.h>
#include <stdlib.h>

#include "act/shutdown.h"
#include "base/error.h"
#include "base/now.h"
#include "cli/guard_plan.h"
#include "cli/log.h"
#include "cli/session.h"
#include "cli/treat.h"
#include "observe/scan.h"

/* ---- the targets ---- */

static int targets_make(struct guard *guard)
{
	free(guard->targets);
	guard->targets = NULL;
	guard->n = 0;
	return model_guard_targets(session_model(guard->session), guard->agent, guard->agent_start,
				   &guard->targets, &guard->n);
}

/* By the sockets themselves: of those that the events leave standing. */
static void look_again(struct guard *guard)
{
	struct error error = { 0 };
	int32_t *pids = calloc(guard->n + 1, sizeof(*pids));

	for (size_t i = 0; pids && i < guard->n; i++)
		pids[i] = guard->targets[i].pid;
	if (!pids || session_look(guard->session, pids, guard->n, &error) < 0)
		session_scan(guard->session, SCAN_SOCKETS | SCAN_PROCESSES);
	free(pids);
}

int guard_targets_find(struct guard *guard)
{
	bool known =
		model_agent_ended(session_model(guard->session), guard->agent, guard->agent_start);
	int err;

	if (!known || !session_sees_connections(guard->session))
		session_scan(guard->session, SCAN_SOCKETS | SCAN_PROCESSES);
	err = targets_make(guard);
	if (err || !guard->n)
		return err;
	look_again(guard);
	session_dispatch(guard->session);
	return targets_make(guard);
}

/* ---- the act ---- */

static struct model_target *target_find(struct guard *guard, const struct shutdown_target *target)
{
	for (size_t i = 0; i < guard->n; i++)
		if (guard->targets[i].cookie == target->request.cookie)
			return &guard->targets[i];
	return NULL;
}

/* Right before a target is begun: has the next agent asked it meanwhile? */
static const char *refusal(void *ctx, const struct shutdown_target *target)
{
	struct guard *guard = ctx;
	struct model_target *own = target_find(guard, target);
	const char *text;

	session_dispatch(guard->session);
	text = model_guard_refusal(session_model(guard->session), guard->agent, guard->agent_start,
				   target->request.pid, target->request.start);
	if (!text && !session_sees_connections(guard->session) &&
	    session_agent_listens(guard->session) != 0)
		text = "a new agent listens, and which executors it has asked to reconnect is not "
		       "observed: a second disconnect would end one that was asked";
	if (own)
		own->changed = text;
	return text;
}

static void idle(void *ctx)
{
	struct guard *guard = ctx;

	session_poll_throttled(guard->session);
}

/* What the thread has done first, then what it has left. Returns how many. */
static size_t targets_join(const struct guard *guard, struct shutdown_target *to)
{
	size_t n = guard->plan ? guard_plan_results(guard->plan, to) : 0;
	struct shutdown_target *left =
		treat_targets(guard->targets, guard->n, guard->method, guard->lock);

	for (size_t i = 0; left && i < guard->n; i++)
		if (!guard->plan || !guard_plan_has_result(guard->plan, left[i].request.cookie))
			to[n++] = left[i];
	free(left);
	return n;
}

size_t guard_treat(struct guard *guard)
{
	struct shutdown_options how = {
		.worker = guard->workers[0],
		.refusal = refusal,
		.idle = idle,
		.ctx = guard,
	};
	struct fact_sink sink = session_sink(guard->session);
	struct shutdown_target *targets =
		calloc(guard_links(guard) + guard->n + 1, sizeof(*targets));
	struct error error = { 0 };
	size_t begun, n = 0;

	if (targets)
		n = targets_join(guard, targets);
	else
		error_set(&error, -ENOMEM, NULL, "treat the links");
	if (n)
		act_shutdown(targets, n, &how, guard->log, &sink, &begun, &error);
	if (error.code)
		log_error(&error);
	free(targets);
	return n;
}

void guard_tell(const struct guard *guard, size_t n)
{
	int64_t took = guard->last ? guard->last - guard->at : 0;

	for (size_t i = 0; i < guard->n; i++)
		if (guard->targets[i].changed)
			log_message("%s did not notice the agent's end and is left alone: %s",
				    guard->targets[i].executor_id, guard->targets[i].changed);
	if (guard->done && took > 0)
		log_message(
			"%zu of %zu links that did not notice the agent's end were treated, the "
			"last one %.1f ms after it",
			guard->done, n, (double)took / NS_PER_MS);
	else
		log_message("%zu of %zu links that did not notice the agent's end were treated",
			    guard->done, n);
}
