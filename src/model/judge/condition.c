/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/condition.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cgroup_path.h"
#include "base/sh_quote.h"
#include "base/now.h"

#define ASLEEP_FOR (2 * NS_PER_S)

/* The first pid namespace has this inode (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
#define FIRST_PIDNS UINT64_C(0xeffffffc)

/* ---- responsive ---- */

static bool is_asleep(const struct process_facts *p)
{
	return p->state[0] == 'D' && p->in_state >= ASLEEP_FOR;
}

enum ew_tri condition_responsive(const struct process_facts *p)
{
	if (p->frozen == EW_YES || p->state[0] == 'T' || p->state[0] == 't' || is_asleep(p))
		return EW_NO;
	return p->state[0] ? EW_YES : EW_UNKNOWN;
}

static bool is_unread(const struct store *store, int32_t pid, const char *file)
{
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].pid == pid && strstr(store->unread.v[i].object, file))
			return true;
	return false;
}

const char *condition_responsive_unread(const struct store *store, const struct process *process)
{
	if (is_unread(store, process->key.pid, "/task"))
		return "Not all of its threads could be looked at: whether it is stopped is not "
		       "known.";
	if (is_unread(store, process->key.pid, "/wchan"))
		return "The state of its cgroup could not be read: whether it is frozen is not "
		       "known.";
	return NULL;
}

const char *condition_unresponsive_why(const struct process_facts *p, struct arena *arena)
{
	if (p->frozen == EW_YES)
		return "Its cgroup is frozen: it cannot answer the agent in time.";
	if (p->state[0] == 'T')
		return "A signal has stopped it (state T): it cannot answer the agent in time.";
	if (p->state[0] == 't' && p->tracer)
		return arena_printf(arena,
				    "Process %d traces it and has stopped it (state t): it cannot "
				    "answer the agent in time.",
				    p->tracer);
	if (p->state[0] == 't')
		return "A tracer has stopped it (state t): it cannot answer the agent in time.";
	return arena_printf(arena,
			    "A thread of it has been in uninterruptible sleep (state D) for at "
			    "least %lld s: it may not answer the agent in time.",
			    (long long)(p->in_state / NS_PER_S));
}

const char *condition_unresponsive_advice(const struct process_facts *p, struct arena *arena)
{
	if (p->frozen == EW_YES)
		return "Thaw its cgroup (THAWED to freezer.state, or 0 to cgroup.freeze), then "
		       "audit again.";
	if (p->state[0] == 'T')
		return arena_printf(arena, "Let it go on, then audit again:\n\tkill -CONT %d",
				    p->pid);
	if (p->state[0] == 't' && p->tracer)
		return arena_printf(arena,
				    "End the tracer (pid %d) or let it detach, then audit "
				    "again.",
				    p->tracer);
	if (p->state[0] == 't')
		return "End the tracer or let it detach, then audit again.";
	return arena_printf(arena,
			    "Find what it waits for (/proc/%d/task/*/stack; often a file system "
			    "that does not answer), then audit again.",
			    p->pid);
}

/* ---- same fate ---- */

/*
 * The unit of the present agent, if stopping that kills what is in its cgroup: an executor that
 * runs has survived the end of earlier agents.
 */
static const struct fact_service *agents_unit(const struct store *store)
{
	const struct agent *agent = store_agent(store);
	const struct fact_service *service = agent ? store_service(store, agent) : NULL;

	return service && *service->unit && strcmp(service->kill_mode, "process") != 0 &&
			       strcmp(service->kill_mode, "none") != 0
		       ? service
		       : NULL;
}

static const struct fact_service *unit_of(const struct store *store, const struct process *process)
{
	const struct fact_service *service = agents_unit(store);

	return service && cgroup_path_is_in(process->facts.cgroup, service->cgroup) ? service
										    : NULL;
}

static const struct process *process_of_pid(const struct store *store, int32_t pid)
{
	const struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (process->key.pid == pid && process->known && process_is_alive(process))
			return process;
	}
	return NULL;
}

/* The service manager (pid 1) does not end with its services. */
static bool is_manager(const struct process *process)
{
	const char *comm = process->facts.comm;

	return strcmp(comm, "systemd") == 0 || strcmp(comm, "init") == 0;
}

/* The first process of the agent's namespace when it is the agent, or its parent; else 0. */
static int32_t agents_init(const struct store *store, const struct agent *agent)
{
	const struct process *process =
		store_process_find(store, agent->facts.pid, agent->facts.start);
	int32_t init = agent->facts.pidns_init;
	const struct process *parent;

	if (!init || agent->facts.pidns == FIRST_PIDNS)
		return 0;
	if (init == agent->facts.pid)
		return init;
	if (!process || process->facts.ppid != init)
		return 0;
	parent = process_of_pid(store, init);
	return parent && is_manager(parent) ? 0 : init;
}

/* Is this namespace one of those around the process' own? */
static enum ew_tri is_within(const struct process *process, uint64_t pidns)
{
	const char *outer = process->facts.pidns_outer;

	if (!outer || !*outer)
		return EW_UNKNOWN;
	for (char *end; *outer >= '0' && *outer <= '9'; outer = end + (*end == ','))
		if (strtoull(outer, &end, 10) == pidns)
			return EW_YES;
	return EW_NO;
}

/*
 * True for a process in that namespace or in one within it, which the kernel ends with it
 * (kernel/pid_namespace.c, zap_pid_ns_processes()), or in one whose first process was started from
 * there.
 */
static bool ends_with(const struct store *store, const struct agent *agent, int32_t init,
		      const struct process *process)
{
	const struct process *first;

	if (process->facts.pidns == agent->facts.pidns ||
	    is_within(process, agent->facts.pidns) == EW_YES)
		return true;
	if (!process->facts.pidns_init || process->facts.pidns == FIRST_PIDNS)
		return false;
	first = process_of_pid(store, process->facts.pidns_init);
	return first && (first->facts.ppid == agent->facts.pid || first->facts.ppid == init);
}

static bool ends_with_namespace(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_agent(store);
	int32_t init = agent ? agents_init(store, agent) : 0;

	return init && ends_with(store, agent, init, process);
}

const char *condition_same_fate_unread(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_agent(store);

	if (!agent)
		return NULL;
	if (is_unread(store, agent->facts.pid, "/cgroup") ||
	    (agents_unit(store) && is_unread(store, process->key.pid, "/cgroup")))
		return "The cgroup of this executor, or of the agent, could not be read: whether "
		       "it is stopped together with the agent's unit is not known.";
	if (is_unread(store, agent->facts.pid, "/ns/pid"))
		return "The agent's pid namespace could not be read: whether the kernel kills this "
		       "executor when the agent ends is not known.";
	if (agents_init(store, agent) &&
	    (is_unread(store, process->key.pid, "/ns/pid") ||
	     (process->facts.pidns && process->facts.pidns != FIRST_PIDNS &&
	      !ends_with_namespace(store, process) &&
	      is_within(process, agent->facts.pidns) == EW_UNKNOWN)))
		return "Its pid namespaces could not be read, and the agent is the first process "
		       "of "
		       "one: whether the kernel kills it when the agent ends is not known.";
	return NULL;
}

enum ew_tri condition_same_fate(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_agent(store);

	if (unit_of(store, process) || ends_with_namespace(store, process))
		return EW_YES;
	return agent && store_service(store, agent) && *process->facts.cgroup &&
			       process->facts.pidns
		       ? EW_NO
		       : EW_UNKNOWN;
}

const char *condition_same_fate_why(const struct store *store, const struct process *process,
				    struct arena *arena)
{
	const struct fact_service *service = unit_of(store, process);

	if (!service)
		return "It is in a pid namespace whose first process is the agent or its parent: "
		       "the kernel kills it when that ends.";
	if (*service->kill_mode)
		return arena_printf(arena,
				    "It is in the cgroup of the agent's unit %s, whose KillMode is "
				    "%s: stopping the unit kills it.",
				    service->unit, service->kill_mode);
	return arena_printf(arena,
			    "It is in the cgroup of the agent's unit %s, whose KillMode is not "
			    "known: by default (control-group) stopping the unit kills it.",
			    service->unit);
}

const char *condition_same_fate_advice(const struct store *store, const struct process *process,
				       struct arena *arena)
{
	const struct fact_service *service = unit_of(store, process);
	char unit[512];

	if (!service)
		return "Move its task away first. Run the agent in the host's pid namespace "
		       "(docker run --pid=host) from then on.";
	if (!sh_quote(service->unit, unit, sizeof(unit)))
		return "Set KillMode=process in the [Service] section of its unit, then audit "
		       "again.";
	return arena_printf(arena,
			    "Set KillMode=process in the [Service] section of its unit, then "
			    "audit again:\n\tsystemctl edit %s\n\tsystemctl daemon-reload",
			    unit);
}
