/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/gather.h"

#include <netinet/tcp.h>
#include <string.h>

#include "base/addr.h"
#include "base/now.h"
#include "mesos/version.h"
#include "model/outcome.h"

int64_t gather_recovery_timeout(const struct process_facts *process)
{
	return process->recovery_timeout > 0 ? process->recovery_timeout : 15 * 60 * NS_PER_S;
}

int64_t gather_reregister_timeout(const struct store *store)
{
	return store->api.reregister_timeout > 0 ? store->api.reregister_timeout : 2 * NS_PER_S;
}

enum protocol gather_protocol(const struct checkpoint *checkpoint)
{
	if (!checkpoint)
		return PROTOCOL_UNKNOWN;
	if (checkpoint->facts.http)
		return PROTOCOL_V1;
	return *checkpoint->facts.upid ? PROTOCOL_V0 : PROTOCOL_UNKNOWN;
}

/* ---- the other end ---- */

/*
 * By the agent that is there now: a child of an earlier one may have inherited its end, and nothing
 * but that child's exit closes it. Whose nobody could tell: descriptors that were not readable, or
 * a connection that the agent has not accepted yet.
 */
static enum tri held_by(const struct agent *agent, const struct connection *peer)
{
	if (connection_is_of(peer, agent->facts.pid, agent->facts.start))
		return TRI_YES;
	return peer->n_holders || peer->owner ? TRI_NO : TRI_UNKNOWN;
}

/*
 * A connection that leaves its namespace may be translated on its way: that no mirrored tuple is
 * known then says nothing, unless one was known before.
 */
static enum tri agent_end(const struct store *store, const struct connection *conn)
{
	const struct connection *peer = store_peer(store, conn);
	const struct agent *agent = store_agent(store);
	bool open = peer &&
		    (peer->facts.state == TCP_ESTABLISHED || peer->facts.state == TCP_CLOSE_WAIT);

	if (!(store->complete & SURVEY_SOCKETS))
		return TRI_UNKNOWN;
	if (!agent)
		return store->agent_hidden ? TRI_UNKNOWN : TRI_NO;
	if (open)
		return held_by(agent, peer);
	return !peer && agent->facts.netns != conn->facts.netns ? TRI_UNKNOWN : TRI_NO;
}

/* ---- connection tracking ---- */

static enum tri tracking_of(const struct store *store, uint64_t netns)
{
	for (size_t i = 0; i < store->namespaces.n; i++)
		if (store->namespaces.v[i].inode == netns &&
		    store->namespaces.v[i].seen >= store->tracked)
			return store->namespaces.v[i].tracking;
	return TRI_UNKNOWN;
}

static enum conntrack conntrack_in(const struct store *store, const struct connection *conn,
				   uint64_t netns)
{
	enum tri tracking = tracking_of(store, netns);

	if (!(store->complete & SURVEY_TRACKING))
		return CONNTRACK_UNKNOWN; /* an answer of long ago: entries expire */
	if (tracking == TRI_NO)
		return CONNTRACK_OFF;
	for (size_t i = 0; tracking == TRI_YES && i < conn->n_entries; i++) {
		const struct entry *entry = &conn->entries[i];

		if (entry->netns != netns || entry->present == TRI_UNKNOWN ||
		    entry->seen < store->tracked)
			continue;
		return conn->entries[i].present == TRI_YES ? CONNTRACK_ENTRY : CONNTRACK_NONE;
	}
	return CONNTRACK_UNKNOWN;
}

/* The FIN passes both ends' namespaces: each that tracks must know the link. */
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

struct link_evidence gather_link(const struct store *store, const struct connection *conn)
{
	return (struct link_evidence){ agent_end(store, conn), conntrack_of(store, conn) };
}

/* ---- the executor ---- */

static const char *our_slave_id(const struct store *store)
{
	if (store->has_api && *store->api.slave_id)
		return store->api.slave_id;
	return store->has_work_dir ? store->work_dir.slave_id : "";
}

/*
 * By the agent's id where both are known: the address an agent advertises need not be the one it
 * listens on (LIBPROCESS_ADVERTISE_IP). Another port is another agent in any case.
 */
static enum tri is_ours(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_last_agent(store);
	const struct process_facts *p = &process->facts;
	const char *slave_id = our_slave_id(store);

	if (!process->agent_known)
		return TRI_UNKNOWN;
	if (process->agent_addr.port != store->window.agent_port)
		return TRI_NO;
	if (*slave_id && *p->slave_id)
		return strcmp(slave_id, p->slave_id) == 0 ? TRI_YES : TRI_NO;
	if (!agent || addr_is_any(&agent->facts.listen))
		return TRI_YES;
	return addr_ip_equal(&agent->facts.listen, &process->agent_addr) ? TRI_YES : TRI_NO;
}

/* Without an entry for this run in its agent's own tree, the agent knows no such registration. */
static enum tri is_registered(const struct store *store, const struct view_executor *executor)
{
	/* A sentinel ends a run for good: no agent recovers it (Mesos slave/state.cpp). */
	if (executor->checkpoint && executor->checkpoint->facts.completed)
		return TRI_NO;
	if (executor->checkpoint)
		return *executor->checkpoint->facts.upid || executor->checkpoint->facts.http
			       ? TRI_YES
			       : TRI_NO;
	if (!(store->complete & SURVEY_CHECKPOINTS) || store->work_dir.readable != TRI_YES)
		return TRI_UNKNOWN;
	return strcmp(store->work_dir.slave_id, executor->process->facts.slave_id) == 0
		       ? TRI_NO
		       : TRI_UNKNOWN;
}

/* While the agent recovers, only what was seen tells. A v1 executor is not asked, and may lose its
 * links at any time. */
static enum tri is_taken_back(const struct store *store, const struct view_executor *executor)
{
	const struct history *h = &executor->process->history;
	const struct agent *agent = store_agent(store);

	if (!agent || outcome_agent_serves(store) ||
	    gather_protocol(executor->checkpoint) == PROTOCOL_V1)
		return TRI_YES;
	return h->registered > agent->appeared && h->registered > h->asked ? TRI_YES : TRI_UNKNOWN;
}

static enum tri relinks(const struct process_facts *p)
{
	struct mesos_version version;

	if (mesos_version_parse(mesos_span_of(p->library_version), &version) < 0)
		return TRI_UNKNOWN;
	return mesos_version_relinks(&version) ? TRI_YES : TRI_NO;
}

/* A process whose descriptors could not be read holds nobody knows what. */
static enum tri sockets_read(const struct store *store, const struct process *process)
{
	if (!(store->complete & SURVEY_SOCKETS))
		return TRI_UNKNOWN;
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].pid == process->key.pid &&
		    strstr(store->unread.v[i].object, "/fd"))
			return TRI_UNKNOWN;
	return TRI_YES;
}

struct evidence gather_executor(const struct store *store, const struct view_executor *executor)
{
	const struct process_facts *p = &executor->process->facts;
	struct evidence e = {
		.ours = is_ours(store, executor->process),
		.environment = p->environ_read,
		.checkpoint = p->checkpoint,
		.registered = is_registered(store, executor),
		.taken_back = is_taken_back(store, executor),
		.protocol = gather_protocol(executor->checkpoint),
		.sockets = sockets_read(store, executor->process),
		.n_links = executor->n_links,
		.relinks = relinks(p),
		.domain_socket = *p->domain_socket != '\0',
		.agent = store_agent(store)		    ? TRI_YES
			 : store->complete & SURVEY_SOCKETS ? TRI_NO
							    : TRI_UNKNOWN,
	};

	for (size_t i = 0; i < executor->n_links; i++) {
		struct link_evidence link = gather_link(store, executor->links[i].conn);
		enum link_state state = judge_link(&link);

		if (state > e.worst)
			e.worst = state;
	}
	return e;
}
