/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/agent_away.h"

#include "model/judge/agent_state.h"

static bool is_there(const struct agent *agent, int64_t at)
{
	return agent->appeared <= at && (!agent->gone_at || agent->gone_at > at);
}

/* The master hears from an agent again after its recovery (Mesos slave.cpp, __recover()). */
static int64_t heard_again(const struct store *store, int64_t gone)
{
	int64_t first = store->now;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];
		int64_t at = agent->recovered_at ? agent->recovered_at : agent->appeared;

		if (agent_is_impostor(store, agent))
			continue;
		if (is_there(agent, gone))
			return gone;
		if (agent->appeared >= gone && at < first)
			first = at;
	}
	return first;
}

int64_t agent_away(const struct store *store)
{
	int64_t longest = 0;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];
		int64_t gone = agent_is_impostor(store, agent) ? 0 : agent->gone_at;
		int64_t away = gone ? heard_again(store, gone) - gone : 0;

		if (away > longest)
			longest = away;
	}
	return longest;
}

int64_t agent_away_gone_by(const struct store *store, const struct fact_baseline *baseline)
{
	const struct agent *agent = store_agent(store);
	int64_t began;

	if (!agent || !agent_state_restarted(store, baseline))
		return store->gone_by ? store->gone_by : store->session_began;
	began = agent_state_began(store, agent);
	return store->gone_by && store->gone_by < began ? store->gone_by : began;
}

struct away agent_away_unseen(const struct store *store)
{
	const struct agent *agent = store_agent(store);
	const struct fact_baseline *b = store->baselines.v;
	int64_t began, taken;

	if (!store->baselines.n || !agent || !agent->was_there || !agent_state_restarted(store, b))
		return (struct away){ 0 };
	began = agent_state_began(store, agent);
	taken = store_mono(store, b->taken_wall);
	if (began <= taken)
		return (struct away){ 0 };
	return (struct away){
		.at_least = !b->agent_pid				   ? began - taken
			    : store->gone_by > 0 && store->gone_by < began ? began - store->gone_by
									   : 0,
		.at_most = began - taken,
	};
}
