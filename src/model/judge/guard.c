/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which links did not notice that the agent has ended, and which of them may still be touched. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/judge/evidence.h"
#include "model/judge/executors.h"
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

/*
 * And an act can reach it, which it cannot for a link of MPTCP. An end that the new agent holds is
 * not the end of a stale link.
 */
static bool is_stale(const struct store *store, const struct executor_link *link)
{
	return link->fd >= 0 && !link->conn->facts.mptcp &&
	       evidence_agent_end(store, link->conn) == EW_NO;
}

static size_t targets_of(const struct store *store, const struct agent *ended,
			 const struct executor *executor, struct model_target *targets)
{
	const struct process *process = executor->process;
	size_t n = 0;

	for (size_t i = 0; i < executor->n_links; i++) {
		const struct executor_link *link = &executor->links[i];

		if (!is_stale(store, link))
			continue;
		targets[n++] = (struct model_target){
			.executor_id = process->facts.executor_id,
			.framework_id = process->facts.framework_id,
			.pid = process->key.pid,
			.start = process->key.start,
			.fd = link->fd,
			.cookie = link->conn->facts.cookie,
			.inode = link->conn->facts.inode,
			.verdict = VERDICT_HALF_OPEN,
			.recovery_timeout = evidence_recovery_timeout(&process->facts),
			.changed = refusal(store, ended, process),
		};
	}
	return n;
}

static size_t room_for(const struct executors *view)
{
	const struct store *store = view->store;
	size_t room = 1;

	for (size_t i = 0; i < store->baselines.n; i++) {
		const struct fact_baseline *b = &store->baselines.v[i];
		const struct executor *executor = executors_find(view, b->pid, b->start);

		room += executor ? executor->n_links : 0;
	}
	return room;
}

static int collect(const struct executors *view, const struct agent *ended, struct arena *arena,
		   struct model_target **ret, size_t *n)
{
	const struct store *store = view->store;
	struct model_target *targets = calloc(room_for(view), sizeof(*targets));
	size_t count = 0;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; ended && i < store->baselines.n; i++) {
		const struct fact_baseline *b = &store->baselines.v[i];
		const struct executor *executor = executors_find(view, b->pid, b->start);

		if (executor && is_unaware(store, executor, arena))
			count += targets_of(store, ended, executor, targets + count);
	}
	model_targets_sort(targets, count);
	*ret = targets;
	*n = count;
	return 0;
}

int model_guard_targets(const struct model *model, int32_t agent_pid, uint64_t agent_start,
			struct model_target **ret, size_t *n)
{
	const struct store *store = model_store(model);
	const struct agent *ended = agent_find(store, agent_pid, agent_start);
	struct arena *arena = arena_new();
	struct executors view;
	int err;

	if (!arena)
		return -ENOMEM;
	executors_build(&view, store, arena);
	err = arena_broken(arena) || store->broken
		      ? -ENOMEM
		      : collect(&view, ended && ended->gone_at ? ended : NULL, arena, ret, n);
	arena_free(arena);
	return err;
}

bool model_guard_covers(const struct report_executor *executor)
{
	size_t links = executor->protocol == PROTOCOL_V1 ? V1_CONNECTIONS : 1;

	if (verdict_effect(executor->verdict) != EFFECT_LOST_UNTREATED || executor->forbidden ||
	    executor->n_links < links)
		return false;
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].state != TCP_ESTABLISHED || executor->links[i].fd < 0)
			return false;
	return true;
}
