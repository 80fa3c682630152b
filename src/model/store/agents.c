/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which process is the agent, of all that were ever seen to listen on its port. */
#include <string.h>

#include "model/store/store.h"

static struct agent *agent_get(struct store *store, const struct fact_agent *facts)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid == facts->pid && agent->facts.start == facts->start)
			return agent;
	}
	if (!store_grow(store, store->agents))
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

/* A hook knows only the process: what a survey told of it stays. */
static void facts_set(struct store *store, struct agent *agent, const struct fact_agent *facts)
{
	struct fact_agent was = agent->facts;

	agent->facts = *facts;
	agent->facts.comm = text_or(store, facts->comm, was.comm);
	agent->facts.exe = text_or(store, facts->exe, was.exe);
	agent->facts.cgroup = text_or(store, facts->cgroup, was.cgroup);
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
	agent->seen = store->survey;
	if (is_new)
		agent_begins(agent, fact->mono, !hooked && store->survey <= 1);
	else if (agent->gone_at && fact->mono > agent->gone_at && !fact->agent.gone)
		agent_begins(agent, fact->mono, false); /* the same process listens again */
	if (hooked && fact->mono < agent->appeared) {
		/* The hook's event came by its ring after a survey had shown the agent. */
		agent->appeared = fact->mono;
		agent->was_there = false;
	}
	if (process && process->ended)
		agent_gone(
			agent,
			process->ended_at); /* a row that was read before, and put after, its end */
	if (fact->agent.gone)
		agent_gone(agent, fact->mono);
}

void store_put_agent(struct store *store, const struct fact *fact)
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
		const struct fact_agent *a = &store->agents.v[i].facts;

		if (a->pid == fact->exit.pid && a->start == fact->exit.start)
			agent_gone(&store->agents.v[i], fact->mono);
	}
}

void store_end_agents(struct store *store, int64_t mono)
{
	for (size_t i = 0; i < store->agents.n; i++)
		if (store->agents.v[i].seen != store->survey)
			agent_gone(&store->agents.v[i], mono);
}

/* ---- which of them ---- */

static bool is_agents_name(const char *name)
{
	return strstr(name, "mesos-agent") || strstr(name, "mesos-slave");
}

/* 2: named as agents are; 1: nobody has told its name yet; 0: named otherwise. */
static int name_rank(const struct store *store, const struct agent *agent)
{
	const char *comm = agent->facts.comm, *exe = agent->facts.exe, *name;
	const struct process *process;

	if (!*comm && !*exe) {
		process = store_process_find(store, agent->facts.pid, agent->facts.start);
		if (!process || !process->known)
			return 1;
		comm = process->facts.comm;
		exe = process->facts.exe;
	}
	name = strrchr(exe, '/');
	return is_agents_name(comm) || (name && is_agents_name(name)) ? 2 : *comm || *exe ? 0 : 1;
}

/* Where an agent was seen under its name, a task of another namespace with the same port is none.
 */
static bool name_counts(const struct store *store, const struct agent *agent)
{
	if (name_rank(store, agent))
		return true;
	for (size_t i = 0; i < store->agents.n; i++)
		if (name_rank(store, &store->agents.v[i]) == 2)
			return false;
	return true;
}

/* A child that was forked with the listener in its hands: the agent is who had it first. */
static bool is_copy(const struct store *store, const struct agent *agent)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *other = &store->agents.v[i];

		if (other == agent || other->gone_at || other->facts.cookie != agent->facts.cookie)
			continue;
		if (other->facts.start < agent->facts.start ||
		    (other->facts.start == agent->facts.start && other < agent))
			return true;
	}
	return false;
}

static bool is_here(const struct store *store, const struct agent *agent)
{
	return store->session.netns && agent->facts.netns == store->session.netns;
}

/* A name tells more than a place, a place more than an age. */
static bool is_better(const struct store *store, const struct agent *a, const struct agent *b)
{
	int rank = name_rank(store, a) - name_rank(store, b);

	if (rank)
		return rank > 0;
	if (is_here(store, a) != is_here(store, b))
		return is_here(store, a);
	return a->appeared >= b->appeared;
}

static bool is_eligible(const struct store *store, const struct agent *agent)
{
	return !agent->gone_at && name_counts(store, agent) && !is_copy(store, agent);
}

/* By its name if one has it; of several the one in execwatch's own namespace; else the newest. */
const struct agent *store_agent(const struct store *store)
{
	const struct agent *best = NULL;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (is_eligible(store, agent) && (!best || is_better(store, agent, best)))
			best = agent;
	}
	return best;
}

const struct agent *store_rival(const struct store *store)
{
	const struct agent *chosen = store_agent(store);

	if (!chosen || is_here(store, chosen))
		return NULL;
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent != chosen && is_eligible(store, agent) &&
		    name_rank(store, agent) == name_rank(store, chosen) &&
		    agent->facts.netns != chosen->facts.netns)
			return agent;
	}
	return NULL;
}

const struct agent *store_last_agent(const struct store *store)
{
	const struct agent *last = store_agent(store);

	for (size_t i = 0; i < store->agents.n && (!last || last->gone_at); i++) {
		const struct agent *agent = &store->agents.v[i];

		if (name_counts(store, agent) && (!last || agent->gone_at > last->gone_at))
			last = agent;
	}
	return last;
}

bool store_is_agent(const struct store *store, int32_t pid, uint64_t start)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid == pid && (agent->facts.start == start || !start))
			return name_counts(store, agent);
	}
	return false;
}
