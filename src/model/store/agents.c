/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/agents.h"

#include "base/addr.h"
#include "model/store/apply.h"
#include "model/store/memory.h"
#include "model/store/processes.h"

static struct agent *agent_get(struct store *store, const struct fact_agent *facts)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid == facts->pid && agent->facts.start == facts->start)
			return agent;
	}
	if (!store_reserve(store, store->agents))
		return NULL;
	store->agents.v[store->agents.n] = (struct agent){ 0 };
	return &store->agents.v[store->agents.n++];
}

static void agent_gone(struct agent *agent, int64_t mono)
{
	if (!agent->gone_at)
		agent->gone_at = mono;
}

static const char *text_or(struct store *store, const char *text, const char *old)
{
	return store_text(store, text && *text ? text : old);
}

/* A hook reports only the process: the details of the last snapshot stay. */
static void facts_set(struct store *store, struct agent *agent, const struct fact_agent *facts)
{
	struct fact_agent was = agent->facts;

	agent->facts = *facts;
	agent->facts.comm = text_or(store, facts->comm, was.comm);
	agent->facts.exe = text_or(store, facts->exe, was.exe);
	agent->facts.cgroup = text_or(store, facts->cgroup, was.cgroup);
	if (!facts->pidns) {
		agent->facts.pidns = was.pidns;
		agent->facts.pidns_init = was.pidns_init;
	}
}

static void agent_begins(struct agent *agent, int64_t mono, bool was_there)
{
	agent->appeared = mono;
	agent->was_there = was_there;
	agent->gone_at = 0;
	agent->recovered_at = 0;
}

static void agent_seen(struct store *store, const struct fact *fact, bool hooked)
{
	const struct process *process =
		store_process_find(store, fact->agent.pid, fact->agent.start);
	struct agent *agent = agent_get(store, &fact->agent);
	bool is_new;

	if (!agent)
		return;
	is_new = !agent->facts.pid;
	facts_set(store, agent, &fact->agent);
	agent->seen = store->snapshot;
	if (is_new)
		agent_begins(agent, fact->mono, !hooked && store->snapshot <= 1);
	else if (agent->gone_at && fact->mono > agent->gone_at && !fact->agent.gone)
		agent_begins(agent, fact->mono, false); /* the same process listens again */
	if (hooked && fact->mono < agent->appeared) {
		/* The hook's event came by its ring after a snapshot had shown the agent. */
		agent->appeared = fact->mono;
		agent->was_there = false;
	}
	if (process && process->ended) { /* a row read before its end, emitted after it */
		agent_gone(agent, process->ended_at);
		agent->exited = true;
		agent->status = process->exit.status;
	}
	if (fact->agent.gone)
		agent_gone(agent, fact->mono);
}

void store_apply_agent(struct store *store, const struct fact *fact)
{
	agent_seen(store, fact, false);
}

void store_agent_listens(struct store *store, const struct fact *fact)
{
	const struct fact_tcp *t = &fact->tcp;
	struct fact_agent seen = { .pid = t->pid,
				   .start = t->start,
				   .listen = t->local,
				   .netns = t->netns,
				   .cookie = t->cookie };
	struct fact as_agent = { .type = FACT_AGENT, .mono = fact->mono, .agent = seen };

	if (t->pid)
		agent_seen(store, &as_agent, true);
}

void store_agent_closed(struct store *store, const struct fact *fact)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].facts.cookie == fact->tcp.cookie)
			agent_gone(&store->agents.v[i], fact->mono);
}

void store_agent_exited(struct store *store, const struct fact *fact)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid != fact->exit.pid || agent->facts.start != fact->exit.start)
			continue;
		agent_gone(agent, fact->mono);
		agent->exited = true;
		agent->status = fact->exit.status;
	}
}

void store_end_agents(struct store *store, int64_t mono)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].seen != store->snapshot)
			agent_gone(&store->agents.v[i], mono);
}
