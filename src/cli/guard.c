/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/guard.h"

#include <errno.h>
#include <netinet/tcp.h>
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
#include "cli/guard_plan.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"
#include "cli/treat.h"

#define RENEW_SOONEST (NS_PER_S / 5)	/* after the last renewal of the plan */
#define CLOSE_WAIT    (200 * NS_PER_MS) /* for an ending agent's sockets to be closed, in one call */
/* Of ptrace, links that are treated at a time: on a busy host each waits to be scheduled. */
#define WORKERS_MAX 32
#define SETTLE	    (10 * NS_PER_MS) /* for a FIN on its way through the host */

struct guard {
	struct session *session;
	struct audit_log *log;
	struct inject_worker *workers[WORKERS_MAX];
	size_t n_workers;
	struct guard_plan *plan; /* NULL: this kernel lacks what it needs */
	pid_t agent;
	uint64_t agent_start;
	uint16_t port;
	enum inject_method method;
	bool ended;	 /* the agent, as an event or its process tells */
	int64_t at;	 /* when that was; mono */
	bool stale;	 /* the plan, since an event */
	bool serves;	 /* the agent, when the plan was made */
	bool wants_scan; /* a link has come, of which only a scan shows descriptor and executor */
	int64_t renewed; /* the plan, mono */
	bool acted;
	bool failed;  /* the audit log is not complete */
	size_t done;  /* links treated */
	int64_t last; /* when the last of them was, mono */
	struct model_target *targets;
	size_t n;
};

/* By pidfd where the kernel has it: it stops no thread, and is the faster one. */
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

static int workers_start(struct guard *guard, struct error *error)
{
	size_t n = guard->method == INJECT_PIDFD ? 1 : WORKERS_MAX;
	int err = 0;

	while (!err && guard->n_workers < n) {
		err = inject_worker_new(&guard->workers[guard->n_workers]);
		if (!err)
			err = inject_worker_start(guard->workers[guard->n_workers++]);
	}
	return err ? error_set(error, err, NULL, "arm the guard: start its worker processes") : 0;
}

/* Without a plan the guard acts later, when events and a scan have shown the stale links. */
static int plan_begin(struct guard *guard, const struct options *options,
		      const struct report *audit, struct error *error)
{
	const struct guard_plan_options with = { .options = options,
						 .session = guard->session,
						 .agent = &audit->agent,
						 .method = guard->method,
						 .workers = guard->workers,
						 .n_workers = guard->n_workers,
						 .log = guard->log };
	int err = guard_plan_new(&with, &guard->plan, error);

	if (err == -ENOSYS) {
		*error = (struct error){ 0 };
		return 0;
	}
	if (err)
		return err;
	guard->serves = model_agent_serves(session_model(guard->session));
	guard->renewed = now_mono();
	return guard_plan_renew(guard->plan, error);
}

bool guard_is_possible(struct session *session, const struct report *audit)
{
	return audit->agent.pid && model_has_hook(session_model(session), "exit");
}

int guard_arm(const struct options *options, struct session *session, const struct report *audit,
	      struct guard **ret, struct error *error)
{
	struct guard *guard;
	int err;

	if (!audit->agent.pid)
		return error_set(error, -ESRCH, "start the agent, or use 'run --treat before'",
				 "arm the guard: no agent listens on port %u", options->port);
	if (!model_has_hook(session_model(session), "exit"))
		return error_set(error, -ENOTSUP, "run 'execwatch doctor'",
				 "arm the guard: nothing here tells when the agent ends");
	guard = calloc(1, sizeof(*guard));
	if (!guard)
		return error_set(error, -ENOMEM, NULL, "arm the guard");
	guard->session = session;
	guard->port = options->port;
	guard->agent = audit->agent.pid;
	guard->method = method_choose(options->method);
	guard->agent_start = audit->agent.start;
	err = audit_log_open(options->state_dir, &guard->log, error);
	if (!err)
		err = workers_start(guard, error);
	if (!err)
		err = plan_begin(guard, options, audit, error);
	if (err) {
		guard_disarm(guard);
		return err;
	}
	*ret = guard;
	return 0;
}

size_t guard_links(const struct guard *guard)
{
	return guard->plan ? guard_plan_links(guard->plan) : 0;
}

int guard_fd(const struct guard *guard)
{
	return guard && guard->plan ? guard_plan_fd(guard->plan) : -1;
}

bool guard_waits(const struct guard *guard)
{
	return guard && !guard->acted;
}

/* ---- events ---- */

/* Messages after which another executor is to be guarded, or one must not be touched. */
static bool changes_registration(const char *message)
{
	return strstr(message, "egister") || strstr(message, "Reconnect") ||
	       strcmp(message, "SUBSCRIBE") == 0;
}

static void note_tcp(struct guard *guard, const struct fact_tcp *tcp)
{
	if (tcp->remote.port != guard->port ||
	    (tcp->to != TCP_ESTABLISHED && tcp->to != TCP_CLOSE && tcp->to != TCP_CLOSE_WAIT))
		return;
	guard->stale = true;
	guard->wants_scan |= tcp->to == TCP_ESTABLISHED;
}

static void note_act(struct guard *guard, const struct fact_act *act)
{
	if (strcmp(act->phase, "result") != 0)
		return;
	guard->done += strcmp(act->result, "done") == 0;
	guard->last = act->begun > guard->last ? act->begun : guard->last;
	if (guard->plan)
		guard_plan_logged(guard->plan, act->cookie);
}

void guard_note(struct guard *guard, const struct fact *fact)
{
	if (!guard)
		return;
	switch (fact->type) {
	case FACT_EXIT:
		guard->stale = true;
		if (fact->exit.pid == guard->agent && fact->exit.start == guard->agent_start &&
		    !guard->ended) {
			guard->ended = true;
			guard->at = fact->mono;
		}
		break;
	case FACT_TCP:
		note_tcp(guard, &fact->tcp);
		break;
	case FACT_MESSAGE:
		if (changes_registration(fact->message.name))
			guard->stale = guard->wants_scan = true;
		break;
	case FACT_ACT:
		note_act(guard, &fact->act);
		break;
	default:
		break;
	}
}

bool guard_wants_scan(const struct guard *guard)
{
	return guard_waits(guard) && guard->wants_scan;
}

void guard_scanned(struct guard *guard)
{
	if (!guard)
		return;
	guard->wants_scan = false;
	guard->stale = true;
}

void guard_tend(struct guard *guard)
{
	struct error error = { 0 };
	bool serves;

	if (!guard_waits(guard) || !guard->plan || guard->ended)
		return;
	serves = model_agent_serves(session_model(guard->session));
	if ((!guard->stale && serves == guard->serves) ||
	    now_mono() - guard->renewed < RENEW_SOONEST)
		return;
	guard->stale = false;
	guard->serves = serves;
	if (guard_plan_renew(guard->plan, &error) < 0)
		log_warning_without(&error);
	guard->renewed = now_mono();
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

/* What the thread has done first, then what it has left. Returns how many. */
static size_t targets_join(const struct guard *guard, struct shutdown_target *to)
{
	size_t n = guard->plan ? guard_plan_results(guard->plan, to) : 0;
	struct shutdown_target *left = treat_targets(guard->targets, guard->n, guard->method);

	for (size_t i = 0; left && i < guard->n; i++)
		if (!guard->plan || !guard_plan_has_result(guard->plan, left[i].request.cookie))
			to[n++] = left[i];
	free(left);
	return n;
}

/* Returns how many links were treated or should have been. */
static size_t treat(struct guard *guard)
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
	if (n && act_shutdown(targets, n, &how, guard->log, &sink, &begun, &error) < 0)
		guard->failed = true;
	if (error.code)
		log_error(&error);
	free(targets);
	return n;
}

static void tell(const struct guard *guard, size_t n)
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

/* True once the thread has acted, or, without one, the agent has closed its sockets. */
static bool is_time(struct guard *guard)
{
	if (guard->plan)
		return guard_plan_acted(guard->plan);
	if (!guard->ended && proc_live_thread(guard->agent, guard->agent_start) == 0) {
		guard->ended = true; /* its event was lost */
		guard->at = now_mono();
	}
	return guard->ended && await_closed(guard);
}

bool guard_act(struct guard *guard)
{
	size_t n;

	if (!guard || guard->acted || !is_time(guard))
		return false;
	session_dispatch(guard->session);
	if (!guard->ended) {
		guard->ended = true;
		guard->at = guard_plan_ended(guard->plan);
	}
	guard->acted = true;
	guard->done = 0;
	if (plan_checked(guard) < 0) {
		log_message("look for further links that did not notice the agent's end: out of "
			    "memory");
		guard->failed = true;
	}
	n = treat(guard);
	if (n)
		tell(guard, n);
	return true;
}

/* ---- the end ---- */

static void note(void *ctx, const struct fact *fact)
{
	guard_note(ctx, fact);
}

/* The thread has acted, and nobody has asked since. */
static void act_late(struct guard *guard)
{
	struct fact_sink listener = session_listener(guard->session);
	size_t n;

	session_listen(guard->session, (struct fact_sink){ note, guard });
	session_dispatch(guard->session);
	guard->acted = true;
	guard->at = guard_plan_ended(guard->plan);
	guard->done = 0;
	n = treat(guard);
	if (n)
		tell(guard, n);
	session_listen(guard->session, listener);
}

void guard_stop(struct guard *guard)
{
	if (!guard || !guard->plan)
		return;
	guard_plan_stop(guard->plan);
	if (!guard->acted && guard_plan_acted(guard->plan))
		act_late(guard);
}

bool guard_disarm(struct guard *guard)
{
	bool complete;

	if (!guard)
		return true;
	guard_stop(guard);
	complete = !guard->failed;
	guard_plan_free(guard->plan, complete);
	audit_log_close(guard->log);
	for (size_t i = 0; i < guard->n_workers; i++)
		inject_worker_free(guard->workers[i]);
	free(guard->targets);
	free(guard);
	return complete;
}
