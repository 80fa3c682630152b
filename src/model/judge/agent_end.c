/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/agent_end.h"

#include <netinet/tcp.h>

#include "mesos/agent_name.h"
#include "model/judge/conntrack.h"
#include "model/store/connection_index.h"

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

static bool translates(const struct entry *entry)
{
	return entry && entry->present == EW_YES && entry->translated;
}

/* The last translation counts: that of the agent's namespace, one on the way, the link's own. */
static const struct entry *translation(const struct store *store, const struct agent *agent,
				       const struct connection *conn)
{
	const struct entry *there = conntrack_entry(store, conn, agent->facts.netns);
	const struct entry *here = conntrack_entry(store, conn, conn->facts.netns);

	if (translates(there))
		return there;
	for (size_t i = conn->n_entries; i-- > 0;) {
		const struct entry *between = conntrack_entry(store, conn, conn->entries[i].netns);

		if (between != here && translates(between))
			return between;
	}
	return translates(here) ? here : NULL;
}

/*
 * No socket has the mirrored addresses. A connection that leaves its namespace, or whose entry
 * could not be read, may be translated on its way: a missing other end is no evidence then.
 */
static enum ew_tri without_peer(const struct store *store, const struct agent *agent,
				const struct connection *conn)
{
	const struct entry *entry = conntrack_entry(store, conn, conn->facts.netns);

	if (agent->facts.netns != conn->facts.netns)
		return EW_UNKNOWN;
	if (conntrack_active(store, conn->facts.netns) != EW_NO &&
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
			       : mesos_is_agent_name(process->facts.comm, process->facts.exe);
}

bool agent_end_is_silent(const struct store *store, const struct connection *conn)
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
	const struct entry *entry = conntrack_entry(store, conn, conn->facts.netns);

	if (store->agents.n || conntrack_active(store, conn->facts.netns) == EW_NO)
		return false;
	return !entry || entry->present == EW_UNKNOWN ||
	       (entry->present == EW_YES && entry->translated);
}

enum ew_tri agent_end_of(const struct store *store, const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);
	const struct agent *agent = store_agent(store);
	const struct entry *entry;

	if (!(store->complete & SCAN_SOCKETS))
		return EW_UNKNOWN;
	if (!agent)
		return store->agent_hidden || agent_end_is_silent(store, conn) ||
				       may_lead_elsewhere(store, conn)
			       ? EW_UNKNOWN
			       : EW_NO;
	entry = peer ? NULL : translation(store, agent, conn);
	if (entry)
		peer = store_connection_at(store, agent->facts.netns, &entry->reply_local,
					   &entry->reply_remote);
	else if (!peer)
		peer = store_peer_advertised(store, conn);
	if (!peer)
		return without_peer(store, agent, conn);
	if (stands(peer))
		return held_by(agent, peer);
	return EW_NO;
}
