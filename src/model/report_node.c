/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rest of a report: other connections, the agent, deadlines, acts and events. */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/judge/agent_state.h"
#include "model/judge/deadlines.h"
#include "model/model_private.h"

/* ---- what else talks to the agent port ---- */

static void other_add(const struct store *store, const struct connection *conn,
		      struct report *report)
{
	int32_t pid = conn->n_holders ? conn->holders[0].pid : conn->owner;
	uint64_t start = conn->n_holders ? conn->holders[0].start : conn->owner_start;
	const struct process *process = pid ? store_process_find(store, pid, start) : NULL;
	struct report_other *other;

	for (size_t i = 0; i < report->n_others; i++) {
		if (report->others[i].pid == pid) {
			report->others[i].connections++;
			return;
		}
	}
	other = &report->others[report->n_others++];
	other->pid = pid;
	other->comm =
		arena_text(report->arena, process && process->known ? process->facts.comm : "");
	other->connections = 1;
}

static int other_order(const void *a, const void *b)
{
	const struct report_other *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool is_other(const struct executors *view, const struct connection *conn)
{
	return conn->facts.state == TCP_ESTABLISHED && connection_is_link(view->store, conn) &&
	       !executors_have_link(view, conn);
}

static void others_fill(const struct executors *view, struct report *report)
{
	const struct connection *conn, *next;
	size_t n = 0;

	HASH_ITER(hh, view->store->connections, conn, next)
	n += is_other(view, conn);
	report->others = arena_array(report->arena, n, sizeof(*report->others));
	if (!report->others)
		return;
	HASH_ITER(hh, view->store->connections, conn, next)
	{
		if (is_other(view, conn))
			other_add(view->store, conn, report);
	}
	qsort(report->others, report->n_others, sizeof(*report->others), other_order);
}

/* ---- the agent, the clocks, what was done ---- */

static const char *api_word(const struct store *store, const struct agent *agent)
{
	if (!agent)
		return store->agent_hidden ? "of a process that could not be read" : "down";
	if (!store->has_api)
		return "not asked";
	if (store->api.recovering)
		return "recovering";
	return *store->api.problem ? store->api.problem : "serving";
}

/* Until when it makes sense to wait for the end of the agent's recovery. */
static int64_t recovered_by(const struct store *store, const struct agent *agent)
{
	int64_t at = agent_state_serves_at(store);

	return at && !agent_state_is_late(store)
		       ? at
		       : agent->appeared + 15 * NS_PER_S + agent_state_reregister_timeout(store);
}

static void agent_fill(const struct store *store, struct report *report)
{
	const struct agent *agent = store_agent(store);
	struct report_agent *out = &report->agent;
	struct arena *arena = report->arena;

	out->comm = "";
	if (agent) {
		out->pid = agent->facts.pid;
		out->start = agent->facts.start;
		out->comm = arena_text(arena, agent->facts.comm);
		out->listen = agent->facts.listen;
	}
	out->version = arena_text(arena, store->has_api ? store->api.version : "");
	out->slave_id =
		arena_text(arena, store->has_api && *store->api.slave_id ? store->api.slave_id
				  : store->has_work_dir			 ? store->work_dir.slave_id
									 : "");
	out->work_dir = arena_text(arena, store->has_work_dir && store->work_dir.readable == EW_YES
						  ? store->work_dir.path
						  : "");
	out->api = arena_text(arena, api_word(store, agent));
	out->serving = agent_state_serves(store);
	out->recovered_by =
		agent && !out->serving ? store_wall(store, recovered_by(store, agent)) : 0;
	out->restarted = agent_state_is_another(store);
}

static void baseline_head_fill(const struct store *store, struct report *report)
{
	const struct fact_baseline *b = store->baselines.v;

	if (report_has_outcomes(report) && store->baselines.n)
		report->baseline =
			(struct report_baseline){ b->taken_wall, b->agent_pid, b->agent_start };
}

static void acts_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	report->acts = arena_array(arena, store->acts.n, sizeof(*report->acts));
	if (!report->acts)
		return;
	report->n_acts = store->acts.n;
	for (size_t i = 0; i < store->acts.n; i++) {
		const struct fact_act *a = &store->acts.v[i].facts;

		report->acts[i] = (struct report_act){
			.executor_id = arena_text(arena, a->executor_id),
			.framework_id = arena_text(arena, a->framework_id),
			.pid = a->pid,
			.fd = a->fd,
			.method = arena_text(arena, a->method),
			.result = arena_text(arena, a->result),
			.reason = arena_text(arena, a->reason),
			.reason_id = arena_text(arena, a->reason_id),
			.stopped = a->stopped,
			.effect = a->effect,
			.interrupted = a->interrupted,
			.copies = a->copies,
			.copies_left = a->copies_left,
			.at = store_wall(store, store->acts.v[i].at),
			.action = arena_text(arena, a->action),
			.proof = arena_text(arena, a->proof),
			.bytes = arena_text(arena, a->bytes),
			.before = { a->before_on, a->before_idle, a->before_interval,
				    a->before_count },
			.after = { a->on, a->idle, a->interval, a->count },
		};
	}
}

/* A refused act's reason replaces the verdict's: it is more precise. */
static void refusals_fill(struct report *report)
{
	if (report->kind != REPORT_SHUTDOWN)
		return;
	for (size_t i = 0; i < report->n_executors; i++)
		for (size_t j = 0; j < report->n_acts; j++)
			if (report->acts[j].pid == report->executors[i].pid &&
			    strcmp(report->acts[j].reason_id, "forbidden") == 0)
				report->executors[i].forbidden = report->acts[j].reason;
}

static void clocks_fill(const struct executors *view, struct report *report)
{
	report->clocks[0] = (struct report_clock){
		"executors", store_wall(view->store, deadline_executors(view, report->arena))
	};
	report->clocks[1] =
		(struct report_clock){ "master",
				       store_wall(view->store, deadline_master(view->store)) };
	report->clocks[2] =
		(struct report_clock){ "agent",
				       store_wall(view->store, deadline_agent(view->store)) };
}

static void events_fill(const struct store *store, struct report *report)
{
	const struct fact_hook *hook = store_hook(store, "messages");
	struct events events = store_events(store);

	report->messages = arena_text(report->arena, hook ? hook->program : "");
	report->messages_best_effort = hook && hook->best_effort;
	report->events_lost = events.lost;
	report->events_seen = events.seen;
}

static void master_fill(const struct store *store, struct report *report)
{
	if (!store->has_master)
		return;
	report->master.url = arena_text(report->arena, store->master.url);
	report->master.problem = arena_text(report->arena, store->master.problem);
	report->master.lists_agent = store->master.lists_agent;
	report->master.removal_after = store->master.removal_after;
}

void report_node_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	others_fill(view, report);
	agent_fill(store, report);
	master_fill(store, report);
	baseline_head_fill(store, report);
	acts_fill(store, report);
	refusals_fill(report);
	clocks_fill(view, report);
	events_fill(store, report);
}
