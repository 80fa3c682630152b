/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "act/shutdown.h"
#include "base/error.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/treat.h"

#define CLOSE_WAIT (200 * NS_PER_MS) /* for an ending agent's sockets to be closed, in one call */
#define SETTLE	   (10 * NS_PER_MS)  /* for a FIN on its way through the host */

struct guard {
	struct session *session;
	struct audit_log *log;
	struct inject_worker *worker;
	pid_t agent;
	uint64_t agent_start;
	enum inject_method method;
	bool ended; /* the agent, as an event or its process tells */
	int64_t at; /* when that was; mono */
	bool acted;
	bool failed; /* the audit log is not complete */
	size_t done; /* links treated */
	struct model_target *targets;
	size_t n;
};

/*
 * By pidfd where the kernel has it: it stops no thread, and 40 links of 100 executors took 68 ms
 * instead of 103 on a busy host, most of which is not the act.
 */
static enum inject_method method_choose(enum inject_method wanted)
{
	int pidfd, copy;

	if (wanted != INJECT_AUTO)
		return wanted;
	pidfd = ew_pidfd_open(getpid(), false);
	copy = pidfd < 0 ? -1 : ew_pidfd_getfd(pidfd, pidfd);
	if (copy >= 0)
		close(copy);
	if (pidfd >= 0)
		close(pidfd);
	return copy >= 0 ? INJECT_PIDFD : INJECT_AUTO;
}

int guard_arm(const struct options *options, struct session *session, const struct report *audit,
	      struct guard **ret, struct error *error)
{
	struct guard *guard;
	int err;

	if (!audit->agent.pid)
		return error_set(error, -ESRCH, "start the agent, or use --treat before",
				 "arm the guard: no agent listens on port %u", options->port);
	if (!model_has_hook(session_model(session), "exit"))
		return error_set(error, -ENOTSUP, "run 'execwatch doctor'",
				 "arm the guard: nothing here tells when the agent ends");
	guard = calloc(1, sizeof(*guard));
	if (!guard)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	guard->session = session;
	guard->agent = audit->agent.pid;
	guard->method = method_choose(options->method);
	guard->agent_start = audit->agent.start;
	err = audit_log_open(options->state_dir, &guard->log, error);
	if (!err &&
	    (inject_worker_new(&guard->worker) < 0 || inject_worker_start(guard->worker) < 0))
		err = error_set(error, -ENOMEM, NULL, "arm the guard: start its worker process");
	if (err) {
		guard_disarm(guard);
		return err;
	}
	*ret = guard;
	return 0;
}

bool guard_disarm(struct guard *guard)
{
	bool complete;

	if (!guard)
		return true;
	complete = !guard->failed;
	audit_log_close(guard->log);
	inject_worker_free(guard->worker);
	free(guard->targets);
	free(guard);
	return complete;
}

bool guard_waits(const struct guard *guard)
{
	return guard && !guard->acted;
}

void guard_note(struct guard *guard, const struct fact *fact)
{
	if (!guard)
		return;
	if (fact->type == FACT_EXIT && fact->exit.pid == guard->agent &&
	    fact->exit.start == guard->agent_start && !guard->ended) {
		guard->ended = true;
		guard->at = fact->mono;
	}
	if (fact->type == FACT_ACT && strcmp(fact->act.phase, "result") == 0)
		guard->done += strcmp(fact->act.result, "done") == 0;
}

/* ---- the agent's end ---- */

static void pause_ns(int64_t ns)
{
	struct timespec pause = { .tv_nsec = ns };

	nanosleep(&pause, NULL); /* a signal ends it */
}

/*
 * False: not yet. A process is told to exit before its sockets are closed; until they are, a sound
 * link looks like a stale one.
 */
static bool await_closed(struct guard *guard)
{
	int64_t bound = now_mono() + CLOSE_WAIT;

	while (!proc_has_ended(guard->agent, guard->agent_start)) {
		if (now_mono() >= bound)
			return false;
		pause_ns(NS_PER_MS / 5);
	}
	pause_ns(SETTLE);
	session_dispatch(guard->session);
	return true;
}

/* ---- the plan ---- */

static int plan(struct guard *guard)
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

/* Without events of connections, or when the agent's end was missed, a scan has to tell. */
static int plan_checked(struct guard *guard)
{
	bool known =
		model_agent_ended(session_model(guard->session), guard->agent, guard->agent_start);
	int err;

	if (!known || !session_sees_connections(guard->session))
		session_scan(guard->session, SCAN_SOCKETS | SCAN_PROCESSES);
	err = plan(guard);
	if (err || !guard->n)
		return err;
	look_again(guard);
	session_dispatch(guard->session);
	return plan(guard);
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

static void treat(struct guard *guard)
{
	struct shutdown_options how = {
		.worker = guard->worker,
		.refusal = refusal,
		.idle = idle,
		.ctx = guard,
	};
	struct fact_sink sink = session_sink(guard->session);
	struct shutdown_target *targets = treat_targets(guard->targets, guard->n, guard->method);
	struct error error = { 0 };
	size_t begun;

	if (!targets)
		error_set(&error, -ENOMEM, NULL, "treat %zu links", guard->n);
	else if (act_shutdown(targets, guard->n, &how, guard->log, &sink, &begun, &error) < 0)
		guard->failed = true;
	if (error.code)
		log_error(&error);
	free(targets);
}

static void tell(const struct guard *guard)
{
	for (size_t i = 0; i < guard->n; i++)
		if (guard->targets[i].changed)
			log_message("%s did not notice the agent's end and is left alone: %s",
				    guard->targets[i].executor_id, guard->targets[i].changed);
	log_message("%zu of %zu links that did not notice the agent's end were treated, %lld ms "
		    "after it",
		    guard->done, guard->n, (long long)((now_mono() - guard->at) / NS_PER_MS));
}

bool guard_act(struct guard *guard)
{
	if (!guard || guard->acted)
		return false;
	if (!guard->ended && proc_live_thread(guard->agent, guard->agent_start) == 0) {
		guard->ended = true; /* its event was lost */
		guard->at = now_mono();
	}
	if (!guard->ended || !await_closed(guard))
		return false;
	guard->acted = true;
	guard->done = 0;
	if (plan_checked(guard) < 0) {
		log_message("the guard could not act: out of memory");
		guard->failed = true;
		return true;
	}
	if (guard->n)
		treat(guard);
	if (guard->n)
		tell(guard);
	return true;
}
