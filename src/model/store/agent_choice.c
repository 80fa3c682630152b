/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/agent_choice.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/addr.h"
#include "mesos/agent_name.h"
#include "model/store/checkpoints.h"
#include "model/store/processes.h"

/* 2: has an agent's name; 1: its name is not known yet; 0: has another name. */
static int name_rank(const struct store *store, const struct agent *agent)
{
	const char *comm = agent->facts.comm, *exe = agent->facts.exe;
	const struct process *process;

	if (!*comm && !*exe) {
		process = store_process_find(store, agent->facts.pid, agent->facts.start);
		if (!process || !process->known)
			return 1;
		comm = process->facts.comm;
		exe = process->facts.exe;
	}
	return mesos_is_agent_name(comm, exe) ? 2 : *comm || *exe ? 0 : 1;
}

/* Once an agent was seen under its name, a task of another namespace with the same port is no
 * agent.
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

/* True for a forked child that inherited the listener: the agent is its parent. */
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

/* Older recordings lack this field: an agent of any namespace may be meant. */
static bool may_be_meant(const struct store *store, const struct agent *agent)
{
	return is_here(store, agent) || store->session.elsewhere != EW_NO;
}

bool agent_is_impostor(const struct store *store, const struct agent *agent)
{
	return agent->facts.uid_known == EW_YES && agent->facts.uid != 0 && store->has_work_dir &&
	       store->work_dir.owner_known == EW_YES && agent->facts.uid != store->work_dir.uid;
}

/* By name, then by namespace, then by age. */
static bool is_better(const struct store *store, const struct agent *a, const struct agent *b)
{
	int rank = name_rank(store, a) - name_rank(store, b);

	if (rank)
		return rank > 0;
	if (is_here(store, a) != is_here(store, b))
		return is_here(store, a);
	if (a->named != b->named)
		return a->named > b->named;
	return a->appeared >= b->appeared;
}

static bool may_be(const struct store *store, const struct agent *agent)
{
	return name_counts(store, agent) && may_be_meant(store, agent) &&
	       !agent_is_impostor(store, agent);
}

static bool is_eligible(const struct store *store, const struct agent *agent)
{
	return !agent->gone_at && may_be(store, agent) && !is_copy(store, agent);
}

/*
 * Among candidates by user and namespace: the one with an agent's name; of several the one in the
 * agent's own namespace, then the one whose address the checkpointed executors name, else the
 * newest.
 */
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

/* Only one process of a namespace listens at an address: the executors' checkpoints decide. */
static bool is_as_good(const struct store *store, const struct agent *agent,
		       const struct agent *chosen)
{
	if (name_rank(store, agent) != name_rank(store, chosen))
		return false;
	if (agent->facts.netns == chosen->facts.netns)
		return store->session.elsewhere != EW_UNKNOWN &&
		       (!store->session.work_dir_given || agent->named == chosen->named);
	return !is_here(store, chosen);
}

const struct agent *store_rival(const struct store *store)
{
	const struct agent *chosen = store_agent(store);

	for (size_t i = 0; chosen && i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent != chosen && is_eligible(store, agent) &&
		    is_as_good(store, agent, chosen))
			return agent;
	}
	return NULL;
}

const struct agent *store_other_agent(const struct store *store, const struct ew_addr *addr,
				      uint64_t netns)
{
	const struct agent *chosen = store_agent(store);

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];
		const struct fact_agent *a = &agent->facts;
		/* A loopback address means the agent of the executor's own namespace. */
		bool there =
			a->netns == netns || (!is_here(store, agent) && !addr_is_loopback(addr));

		if (agent == chosen || agent->gone_at || agent_is_impostor(store, agent) ||
		    is_copy(store, agent) || !there)
			continue;
		if (addr_ip_equal(&a->listen, addr) ||
		    (addr_is_any(&a->listen) && a->netns == netns && !is_here(store, agent)))
			return agent;
	}
	return NULL;
}

void store_count_named(struct store *store)
{
	const struct process *process, *next;

	for (size_t i = 0; i < store->agents.n; i++)
		store->agents.v[i].named = 0;
	if (store->agents.n < 2)
		return;
	HASH_ITER(hh, store->processes, process, next)
	{
		if (!process->agent_known || !process_is_alive(process) ||
		    !store_checkpoint_find(store, &process->facts))
			continue;
		for (size_t i = 0; i < store->agents.n; i++)
			store->agents.v[i].named += addr_ip_equal(&store->agents.v[i].facts.listen,
								  &process->agent_addr);
	}
}

const struct agent *store_last_agent(const struct store *store)
{
	const struct agent *last = store_agent(store);

	for (size_t i = 0; i < store->agents.n && (!last || last->gone_at); i++) {
		const struct agent *agent = &store->agents.v[i];

		if (may_be(store, agent) && (!last || agent->gone_at > last->gone_at))
			last = agent;
	}
	return last;
}

bool store_is_agent(const struct store *store, int32_t pid, uint64_t start)
{
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent->facts.pid == pid && (agent->facts.start == start || !start))
			return may_be(store, agent);
	}
	return false;
}

/*
 * It has ended by itself with a failure: EXIT(EXIT_FAILURE) or a CHECK that failed (SIGABRT). One
 * that somebody ended by a signal has not.
 */
static bool has_failed(const struct agent *agent)
{
	int status = agent->status;

	if (!agent->exited || status < 0)
		return false;
	return WIFEXITED(status) ? WEXITSTATUS(status) != 0
				 : WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

const struct agent *store_failed_start(const struct store *store, size_t *n)
{
	const struct agent *last = NULL;

	*n = 0;
	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (!may_be(store, agent))
			continue;
		if (agent->recovered_at && !agent->gone_at) {
			*n = 0;
			return NULL;
		}
		if (agent->was_there || !agent->gone_at || agent->recovered_at ||
		    !has_failed(agent))
			continue;
		++*n;
		if (!last || agent->gone_at > last->gone_at)
			last = agent;
	}
	return last;
}
