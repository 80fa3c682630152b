/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/evidence.h"

#include <netinet/tcp.h>
#include <string.h>

#include "base/addr.h"
#include "base/now.h"
#include "mesos/version.h"
#include "model/judge/agent_state.h"
#include "model/judge/identity.h"
#include "model/judge/condition.h"

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

/* ---- connection tracking ---- */

static const struct netns *netns_find(const struct store *store, uint64_t netns)
{
	for (size_t i = 0; i < store->namespaces.n; i++)
		if (store->namespaces.v[i].inode == netns &&
		    store->namespaces.v[i].seen >= store->tracked)
			return &store->namespaces.v[i];
	return NULL;
}

static enum ew_tri tracking_of(const struct store *store, uint64_t netns)
{
	const struct netns *found = netns_find(store, netns);

	return found ? found->ct_active : EW_UNKNOWN;
}

/* The entry as of the last complete scan; NULL: none was read then. Entries expire. */
static const struct entry *entry_in(const struct store *store, const struct connection *conn,
				    uint64_t netns)
{
	for (size_t i = 0; store->complete & SCAN_TRACKING && i < conn->n_entries; i++)
		if (conn->entries[i].netns == netns && conn->entries[i].seen >= store->tracked)
			return &conn->entries[i];
	return NULL;
}

/* ---- the other end ---- */

/*
 * True when the present agent holds the socket. A child of an earlier agent may have inherited it;
 * then only the child's exit closes it. A socket without a known holder counts as unknown:
 * descriptors were unreadable, or the agent has not accepted the connection yet.
 */
static enum ew_tri held_by(const struct agent *agent, const struct connection *peer)
{
	if (connection_is_of(peer, agent->facts.pid, agent->facts.start))
		return EW_YES;
	return peer->n_holders || peer->owner ? EW_NO : EW_UNKNOWN;
}

/* Uses the entry of the agent's namespace, else the link's own: the last translation counts. */
static const struct entry *translation(const struct store *store, const struct agent *agent,
				       const struct connection *conn)
{
	const struct entry *there = entry_in(store, conn, agent->facts.netns);
	const struct entry *here = entry_in(store, conn, conn->facts.netns);

	if (there && there->present == EW_YES && there->translated)
		return there;
	return here && here->present == EW_YES && here->translated ? here : NULL;
}

/*
 * No socket has the mirrored addresses. A connection that leaves its namespace, or whose entry
 * could not be read, may be translated on its way: a missing other end is no evidence then.
 */
static enum ew_tri without_peer(const struct store *store, const struct agent *agent,
				const struct connection *conn)
{
	const struct entry *entry = entry_in(store, conn, conn->facts.netns);

	if (agent->facts.netns != conn->facts.netns)
		return EW_UNKNOWN;
	if (tracking_of(store, conn->facts.netns) != EW_NO &&
	    (!entry || entry->present == EW_UNKNOWN))
		return EW_UNKNOWN;
	return EW_NO;
}

static bool stands(const struct connection *conn)
{
	return conn->facts.state == TCP_ESTABLISHED || conn->facts.state == TCP_CLOSE_WAIT;
}

/*
 * An agent that has closed its listener and lives: it is on its way out, or hangs. Its end of a
 * link sends a FIN when it exits. A child that outlives its agent has the same name and holds the
 * same sockets; so where an agent was seen, only that one counts.
 */
static bool is_silent_agent(const struct store *store, const struct holder *holder)
{
	const struct process *process = store_process_find(store, holder->pid, holder->start);

	if (!process || !process->known || !process_is_alive(process))
		return false;
	return store->agents.n ? store_is_agent(store, holder->pid, holder->start)
			       : agent_has_name(process->facts.comm, process->facts.exe);
}

bool evidence_agent_is_silent(const struct store *store, const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);

	if (store_agent(store) || !peer || !stands(peer))
		return false;
	for (size_t i = 0; i < peer->n_holders; i++)
		if (is_silent_agent(store, &peer->holders[i]))
			return true;
	return false;
}

/*
 * No agent was ever seen on the port, and address translation leads the link elsewhere, or may: to
 * an agent that advertises this port and listens on another.
 */
static bool may_lead_elsewhere(const struct store *store, const struct connection *conn)
{
	const struct entry *entry = entry_in(store, conn, conn->facts.netns);

	if (store->agents.n || tracking_of(store, conn->facts.netns) == EW_NO)
		return false;
	return !entry || entry->present == EW_UNKNOWN ||
	       (entry->present == EW_YES && entry->translated);
}

enum ew_tri evidence_agent_end(const struct store *store, const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);
	const struct agent *agent = store_agent(store);
	const struct entry *entry;

	if (!(store->complete & SCAN_SOCKETS))
		return EW_UNKNOWN;
	if (!agent)
		return store->agent_hidden || evidence_agent_is_silent(store, conn) ||
				       may_lead_elsewhere(store, conn)
			       ? EW_UNKNOWN
			       : EW_NO;
	entry = peer ? NULL : translation(store, agent, conn);
	if (entry)
		peer = store_peer_translated(store, entry);
	else if (!peer)
		peer = store_peer_advertised(store, conn);
	if (!peer)
		return without_peer(store, agent, conn);
	if (stands(peer))
		return held_by(agent, peer);
	return EW_NO;
}

/* ---- entries ---- */

static bool is_full(const struct store *store, uint64_t netns)
{
	const struct netns *found = netns_find(store, netns);

	return found && found->limit && found->entries >= found->limit;
}

static enum conntrack conntrack_in(const struct store *store, const struct connection *conn,
				   uint64_t netns)
{
	enum ew_tri tracking = tracking_of(store, netns);
	const struct entry *entry = entry_in(store, conn, netns);

	if (!(store->complete & SCAN_TRACKING))
		return CONNTRACK_UNKNOWN; /* of an earlier scan: entries expire */
	if (tracking == EW_NO)
		return CONNTRACK_OFF;
	if (tracking != EW_YES || !entry || entry->present == EW_UNKNOWN)
		return CONNTRACK_UNKNOWN;
	return entry->present == EW_YES ? CONNTRACK_ENTRY : CONNTRACK_NONE;
}

/* The FIN crosses the namespaces of both ends: each one that tracks needs an entry. */
static enum conntrack conntrack_of(const struct store *store, const struct connection *conn)
{
	const struct agent *agent = store_agent(store);
	enum conntrack here = conntrack_in(store, conn, conn->facts.netns), there;

	if (!agent || agent->facts.netns == conn->facts.netns)
		return here;
	there = conntrack_in(store, conn, agent->facts.netns);
	if (here == CONNTRACK_NONE || there == CONNTRACK_NONE)
		return CONNTRACK_NONE;
	if (here == CONNTRACK_UNKNOWN || there == CONNTRACK_UNKNOWN)
		return CONNTRACK_UNKNOWN;
	return here == CONNTRACK_ENTRY || there == CONNTRACK_ENTRY ? CONNTRACK_ENTRY
								   : CONNTRACK_OFF;
}

/* ns until the first of the link's entries expires; -1: there is none, or one has no known timeout.
 */
static int64_t expires_in(const struct store *store, const struct connection *conn)
{
	int64_t first = -1;
	bool any = false;

	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = entry_in(store, conn, conn->entries[i].netns);

		if (!entry || entry->present != EW_YES)
			continue;
		if (entry->expires_at < 0)
			return -1;
		if (!any || entry->expires_at < first)
			first = entry->expires_at;
		any = true;
	}
	if (!any)
		return -1;
	return first > store->now ? first - store->now : 0;
}

/* The shortest time that an idle link keeps an entry, where it has one; 0: not known. */
static int64_t entry_lifetime(const struct store *store, const struct connection *conn)
{
	int64_t shortest = 0;

	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = entry_in(store, conn, conn->entries[i].netns);
		const struct netns *netns = entry ? netns_find(store, entry->netns) : NULL;

		if (!entry || entry->present != EW_YES)
			continue;
		if (!netns || netns->established <= 0)
			return 0;
		if (!shortest || netns->established < shortest)
			shortest = netns->established;
	}
	return shortest;
}

/* ---- keepalive ---- */

/* A timer is late on a busy host, and an entry's time is told in whole seconds, rounded down. */
#define PROBE_MARGIN (NS_PER_S / 2)

static const struct conn_keepalive *keepalive_of(const struct store *store,
						 const struct connection *conn)
{
	const struct conn_keepalive *keepalive = &conn->keepalive;

	return keepalive->seen && keepalive->seen >= store->tracked &&
			       store->complete & SCAN_TRACKING && keepalive->on
		       ? keepalive
		       : NULL;
}

/*
 * The next probe comes before the first entry expires; and since each probe gives the entries their
 * whole time again, so do the ones after it. Only by values that were read.
 */
static enum ew_tri is_renewed(const struct store *store, const struct connection *conn,
			      int64_t lifetime)
{
	const struct conn_keepalive *keepalive = keepalive_of(store, conn);

	if (!keepalive || keepalive->next_at < 0 || !lifetime)
		return EW_UNKNOWN;
	for (size_t i = 0; i < conn->n_entries; i++) {
		const struct entry *entry = entry_in(store, conn, conn->entries[i].netns);

		if (!entry || entry->present != EW_YES)
			continue;
		if (entry->expires_at < 0)
			return EW_UNKNOWN;
		if (keepalive->next_at + PROBE_MARGIN > entry->expires_at)
			return EW_NO;
	}
	return keepalive->idle * NS_PER_S + PROBE_MARGIN <= lifetime ? EW_YES : EW_NO;
}

struct link_keepalive evidence_keepalive(const struct store *store, const struct connection *conn)
{
	const struct conn_keepalive *keepalive = keepalive_of(store, conn);
	struct link_keepalive ret = { .lifetime = entry_lifetime(store, conn), .probe_in = -1 };

	ret.renewed = is_renewed(store, conn, ret.lifetime);
	if (!keepalive)
		return ret;
	ret.on = true;
	ret.idle = keepalive->idle;
	ret.interval = keepalive->interval;
	ret.count = keepalive->count;
	if (keepalive->next_at >= 0)
		ret.probe_in =
			keepalive->next_at > store->now ? keepalive->next_at - store->now : 0;
	return ret;
}

/* ---- the firewall ---- */

/* A FIN of a translated link that meets no entry goes to an address that no socket has. */
const struct firewall *evidence_firewall(const struct store *store, const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);
	const struct firewall *firewall = &conn->firewall;

	if (!firewall->seen || firewall->seen < store->tracked ||
	    !(store->complete & SCAN_TRACKING))
		return NULL;
	if (!peer || peer->facts.netns != conn->facts.netns || firewall->netns != conn->facts.netns)
		return NULL;
	return firewall;
}

struct link_evidence evidence_of_link(const struct store *store, const struct connection *conn,
				      int64_t recovery_timeout)
{
	const struct firewall *firewall = evidence_firewall(store, conn);

	return (struct link_evidence){
		.agent_end = evidence_agent_end(store, conn),
		.conntrack = conntrack_of(store, conn),
		.expires = expires_in(store, conn),
		.horizon = store->session.horizon > 0 ? store->session.horizon : recovery_timeout,
		.renewed = is_renewed(store, conn, entry_lifetime(store, conn)),
		.full = is_full(store, conn->facts.netns),
		.accepted = firewall ? firewall->accepted : EW_UNKNOWN,
		.untracked = firewall ? firewall->untracked : EW_UNKNOWN,
	};
}

/* ---- the executor ---- */

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
		e.contradiction = identity_lists_disagree(store, executor, arena);
	for (size_t i = 0; i < executor->n_links; i++) {
		struct link_evidence link = evidence_of_link(store, executor->links[i].conn,
							     evidence_recovery_timeout(p));
		enum link_state state = link_state_of(&link);

		if (state > e.worst)
			e.worst = state;
	}
	return e;
}
