/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/appeared.h"

#include <string.h>

#include "model/judge/evidence.h"
#include "model/verdict_table.h"

/* Compared by run: rows of the disk and the API have no process. */
static bool in_baseline(const struct store *store, const struct process *process)
{
	const struct process_facts *p = &process->facts;

	for (size_t i = 0; i < store->baselines.n; i++) {
		const struct fact_baseline *b = &store->baselines.v[i];

		if (b->pid > 0 && b->pid == process->key.pid && b->start == process->key.start)
			return true;
		if (strcmp(b->framework_id, p->framework_id) == 0 &&
		    strcmp(b->executor_id, p->executor_id) == 0 &&
		    strcmp(b->container_id, p->container_id) == 0)
			return true;
	}
	return false;
}

bool appeared_is_living(const struct store *store, const struct executor *executor)
{
	return *executor->process->facts.executor_id && !in_baseline(store, executor->process);
}

static bool is_ours(const struct store *store, const struct process *process)
{
	const char *id = store->has_work_dir ? store->work_dir.slave_id : "";

	return process->agent_known && agent_ports_have(&store->ports, process->agent_addr.port) &&
	       (!*id || !*process->facts.slave_id || strcmp(id, process->facts.slave_id) == 0);
}

bool appeared_came_back(const struct store *store, const struct executor *executor)
{
	const struct process_key *key = &executor->process->key;
	const struct agent *agent = store_agent(store);

	return agent && key->pid > 0 && store->baselines.n && key->start < agent->facts.start &&
	       (store->baselines.v[0].agent_pid != agent->facts.pid ||
		store->baselines.v[0].agent_start != agent->facts.start) &&
	       is_ours(store, executor->process);
}

/* True when it registered or linked as an executor; its tasks share its environment, but do not. */
static bool was_executor(const struct process *process)
{
	return process->history.register_sent || (process->last_link && *process->facts.library);
}

/*
 * It exited before /proc was read. Its own message names its ids, and any process can send those;
 * so the agent must have forked it, or a checkpointed run (root's) must name it.
 */
static bool was_executor_unread(const struct store *store, const struct process *process)
{
	const struct checkpoint *checkpoint, *next;

	if (process->known || !process->said_executor_id || !*process->said_executor_id)
		return false;
	for (size_t i = 0; i < store->baselines.n; i++)
		if (strcmp(store->baselines.v[i].executor_id, process->said_executor_id) == 0 &&
		    strcmp(store->baselines.v[i].framework_id, process->said_framework_id) == 0)
			return false;
	if (process->agents_child)
		return true;
	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (checkpoint->facts.forked_pid == process->key.pid &&
		    !store_pid_is_reused(store, checkpoint, process) &&
		    strcmp(checkpoint->facts.executor_id, process->said_executor_id) == 0)
			return true;
	}
	return false;
}

bool appeared_is_dead(const struct store *store, const struct process *process)
{
	if (was_executor_unread(store, process))
		return process->ended && process->ended_at >= store->session_began;
	return process->known && *process->facts.executor_id && !process_is_alive(process) &&
	       process->ended_at >= store->session_began && was_executor(process) &&
	       is_ours(store, process) && !in_baseline(store, process);
}

struct process appeared_process_of_run(const struct run_key *key, const char *slave_id)
{
	return (struct process){
		.known = true,
		.facts = { .framework_id = key->framework_id,
			   .executor_id = key->executor_id,
			   .container_id = key->container_id,
			   .slave_id = slave_id },
	};
}

/* Of its tasks' ends; 0: none has a time. */
static int64_t last_end(const struct store *store, const struct run_key *key)
{
	const struct run_end *run = store_run_end(store, key);
	int64_t last = 0;

	for (const struct task_end *end = run ? run->tasks : NULL; end; end = end->next)
		if (end->at > last)
			last = end->at;
	return last;
}

/* Runs that ended before the baseline stay on disk for days, and in the API for as many others. */
static bool ended_since(const struct store *store, const struct run_key *key,
			const struct checkpoint *checkpoint)
{
	int64_t last = last_end(store, key),
		since = store->baselines.n ? store_mono(store, store->baselines.v[0].taken_wall)
					   : store->session_began;

	if (last)
		return last >= since;
	return checkpoint && store->first_checkpoints &&
	       checkpoint->first > store->first_checkpoints;
}

bool appeared_is_run_over(const struct store *store, const struct run_key *key,
			  const struct checkpoint *checkpoint)
{
	struct process process = appeared_process_of_run(key, "");

	return ended_since(store, key, checkpoint) && !in_baseline(store, &process);
}

struct fact_baseline appeared_baseline(const struct store *store, const struct process *process)
{
	const struct process_facts *p = &process->facts;
	struct fact_baseline b = {
		.framework_id = p->framework_id,
		.executor_id = p->executor_id,
		.container_id = p->container_id,
		.protocol = "",
		.verdict = "unknown",
		.slave_id = p->slave_id,
		.pid = process->key.pid,
		.start = process->key.start,
		.recovery_timeout = evidence_recovery_timeout(p),
		.taken_wall = store->session_began + store->session.wall_offset,
	};

	if (!process->known) {
		b.executor_id = process->said_executor_id;
		b.framework_id = process->said_framework_id;
		b.container_id = b.slave_id = "";
	}
	if (store->baselines.n) {
		b.agent_pid = store->baselines.v[0].agent_pid;
		b.agent_start = store->baselines.v[0].agent_start;
	}
	return b;
}

/* SELF_HEALING without a link: over a domain socket. */
static bool is_linked(const struct report_executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].agent_end != EW_YES)
			return false;
	return executor->n_links || executor->verdict == VERDICT_SELF_HEALING;
}

const char *appeared_outcome(const struct report_executor *executor, enum outcome *outcome)
{
	*outcome = verdict_appeared(executor->verdict);
	if (*outcome == OUTCOME_WAITING)
		return "It appeared after the audit, and is not registered with the agent.";
	if (*outcome == OUTCOME_KEPT && is_linked(executor))
		return "It appeared after the audit, and has its link to the agent.";
	*outcome = OUTCOME_UNKNOWN;
	return "It appeared after the audit; whether the agent knows it cannot be told.";
}
