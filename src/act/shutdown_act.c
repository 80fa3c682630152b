/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/shutdown_act.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "act/shutdown.h"
#include "act/socket_effect.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"

#define INJECT_WAIT (2000 * NS_PER_MS) /* then a thread in uninterruptible sleep is given up */
#define EFFECT_WAIT (5000 * NS_PER_MS) /* by then an event loop has run, or is stuck or frozen */

#define CLOSED_WITH_SIBLING "the executor closed it together with its other connection"

static int64_t time_or_none(uint64_t ns)
{
	return ns ? (int64_t)ns : -1;
}

struct fact shutdown_act_fact(const struct shutdown_act *act, const char *phase)
{
	const struct inject_request *request = &act->asked->request;
	enum inject_method used = act->injected.used;

	return (struct fact){ .type = FACT_ACT,
			      .mono = now_mono(),
			      .act = {
				      .phase = phase,
				      .action = "shutdown",
				      .framework_id = act->asked->framework_id,
				      .executor_id = act->asked->executor_id,
				      .pid = request->pid,
				      .start = request->start,
				      .fd = request->fd,
				      .cookie = request->cookie,
				      .inode = request->inode,
				      .method = used == INJECT_AUTO ? "" : inject_method_name(used),
				      .result = act->end.result ? act->end.result : "",
				      .reason = act->end.reason,
				      .reason_id = act->end.reason_id ? act->end.reason_id : "",
				      .stopped = time_or_none(act->injected.stopped_ns),
				      .effect = act->effect,
				      .interrupted = time_or_none(act->injected.interrupted_ns),
				      .copies = act->settled ? act->copies.n : -1,
				      .copies_left = act->settled ? act->copies.left : -1,
				      .begun = act->begun ? act->begun_at : 0,
			      } };
}

void shutdown_act_init(struct shutdown_act *act, const struct shutdown_target *asked, bool dry_run)
{
	act->asked = asked;
	act->effect = -1;
	if (asked->forbidden)
		act_result_set(&act->end, "refused", "forbidden", asked->forbidden);
	else if (asked->changed)
		act_result_set(&act->end, "skipped", "changed", asked->changed);
	else if (dry_run)
		act_result_set(&act->end, "skipped", "dry-run", "dry run");
}

static void inject(struct shutdown_act *act, struct inject_worker *worker)
{
	struct inject_request request = act->asked->request;
	const struct inject_result *injected = &act->injected;
	char text[sizeof(act->end.reason)];

	if (act->asked->injected) {
		act->begun_at = act->asked->begun;
		act->injected = *act->asked->injected;
	} else {
		act->begun_at = now_mono();
		request.deadline = act->begun_at + INJECT_WAIT;
		inject_shutdown(worker, &request, &act->injected);
	}
	act->begun = injected->status == INJECT_DONE || injected->status == INJECT_UNSURE;
	if (!act->begun)
		act_result_set(&act->end, injected->status == INJECT_REFUSED ? "refused" : "failed",
			       inject_reason_id(injected->reason),
			       error_text(&injected->error, text, sizeof(text)));
}

/*
 * A v1 executor closes both of its connections when one of them ends (Mesos executor.cpp,
 * disconnected()).
 */
static bool closed_with(struct shutdown_act *act, const struct shutdown_act *sibling)
{
	if (!sibling || socket_effect_read(&act->asked->request) != SOCKET_CLOSED)
		return false;
	act->effect = now_mono() - sibling->begun_at;
	act_result_set(&act->end, "done", "", CLOSED_WITH_SIBLING);
	return true;
}

void shutdown_act_begin(struct shutdown_act *act, const struct shutdown_act *sibling,
			struct inject_worker *worker)
{
	if (!act->asked->injected && closed_with(act, sibling))
		return;
	inject(act, worker);
	act->closing = sibling && act->injected.status == INJECT_REFUSED;
	if (act->closing) {
		act->begun_at = sibling->begun_at;
		act->end.result = NULL; /* looked at again: it may be about to close both */
	}
}

static void end_unclosed(struct shutdown_act *act)
{
	if (act->injected.status == INJECT_DONE)
		act_result_set(
			&act->end, "failed", "not-closed",
			"the call was made, but the executor has not closed its socket within "
			"5 s: its event loop is stuck, or it is frozen");
	else
		act_result_set(
			&act->end, "failed", "call-unsure",
			"it is not known whether the call was made, and the executor has not "
			"closed its socket within 5 s");
}

/* Refused, unless the executor closes it in time: it was closing it together with the other one. */
static void check_closing(struct shutdown_act *act)
{
	enum socket_effect effect = socket_effect_read(&act->asked->request);
	int64_t waited = now_mono() - act->begun_at;

	if (effect == SOCKET_CLOSED) {
		act->effect = waited;
		act_result_set(&act->end, "done", "", CLOSED_WITH_SIBLING);
	} else if (effect == SOCKET_PROCESS_ENDED || waited > EFFECT_WAIT) {
		act->end.result = "refused"; /* with the reason of then */
	}
}

static void check_effect(struct shutdown_act *act)
{
	enum socket_effect effect = socket_effect_read(&act->asked->request);
	int64_t waited = now_mono() - act->begun_at;

	if (effect == SOCKET_PROCESS_ENDED) {
		act_result_set(&act->end, "failed", "executor-ended", "the executor has ended");
	} else if (effect == SOCKET_CLOSED) {
		act->effect = waited;
		act_result_set(&act->end, "done", "", "");
	} else if (waited > EFFECT_WAIT) {
		end_unclosed(act);
	}
}

/* Appends to the reason, which has the text of the result. */
static void add_reason(struct shutdown_act *act, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void add_reason(struct shutdown_act *act, const char *fmt, ...)
{
	size_t len = strlen(act->end.reason);
	va_list args;

	va_start(args, fmt);
	vsnprintf(act->end.reason + len, sizeof(act->end.reason) - len, fmt, args);
	va_end(args);
}

static void tell_copies(struct shutdown_act *act)
{
	const struct inject_copies *copies = &act->copies;

	if (copies->n && *act->end.reason)
		add_reason(act, "; ");
	if (copies->n < 0) {
		add_reason(act, "it is not known whether a child that was forked during the "
				"injection keeps a copy of the socket open");
	} else if (copies->n > 0) {
		add_reason(act,
			   "children forked during the injection have inherited copies of the "
			   "socket (%d in all, one is descriptor %d of process %d): ",
			   copies->n, copies->fd, copies->pid);
		add_reason(act, copies->left ? "the connection ends when they do"
					     : "the connection was ended in their place");
	}
	if (copies->left > 0 && copies->other)
		add_reason(act, ", and process %d, which holds the socket itself", copies->other);
}

/*
 * Once the result is known, looks for copies of the socket that children may have inherited. False:
 * too early.
 */
static bool settle(struct shutdown_act *act)
{
	bool closed = act->effect >= 0;

	if (!act->ended_at)
		act->ended_at = now_mono();
	if (act->injected.dups.n && now_mono() < act->ended_at + INJECT_COPIES_WAIT)
		return false;
	if (act->injected.dups.n && !closed)
		closed = socket_effect_read(&act->asked->request) == SOCKET_PROCESS_ENDED;
	inject_copies_settle(&act->asked->request, &act->injected.dups, closed, &act->copies);
	tell_copies(act);
	act->settled = true;
	return true;
}

/* Whether something was done to it, of which not all is known yet. */
bool shutdown_act_is_open(const struct shutdown_act *act)
{
	return !act->reported && (act->begun || act->closing || act->injected.dups.n);
}

bool shutdown_act_check(struct shutdown_act *act)
{
	if (!act->end.result && act->closing)
		check_closing(act);
	else if (!act->end.result)
		check_effect(act);
	return act->end.result && settle(act);
}
