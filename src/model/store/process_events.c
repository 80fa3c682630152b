/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/process_events.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "mesos/upid.h"
#include "model/store/agent_choice.h"
#include "model/store/agents.h"
#include "model/store/apply.h"
#include "model/store/checkpoints.h"
#include "model/store/memory.h"
#include "model/store/processes.h"

static void process_facts(struct store *store, struct process *process,
			  const struct fact_process *from)
{
	struct process_facts *to = &process->facts;
	struct mesos_upid upid;

	*to = (struct process_facts){
		.pid = from->pid,
		.ppid = from->ppid,
		.start = from->start,
		.netns = from->netns,
		.session = from->session,
		.ns_pid = from->ns_pid,
		.pidns = from->pidns,
		.uid = from->uid,
		.directory = store_text(store, from->directory),
		.comm = store_text(store, from->comm),
		.exe = store_text(store, from->exe),
		.slave_pid = store_text(store, from->slave_pid),
		.slave_id = store_text(store, from->slave_id),
		.framework_id = store_text(store, from->framework_id),
		.executor_id = store_text(store, from->executor_id),
		.container_id = store_text(store, from->container_id),
		.domain_socket = store_text(store, from->domain_socket),
		.library = store_text(store, from->library),
		.library_version = store_text(store, from->library_version),
		.version_from = store_text(store, from->version_from),
		.recovery_timeout = from->recovery_timeout,
		.shutdown_grace = from->shutdown_grace,
		.backoff_max = from->backoff_max,
		.in_state = from->in_state,
		.tracer = from->tracer,
		.pidns_init = from->pidns_init,
		.pidns_outer = store_text(store, from->pidns_outer),
		.cgroup = store_text(store, from->cgroup),
		.state = store_text(store, from->state),
		.frozen = from->frozen,
		.library_deleted = from->library_deleted,
		.environ_read = from->environ_read,
		.checkpoint = from->checkpoint,
	};
	process->agent_known = mesos_upid_parse(mesos_span_of(to->slave_pid), &upid) == 0;
	if (process->agent_known)
		process->agent_addr = upid.addr;
}

/* Fields that an overwritten environment lacks. */
static void adopted_facts(struct process *process)
{
	struct process_facts *to = &process->facts;

	if (*to->executor_id) {
		process->adopted = false;
		return;
	}
	to->framework_id = process->adopted_run.framework_id;
	to->executor_id = process->adopted_run.executor_id;
	to->container_id = process->adopted_run.container_id;
	to->slave_id = process->adopted_slave_id;
	to->checkpoint = true; /* only executors with checkpointing are on disk */
}

static bool leads_to(const struct store *store, const struct checkpoint *checkpoint,
		     const struct process *process)
{
	const struct fact_checkpoint *c = &checkpoint->facts;

	if (!c->latest || c->completed || !c->forked_pid)
		return false;
	if (c->forked_pid == process->key.pid)
		return !store_pid_is_reused(store, checkpoint, process);
	return c->forked_pid == process->facts.session;
}

static void adopt(struct store *store, struct process *process)
{
	const struct checkpoint *checkpoint, *next;

	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (!leads_to(store, checkpoint, process))
			continue;
		process->adopted = true;
		process->adopted_run = checkpoint->key;
		process->adopted_slave_id = checkpoint->facts.slave_id;
		adopted_facts(process);
		return;
	}
}

void store_adopt(struct store *store)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (process->known && process_is_alive(process) && !*process->facts.executor_id &&
		    !store_is_agent(store, process->key.pid, process->key.start))
			adopt(store, process);
	}
}

void store_apply_process(struct store *store, const struct fact *fact)
{
	const struct fact_process *from = &fact->process;
	struct process *process = store_process(store, from->pid, from->start);

	if (!process)
		return;
	process->seen = store->snapshot;
	if (process->ended)
		return; /* a process that has exited has nothing left to read */
	process->vanished = false;
	process->ended_at = 0;
	/* A refused read does not erase what an earlier one gave. */
	if (process->known && from->environ_read == EW_NO && process->facts.environ_read == EW_YES)
		return;
	process->known = true;
	process_facts(store, process, from);
	if (process->adopted)
		adopted_facts(process);
}

void store_apply_exit(struct store *store, const struct fact *fact)
{
	struct process *process = store_process(store, fact->exit.pid, fact->exit.start);
	const struct process *killer;

	if (!process || process->ended)
		return; /* two threads of a process can both be taken for its last */
	process->ended = true;
	process->ended_at = fact->mono;
	process->exit = fact->exit;
	process->exit.comm = store_text(store, fact->exit.comm);
	process->exit.killer_comm = store_text(store, fact->exit.killer_comm);
	killer = store_process_find(store, fact->exit.killer, fact->exit.killer_start);
	process->killed_by_agents =
		fact->exit.killer &&
		(store_is_agent(store, fact->exit.killer, fact->exit.killer_start) ||
		 (killer && killer->agents_child && !process_is_executor(killer)));
	store_agent_exited(store, fact);
}

/* The agent's children; some send signals for it (launchers, Mesos ns-killer). */
void store_apply_fork(struct store *store, const struct fact *fact)
{
	const struct agent *agent = store_agent(store);
	struct process *process;

	if (!agent || agent->facts.pid != fact->fork.parent)
		return;
	process = store_process(store, fact->fork.pid, fact->fork.start);
	if (process)
		process->agents_child = true;
}

void store_apply_signal(struct store *store, const struct fact *fact)
{
	const struct fact_signal *s = &fact->signal;
	struct process *sender = store_executor_find(store, s->sender, s->sender_start);

	if (sender && s->pid != s->sender && (s->signal == SIGTERM || s->signal == SIGKILL))
		sender->history.ended_its_task = fact->mono;
	if (s->signal == SIGUSR1 && store_is_agent(store, s->pid, s->start)) {
		store->agent_signalled.at = fact->mono;
		store->agent_signalled.sender = s->sender;
		store->agent_signalled.comm = store_text(store, s->sender_comm);
	}
}

void store_apply_unix_link(struct store *store, const struct fact *fact)
{
	const struct fact_unix_link *link = &fact->unix_link;
	struct process *process = store_process_find(store, link->pid, link->start);
	struct unix_links *links = process ? &process->unix_links : NULL;

	if (!links || !link->peer_pid)
		return;
	if (links->seen != store->snapshot || links->agent != link->peer_pid ||
	    links->agent_start != link->peer_start)
		*links = (struct unix_links){ .seen = store->snapshot,
					      .agent = link->peer_pid,
					      .agent_start = link->peer_start };
	links->n++;
}

uint32_t store_unix_links(const struct store *store, const struct process *process)
{
	const struct unix_links *links = &process->unix_links;
	const struct agent *agent = store_agent(store);

	return agent && links->seen >= store->socketed && links->agent == agent->facts.pid &&
			       links->agent_start == agent->facts.start
		       ? links->n
		       : 0;
}

/* Ended processes are kept for a while, so that verify can say how an executor ended. */
#define STORE_KEEP_ENDED (60 * 60 * NS_PER_S)

static bool is_in_baseline(const struct store *store, struct process *process)
{
	for (size_t i = 0; !process->in_baseline && i < store->baselines.n; i++)
		process->in_baseline = store->baselines.v[i].pid == process->key.pid &&
				       store->baselines.v[i].start == process->key.start;
	return process->in_baseline;
}

static void process_prune(struct store *store, struct process *process, int64_t mono)
{
	int64_t keep = process_is_executor(process) ? STORE_KEEP_ENDED : 0;

	if (process->ended_at >= store->snapshot_began - keep || mono - process->ended_at <= keep ||
	    is_in_baseline(store, process))
		return;
	HASH_DEL(store->processes, process);
	free(process);
}

void store_end_processes(struct store *store, int64_t mono)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (!process_is_alive(process)) {
			process_prune(store, process, mono);
		} else if (process->known && process->seen != store->snapshot) {
			process->vanished = true;
			process->ended_at = mono;
		}
	}
}
