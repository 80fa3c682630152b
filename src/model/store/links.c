/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/links.h"

#include <netinet/tcp.h>

#include "base/addr.h"
#include "model/store/agent_choice.h"
#include "model/store/connection_index.h"

bool connection_owner_counts(const struct connection *conn)
{
	return conn->owner && !conn->n_holders;
}

bool connection_is_of(const struct connection *conn, int32_t pid, uint64_t start)
{
	if (connection_owner_counts(conn) && conn->owner == pid && conn->owner_start == start)
		return true;
	for (size_t i = 0; i < conn->n_holders; i++)
		if (conn->holders[i].pid == pid && conn->holders[i].start == start)
			return true;
	return false;
}

bool connection_is_link(const struct store *store, const struct connection *conn)
{
	return agent_ports_have(&store->ports, conn->facts.remote.port);
}

static struct connection *tuple_find(const struct store *store, uint64_t netns,
				     const struct connection *conn)
{
	return store_connection_at(store, netns, &conn->facts.remote, &conn->facts.local);
}

/* True for two ends of one host in one namespace; another namespace may use the same addresses. */
static bool stays_inside(const struct connection *conn)
{
	return addr_is_loopback(&conn->facts.remote) ||
	       addr_ip_equal(&conn->facts.local, &conn->facts.remote);
}

struct connection *store_peer(const struct store *store, const struct connection *conn)
{
	struct connection *peer = tuple_find(store, conn->facts.netns, conn);

	for (size_t i = 0; !peer && !stays_inside(conn) && i < store->namespaces.n; i++)
		peer = tuple_find(store, store->namespaces.v[i].inode, conn);
	return peer;
}

static struct connection *peer_at_port(const struct store *store, const struct connection *conn,
				       uint16_t local, uint16_t remote)
{
	struct ew_addr near = conn->facts.local, far = conn->facts.remote;
	struct connection *found;

	near.port = local;
	far.port = remote;
	found = store_connection_at(store, conn->facts.netns, &far, &near);
	return found && !store_peer(store, found) ? found : NULL;
}

struct connection *store_peer_advertised(const struct store *store, const struct connection *conn)
{
	const uint16_t *ports = store->ports.v;
	uint16_t local = conn->facts.local.port, remote = conn->facts.remote.port;
	struct connection *found = NULL;

	for (int i = 1; !found && i < AGENT_PORTS_MAX && ports[i]; i++) {
		if (remote == ports[i])
			found = peer_at_port(store, conn, local, ports[0]);
		else if (local == ports[0])
			found = peer_at_port(store, conn, ports[i], remote);
	}
	return found;
}

/* By an entry of the agent's namespace, or of one that the connection leaves. */
static bool leads_to(const struct entry *entry, const struct connection *conn, uint64_t netns,
		     const struct ew_addr *local, const struct ew_addr *remote)
{
	return entry->translated && (entry->netns == netns || conn->facts.netns != netns) &&
	       addr_equal(&entry->reply_local, local) && addr_equal(&entry->reply_remote, remote);
}

struct connection *store_peer_untranslated(const struct store *store, uint64_t netns,
					   const struct ew_addr *local,
					   const struct ew_addr *remote)
{
	struct connection *conn, *next;

	if (!store->translates)
		return NULL;
	HASH_ITER(hh, store->connections, conn, next)
	{
		if (conn->facts.state != TCP_ESTABLISHED || !connection_is_link(store, conn))
			continue;
		for (size_t i = 0; i < conn->n_entries; i++)
			if (leads_to(&conn->entries[i], conn, netns, local, remote))
				return conn;
	}
	return NULL;
}

/*
 * The v0 driver and the v1 library both go where MESOS_SLAVE_PID says (Mesos exec.cpp,
 * executor.cpp). A connection to this agent by another address has its other end on this host.
 */
bool connection_is_link_of(const struct store *store, const struct connection *conn,
			   const struct process *process)
{
	const struct ew_addr *remote = &conn->facts.remote;
	const struct agent *agent;

	if (!connection_is_link(store, conn))
		return false;
	if (!process->agent_known || addr_ip_equal(remote, &process->agent_addr) ||
	    addr_is_loopback(remote))
		return true;
	agent = store_last_agent(store);
	return (agent && addr_ip_equal(remote, &agent->facts.listen)) || store_peer(store, conn);
}
