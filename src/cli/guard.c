/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/guard_private.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "act/audit_log.h"
#include "act/inject/inject_api.h"
#include "base/error.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "cli/guard_plan.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/session.h"

#define CLOSE_WAIT (200 * NS_PER_MS) /* for an ending agent's sockets to be closed, in one call */
#define SETTLE	   (10 * NS_PER_MS)  /* for a FIN on its way through the host */

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

/* One more than are used for acts, where links are planned while others may be treated. */
static int workers_start(struct guard *guard, struct error *error)
{
	bool by_pidfd = guard->method == INJECT_PIDFD;
	size_t n = by_pidfd ? 1 : WORKERS_MAX;
	int err = by_pidfd ? 0 : inject_worker_new(&guard->planner);

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
						 .planner = guard->planner,
						 .claims = guard->lock,
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
	      int lock, struct guard **ret, struct error *error)
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
	guard->lock = lock;
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
	if (guard_targets_find(guard) < 0) {
		log_message("look for further links that did not notice the agent's end: out of "
			    "memory");
		guard->failed = true;
	}
	n = guard_treat(guard);
	if (n)
		guard_tell(guard, n);
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
	n = guard_treat(guard);
	if (n)
		guard_tell(guard, n);
	session_listen(guard->session, listener);
}

void guard_stop(struct guard *guard)
{
	if (!guard)
		return;
	if (guard->plan)
		guard_plan_stop(guard->plan);
	if (guard->plan && !guard->acted && guard_plan_acted(guard->plan))
		act_late(guard);
	guard_log_retry(guard, true);
}

bool guard_disarm(struct guard *guard)
{
	bool complete;

	if (!guard)
		return true;
	guard_stop(guard);
	complete = !guard->failed && (!guard->log || !audit_log_unwritten(guard->log));
	guard_plan_free(guard->plan, complete);
	audit_log_close(guard->log);
	for (size_t i = 0; i < guard->n_workers; i++)
		inject_worker_free(guard->workers[i]);
	inject_worker_free(guard->planner);
	free(guard->targets);
	free(guard);
	return complete;
}
