/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/agent_state.h"
#include "model/judge/deadlines.h"

#include "base/arena.h"
#include "base/now.h"
#include "model/judge/evidence.h"
#include "model/model_private.h"
#include "model/judge/outcome.h"

int64_t deadline_executors(const struct executors *view, struct arena *arena)
{
	const struct store *store = view->store;
	int64_t first = 0;

	for (size_t i = 0; i < store->baselines.n; i++) {
		struct fate fate;

		outcome_judge(view, &store->baselines.v[i], arena, &fate);
		if (fate.outcome == OUTCOME_WAITING && fate.disconnected && !fate.ending &&
		    (!first || fate.deadline < first))
			first = fate.deadline;
	}
	return first;
}

static int64_t agent_gone_at(const struct store *store)
{
	int64_t gone = 0;

	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].gone_at > gone)
			gone = store->agents.v[i].gone_at;
	return gone;
}

int64_t deadline_master(const struct store *store)
{
	int64_t gone = store_agent(store) ? 0 : agent_gone_at(store);

	return gone ? gone + store_master_timeout(store) : 0;
}

int64_t deadline_agent(const struct store *store)
{
	const struct agent *agent = store_agent(store);

	if (!agent || agent_state_serves(store) || !store->has_api || !store->api.recovering)
		return 0;
	return agent->appeared + agent_state_reregister_timeout(store);
}

/* The times that decide whether watching may end. */
struct bounds {
	bool waiting;	/* an outcome is still open */
	bool living;	/* an executor of the baseline runs */
	int64_t proven; /* when the last disconnected executor that runs has outlived its recovery
			   timeout */
	int64_t last;	/* last deadline of all */
	int64_t next;	/* first deadline that lies ahead */
};

static void bound(struct bounds *b, int64_t now, int64_t at)
{
	if (at > b->last)
		b->last = at;
	if (at > now && (!b->next || at < b->next))
		b->next = at;
}

/*
 * Until when an agent is waited for: the master's limit. The end of one that is not there any more
 * and was not seen to go came before this session.
 */
static int64_t return_bound(const struct store *store)
{
	int64_t gone = agent_gone_at(store);

	if (store_agent(store))
		return 0;
	return (gone ? gone : store->session_began) + store_master_timeout(store);
}

/* Bound on waiting for an agent's recovery: executors' default recovery timeout. */
static int64_t recovery_bound(const struct store *store)
{
	const struct agent *agent = store_agent(store);

	return agent && !agent_state_serves(store) ? agent->appeared + 15 * 60 * NS_PER_S : 0;
}

static struct bounds bounds_collect(const struct store *store, struct arena *arena)
{
	struct bounds b = { 0 };
	struct executors view;

	executors_build(&view, store, arena);
	for (size_t i = 0; i < store->baselines.n; i++) {
		const struct fact_baseline *baseline = &store->baselines.v[i];
		int64_t proven = outcome_proven_at(store, baseline);
		struct fate fate;

		outcome_judge(&view, baseline, arena, &fate);
		b.living |=
			process_is_alive(store_process_find(store, baseline->pid, baseline->start));
		if (fate.outcome == OUTCOME_WAITING) {
			b.waiting = true;
			bound(&b, store->now, fate.deadline);
			bound(&b, store->now, fate.ends_by);
		}
		bound(&b, store->now, proven);
		if (proven > b.proven)
			b.proven = proven;
	}
	bound(&b, store->now, return_bound(store));
	bound(&b, store->now, deadline_agent(store));
	bound(&b, store->now, agent_state_serves_at(store));
	bound(&b, store->now, recovery_bound(store));
	/* A link that is old enough is a proof; no event marks that moment. */
	if (b.waiting && agent_state_serves(store) && (!b.next || b.next > store->now + NS_PER_S))
		b.next = store->now + NS_PER_S;
	return b;
}

/*
 * A command may return before the restart (systemctl --no-block): a restart is waited for this long
 * after the end of the command.
 */
#define RESTART_PATIENCE (60 * NS_PER_S)

/* Until when `run` waits for its command's restart of the agent, mono ns; 0: it does not wait, or
 * the agent has been restarted. */
static int64_t restart_bound(const struct store *store)
{
	if (!store->session.restart_wanted || !store_agent(store) || agent_state_is_another(store))
		return 0;
	return (store->command_ended ? store->command_ended : store->now) + RESTART_PATIENCE;
}

bool model_agent_serves(const struct model *model)
{
	return agent_state_serves(model_store(model));
}

bool model_wants_tracking(const struct model *model)
{
	return model_store(model)->early_unplaced;
}

bool model_wants_checkpoints(const struct model *model)
{
	const struct store *store = model_store(model);

	return agent_state_needs_boot_id(store) ||
	       (agent_state_is_late(store) && !agent_state_serves(store));
}

bool model_done(const struct model *model, enum model_until until, int64_t *next)
{
	const struct store *store = model_store(model);
	struct arena *arena = arena_new();
	bool settled, past;
	int64_t restart = restart_bound(store);
	struct bounds b;

	*next = 0;
	if (!arena)
		return true;
	b = bounds_collect(store, arena);
	arena_free(arena);
	bound(&b, store->now, restart);
	*next = b.next;
	if (store->now < restart)
		return false;
	settled = agent_state_serves(store) && !b.waiting;
	if (settled)
		return until == UNTIL_SETTLED || store->now >= b.proven;
	/* No executor is left to register again, or the last deadline has passed: do not wait for
	 * ever. */
	past = b.last && store->now >= b.last;
	return past || (store->baselines.n && !b.living);
}
