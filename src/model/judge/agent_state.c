/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/agent_state.h"

#include "base/now.h"

/* File times and the start of a process need not agree to the tick. */
#define CLOCK_SLACK (NS_PER_S / 10)
/* Executors with the default recovery timeout have ended by then. Bounds what clocks that were set
 * can make of boot_id. */
#define RECOVERY_MAX (15 * 60 * NS_PER_S)

int64_t agent_state_reregister_timeout(const struct store *store)
{
	return store->api.reregister_timeout > 0 ? store->api.reregister_timeout : 2 * NS_PER_S;
}

/*
 * When the agent began, mono, or a later time: its start time counts suspension, mono does not. It
 * is in units of 10 ms (USER_HZ is 100 on every machine that Mesos runs on).
 */
static int64_t began(const struct agent *agent)
{
	int64_t start = (int64_t)agent->facts.start * (NS_PER_S / 100);

	return agent->was_there && start < agent->appeared ? start : agent->appeared;
}

int64_t agent_state_began(const struct store *store, const struct agent *agent)
{
	int64_t wall = store_wall(store, began(agent));

	return store_mono(store, (wall + NS_PER_S - 1) / NS_PER_S * NS_PER_S);
}

/* Its API cannot be read (401, TLS, …). "Recovering" counts as an answer. */
static bool is_mute(const struct store *store)
{
	return !store->has_api || (*store->api.problem && store->api.http_status != 503);
}

/*
 * True when meta/boot_id, as read at since or later, was written before the agent's process began:
 * an agent writes it when its recovery is over (Mesos slave.cpp, __recover()). A start time that
 * counts suspension is not compared.
 */
static bool has_not_written(const struct store *store, const struct agent *agent, int64_t since)
{
	const struct fact_work_dir *dir = &store->work_dir;
	int64_t start = (int64_t)agent->facts.start * (NS_PER_S / 100);

	return store->has_work_dir && store->work_dir_at >= since && dir->boot_written > 0 &&
	       start <= agent->appeared &&
	       store_mono(store, dir->boot_written) < start - CLOCK_SLACK;
}

/* For an agent whose API cannot be read: when a usual recovery is over; 0: its API tells. */
static int64_t usual_end(const struct store *store)
{
	const struct agent *agent = store_agent(store);

	return agent && !agent->recovered_at && is_mute(store)
		       ? began(agent) + 15 * NS_PER_S + agent_state_reregister_timeout(store)
		       : 0;
}

bool agent_state_is_late(const struct store *store)
{
	int64_t usual = usual_end(store);

	return usual && has_not_written(store, store_agent(store), usual);
}

bool agent_state_needs_boot_id(const struct store *store)
{
	int64_t usual = usual_end(store);

	return usual && store->now > usual && store->work_dir_at < usual &&
	       has_not_written(store, store_agent(store), 0);
}

int64_t agent_state_serves_at(const struct store *store)
{
	return agent_state_is_late(store) ? began(store_agent(store)) + RECOVERY_MAX
					  : usual_end(store);
}

bool agent_state_serves(const struct store *store)
{
	const struct agent *agent = store_agent(store);
	int64_t at = agent_state_serves_at(store);

	return agent && (agent->recovered_at ||
			 (at && store->now > at && !agent_state_needs_boot_id(store)));
}

bool agent_state_restarted(const struct store *store, const struct fact_baseline *b)
{
	const struct agent *agent = store_agent(store);

	return agent && (agent->facts.pid != b->agent_pid || agent->facts.start != b->agent_start);
}

bool agent_state_is_another(const struct store *store)
{
	const struct agent *agent = store_agent(store);

	if (!agent)
		return false;
	for (size_t i = 0; i < store->baselines.n; i++)
		if (agent_state_restarted(store, &store->baselines.v[i]))
			return true;
	/* Without an executor no baseline names the agent of before; `run` looks at it first. */
	return !store->baselines.n && store->session.restart_wanted && !agent->was_there;
}
