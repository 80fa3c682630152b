/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which links did not notice that the agent has ended, and which of them may still be touched. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/judge/agent_end.h"
#include "model/judge/agent_state.h"
#include "model/judge/evidence.h"
#include "model/judge/executors.h"
#include "model/judge/guard.h"
#include "model/model_private.h"
#include "model/verdict_table.h"

static const struct agent *agent_find(const struct store *store, int32_t pid, uint64_t start)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].facts.pid == pid && store->agents.v[i].facts.start == start)
			return &store->agents.v[i];
	return NULL;
}

bool model_agent_ended(const struct model *model, int32_t pid, uint64_t start)
{
	const struct agent *agent = agent_find(model_store(model), pid, start);

	return agent && agent->gone_at;
}

bool model_has_hook(const struct model *model, const char *hook)
{
	const struct fact_hook *found = store_hook(model_store(model), hook);

	return found && *found->program;
}

static bool asked(const struct registration *h, const struct agent *ended)
{
	return h->asked && (h->asked > h->registered || h->asked >= ended->gone_at);
}

/*
 * Only v0 executors are asked to reconnect (Mesos slave/slave.cpp, Slave::recover()); a v1 executor
 * subscribes by itself.
 */
static const char *refusal(const struct store *store, const struct agent *ended,
			   const struct process *process)
{
	const struct agent *now = store_agent(store);
	const struct checkpoint *checkpoint;

	if (asked(&process->history, ended))
		return "the new agent has already asked it to reconnect: a second disconnect would "
		       "end it";
	checkpoint = store_checkpoint_find(store, &process->facts);
	if (evidence_protocol(checkpoint) == PROTOCOL_V1 || !now || now == ended ||
	    store_sees_messages(store))
		return NULL;
	return "a new agent listens, and which executors it has asked to reconnect is not "
	       "observed: a second disconnect would end one that was asked";
}

const char *model_guard_refusal(const struct model *model, int32_t agent_pid, uint64_t agent_start,
				int32_t pid, uint64_t start)
{
	const struct store *store = model_store(model);
	const struct agent *ended = agent_find(store, agent_pid, agent_start);
	const struct process *process = store_process_find(store, pid, start);

	if (!ended || !process_is_alive(process))
		return "it has ended";
	return refusal(store, ended, process);
}

/* A v1 executor of which one link has ended closes the other by itself (Mesos executor.cpp). */
static bool has_all_links(const struct executor *executor, const struct evidence *evidence)
{
	return executor->n_links >= (evidence->protocol == PROTOCOL_V1 ? V1_CONNECTIONS : 1);
}

/* An act cannot reach a link of MPTCP. */
static bool is_reachable(const struct executor_link *link)
{
	return link->fd >= 0 && !link->conn->facts.mptcp;
}

/* ---- before the agent's end ---- */

bool guard_would_treat(const struct store *store, const struct executor *executor,
		       const struct evidence *evidence)
{
	const struct registration *h = &executor->process->history;
	struct evidence without_agent = *evidence;

	/* What is known of the other ends and of connection tracking no longer matters then. */
	without_agent.worst = LINK_HALF_OPEN;
	return executor->process->key.pid && has_all_links(executor, evidence) &&
	       verdict_of(&without_agent) == VERDICT_HALF_OPEN && !h->down_since &&
	       h->asked <= h->registered && !store_rival(store) && agent_state_serves(store);
}

bool guard_reaches_all(const struct executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (!is_reachable(&executor->links[i]))
			return false;
	return true;
}

/* ---- after it ---- */

/*
 * It still believes in a link whose agent's end is gone, and would be lost by that. Whether a new
 * agent may have asked it already is refusal()'s to say.
 */
static bool is_unaware(const struct store *store, const struct executor *executor,
		       struct arena *arena)
{
	struct evidence evidence;

	if (executor->process->history.down_since)
		return false;
	evidence = evidence_of_executor(store, executor, arena);
	evidence.taken_back = EW_YES;
	return has_all_links(executor, &evidence) && verdict_of(&evidence) == VERDICT_HALF_OPEN;
}

/* An end that the new agent holds is not the end of a stale link. */
static bool is_stale(const struct store *store, const struct executor_link *link)
{
	return is_reachable(link) && agent_end_of(store, link->conn) == EW_NO;
}

static struct model_target target_of(const struct executor *executor,
				     const struct executor_link *link)
{
	const struct process *process = executor->process;

	return (struct model_target){
		.executor_id = process->facts.executor_id,
		.framework_id = process->facts.framework_id,
		.pid = process->key.pid,
		.start = process->key.start,
		.fd = link->fd,
		.cookie = link->conn->facts.cookie,
		.inode = link->conn->facts.inode,
		.verdict = VERDICT_HALF_OPEN,
		.recovery_timeout = evidence_recovery_timeout(&process->facts),
	};
}

/* ---- the lists ---- */

struct listed {
	struct model_target *v;
	size_t n;
};

/* Those of one executor, whose agent has ended (NULL: not yet). */
typedef void list_fn(const struct store *store, const struct agent *ended,
		     const struct executor *executor, struct arena *arena, struct listed *list);

static void list_stale(const struct store *store, const struct agent *ended,
		       const struct executor *executor, struct arena *arena, struct listed *list)
{
	if (!is_unaware(store, executor, arena))
		return;
	for (size_t i = 0; i < executor->n_links; i++) {
		if (!is_stale(store, &executor->links[i]))
			continue;
		list->v[list->n] = target_of(executor, &executor->links[i]);
		list->v[list->n++].changed = refusal(store, ended, executor->process);
	}
}

static void list_planned(const struct store *store, const struct agent *ended,
			 const struct executor *executor, struct arena *arena, struct listed *list)
{
	struct evidence evidence = evidence_of_executor(store, executor, arena);

	(void)ended;
	if (!guard_would_treat(store, executor, &evidence))
		return;
	for (size_t i = 0; i < executor->n_links; i++) {
		if (!is_reachable(&executor->links[i]))
			continue;
		list->v[list->n] = target_of(executor, &executor->links[i]);
		list->v[list->n++].verdict = verdict_of(&evidence);
	}
}

static int list_make(const struct executors *view, const struct agent *ended, list_fn *one,
		     struct arena *arena, struct listed *list)
{
	size_t room = 1;

	for (size_t i = 0; i < view->n_executors; i++)
		room += view->executors[i].n_links;
	list->v = calloc(room, sizeof(*list->v));
	if (!list->v)
		return -ENOMEM;
	for (size_t i = 0; i < view->n_executors; i++)
		one(view->store, ended, &view->executors[i], arena, list);
	model_targets_sort(list->v, list->n);
	return 0;
}

static int targets_list(const struct model *model, const struct agent *ended, list_fn *one,
			struct model_target **ret, size_t *n)
{
	const struct store *store = model_store(model);
	struct arena *arena = arena_new();
	struct listed list = { 0 };
	struct executors view = { 0 };
	int err;

	if (!arena)
		return -ENOMEM;
	executors_build(&view, store, arena);
	err = arena_broken(arena) || store->broken ? -ENOMEM
						   : list_make(&view, ended, one, arena, &list);
	arena_free(arena);
	*ret = list.v;
	*n = list.n;
	return err;
}

int model_guard_targets(const struct model *model, int32_t agent_pid, uint64_t agent_start,
			struct model_target **ret, size_t *n)
{
	const struct agent *ended = agent_find(model_store(model), agent_pid, agent_start);

	if (ended && ended->gone_at)
		return targets_list(model, ended, list_stale, ret, n);
	*n = 0;
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

int model_guard_plan(const struct model *model, struct model_target **ret, size_t *n)
{
	return targets_list(model, NULL, list_planned, ret, n);
}

bool model_guard_covers(const struct report_executor *executor)
{
	switch (verdict_effect(executor->verdict)) {
	case EFFECT_LOST_UNTREATED:
		return executor->guardable && !executor->forbidden;
	case EFFECT_UNKNOWN:
		return executor->guardable; /* unknown is only what its link's other end is */
	default:
		return false;
	}
}
