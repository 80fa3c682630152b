/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/evidence.h"

#include <string.h>

#include "base/now.h"
#include "mesos/version.h"
#include "model/judge/agent_state.h"
#include "model/judge/condition.h"
#include "model/judge/identity.h"
#include "model/judge/link_evidence.h"

int64_t evidence_recovery_timeout(const struct process_facts *process)
{
	return process->recovery_timeout > 0 ? process->recovery_timeout : 15 * 60 * NS_PER_S;
}

enum protocol evidence_protocol(const struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return PROTOCOL_UNKNOWN;
	if (checkpoint->facts.http)
		return PROTOCOL_V1;
	return *checkpoint->facts.upid ? PROTOCOL_V0 : PROTOCOL_UNKNOWN;
}

bool evidence_is_v1(const struct executor *executor)
{
	return evidence_protocol(executor->checkpoint) == PROTOCOL_V1;
}

static enum ew_tri is_ours(enum whose whose)
{
	return whose == WHOSE_UNKNOWN ? EW_UNKNOWN : whose == WHOSE_FOREIGN ? EW_NO : EW_YES;
}

/* Checkpoints of another boot hold pids of another boot: the agent recovers none of them (Mesos
 * slave/state.cpp, recover()). */
static enum ew_tri is_orphaned(const struct store *store, const struct executor *executor,
			       enum whose whose)
{
	if (whose == WHOSE_FORMER)
		return EW_YES;
	return executor->checkpoint && store->work_dir.same_boot == EW_NO &&
			       executor->checkpoint->facts.own_boot == EW_NO
		       ? EW_YES
		       : EW_NO;
}

const char *evidence_obstacle(const struct executor *executor)
{
	const struct checkpoint *checkpoint = executor->checkpoint;

	return checkpoint && checkpoint->facts.obstacle ? checkpoint->facts.obstacle : "";
}

/* NO when the agent's checkpoints lack the run: the agent cannot recover its registration. */
static enum ew_tri is_registered(const struct store *store, const struct executor *executor)
{
	/* An agent never recovers a run with a sentinel (Mesos slave/state.cpp). */
	if (executor->checkpoint && executor->checkpoint->facts.completed)
		return EW_NO;
	/* Without forked.pid the agent reads no further in a run (Mesos slave/state.cpp,
	 * RunState::recover()). */
	if (executor->checkpoint && executor->checkpoint->facts.forked_pid &&
	    (*executor->checkpoint->facts.upid || executor->checkpoint->facts.http))
		return EW_YES;
	if (executor->checkpoint)
		return store->complete & SCAN_CHECKPOINTS ? EW_NO : EW_UNKNOWN;
	/* Only the API lists it: without a process nothing tells whether the API or the disk is
	 * right. */
	if (!executor->process->key.pid)
		return EW_UNKNOWN;
	if (!(store->complete & SCAN_CHECKPOINTS) || store->work_dir.readable != EW_YES)
		return EW_UNKNOWN;
	return strcmp(store->work_dir.slave_id, executor->process->facts.slave_id) == 0
		       ? EW_NO
		       : EW_UNKNOWN;
}

/* Older recordings do not tell. Without a run on disk it is not registered, which decides. */
static enum ew_tri is_recoverable(const struct executor *executor)
{
	const struct checkpoint *checkpoint = executor->checkpoint;

	if (!checkpoint ||
	    (checkpoint->facts.recoverable == EW_UNKNOWN && !*evidence_obstacle(executor)))
		return EW_YES;
	return checkpoint->facts.recoverable;
}

/* While the agent recovers, only observed messages prove a registration. A v1 executor is not asked
 * to reconnect, and its links may end at any time. */
static enum ew_tri is_taken_back(const struct store *store, const struct executor *executor)
{
	const struct registration *h = &executor->process->history;
	const struct agent *agent = store_agent(store);

	if (!agent || agent_state_serves(store) ||
	    evidence_protocol(executor->checkpoint) == PROTOCOL_V1)
		return EW_YES;
	return h->registered > agent->appeared && h->registered > h->asked ? EW_YES : EW_UNKNOWN;
}

static enum ew_tri relinks(const struct process_facts *p)
{
	struct mesos_version version;

	/* Older recordings have versions from logs, which do not name the mapped library. */
	if (strcmp(p->version_from, "library") != 0)
		return EW_UNKNOWN;
	if (mesos_version_parse(mesos_span_of(p->library_version), &version) < 0)
		return EW_UNKNOWN;
	return mesos_version_relinks(&version) ? EW_YES : EW_NO;
}

bool evidence_port_known(const struct store *store, const struct process *process)
{
	return !process->agent_known || agent_ports_have(&store->ports, process->agent_addr.port);
}

/* A process with unreadable descriptors may hold any socket. */
static enum ew_tri sockets_read(const struct store *store, const struct executor *executor)
{
	const struct process *process = executor->process;

	if (!(store->complete & SCAN_SOCKETS))
		return EW_UNKNOWN;
	if (!executor->n_links && (store->mptcp_hidden || !evidence_port_known(store, process)))
		return EW_UNKNOWN;
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].pid == process->key.pid &&
		    strstr(store->unread.v[i].object, "/fd"))
			return EW_UNKNOWN;
	return EW_YES;
}

struct evidence evidence_of_executor(const struct store *store, const struct executor *executor,
				     struct arena *arena)
{
	const struct process_facts *p = &executor->process->facts;
	enum whose whose = identity_of(store, executor);
	struct evidence e = {
		.ours = is_ours(whose),
		.orphaned = is_orphaned(store, executor, whose),
		.contradiction = identity_contradiction(store, arena),
		.same_fate = condition_same_fate(store, executor->process),
		.responsive = condition_responsive(p),
		.environment = p->environ_read,
		.checkpoint = p->checkpoint,
		.registered = is_registered(store, executor),
		.recoverable = is_recoverable(executor),
		.taken_back = is_taken_back(store, executor),
		.protocol = evidence_protocol(executor->checkpoint),
		.sockets = sockets_read(store, executor),
		.n_links = executor->n_links,
		.relinks = relinks(p),
		.domain_socket = store_unix_links(store, executor->process) >= V1_CONNECTIONS,
		.agent = store_agent(store)					  ? EW_YES
			 : store->complete & SCAN_SOCKETS && !store->agent_hidden ? EW_NO
										  : EW_UNKNOWN,
	};

	if (!e.contradiction)
		e.contradiction = condition_same_fate_unread(store, executor->process);
	if (!e.contradiction)
		e.contradiction = condition_responsive_unread(store, executor->process);
	if (!e.contradiction)
		e.contradiction = identity_lists_disagree(store, executor, arena);
	for (size_t i = 0; i < executor->n_links; i++) {
		struct link_evidence link = link_evidence_of(store, executor->links[i].conn,
							     evidence_recovery_timeout(p));
		enum link_state state = link_state_of(&link);

		if (state > e.worst)
			e.worst = state;
	}
	return e;
}
