/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/connections.h"

#include <netinet/tcp.h>
#include <stdlib.h>

#include "model/store/agents.h"
#include "model/store/apply.h"
#include "model/store/connection_index.h"
#include "model/store/connection_rows.h"
#include "model/store/links.h"
#include "model/store/process_connections.h"
#include "model/store/processes.h"
#include "model/store/registration.h"
#include "model/store/tracking.h"

static void owner_set(struct store *store, struct connection *conn, int32_t pid, uint64_t start)
{
	conn->owner = pid;
	conn->owner_start = start;
	store_process_connection_add(store, pid, start, conn->facts.cookie);
}

/* Remembers when the newest link was made; it is needed to judge the exit later. */
static void link_note(struct store *store, const struct connection *conn, int32_t pid,
		      uint64_t start)
{
	struct process *process;

	if (!pid || conn->facts.state != TCP_ESTABLISHED || !connection_is_link(store, conn))
		return;
	process = store_process_find(store, pid, start);
	if (process && conn->established_at > process->last_link &&
	    connection_is_link_of(store, conn, process))
		process->last_link = conn->established_at;
}

static void state_set(struct store *store, struct connection *conn, uint32_t state, int64_t mono)
{
	uint32_t before = conn->facts.state;

	conn->facts.state = state;
	if (state == TCP_ESTABLISHED)
		conn->ended_at = 0;
	if (state == TCP_ESTABLISHED && !conn->established_at)
		conn->established_at = mono;
	if (state == TCP_ESTABLISHED)
		conn->stood_at = mono;
	link_note(store, conn, conn->owner, conn->owner_start);
	if (before == TCP_SYN_SENT && state == TCP_CLOSE)
		registration_link_refused(store, conn, mono);
	if (before != TCP_ESTABLISHED || state == TCP_ESTABLISHED)
		return;
	conn->ended_at = mono;
	registration_link_ended(store, conn, mono);
}

/*
 * A scan may show the end of a link before its event is read from the ring. The link ended at some
 * time since it was last seen ESTABLISHED. The earliest time is the safe assumption: the deadline
 * is not too late, and a registration after it counts.
 */
static int64_t row_time(const struct connection *conn, const struct fact *fact)
{
	bool ends = conn->facts.state == TCP_ESTABLISHED && fact->socket.state != TCP_ESTABLISHED;

	return ends && conn->stood_at ? conn->stood_at : fact->mono;
}

void store_apply_socket(struct store *store, const struct fact *fact)
{
	bool is_new = !store_connection_find(store, fact->socket.cookie);
	struct connection *conn = store_connection(store, fact->socket.cookie);

	if (!conn)
		return;
	conn->seen = store->snapshot;
	conn->was_there |= is_new && store->snapshot <= 1;
	if (fact->socket.inode)
		conn->facts.inode = fact->socket.inode; /* no hook reports it */
	/* A hook that fired while the snapshot was reading is newer than the row that the snapshot
	 * copied. */
	if (conn->hooked_at > fact->mono)
		return;
	connection_move(store, conn, fact->socket.netns, &fact->socket.local, &fact->socket.remote);
	conn->facts.inode = fact->socket.inode;
	conn->facts.idle = fact->socket.idle;
	conn->facts.mptcp = fact->socket.mptcp;
	/* A socket is at least as old as its idle time. */
	if (!conn->established_at && fact->socket.state == TCP_ESTABLISHED && fact->socket.idle > 0)
		conn->established_at = fact->mono - fact->socket.idle;
	state_set(store, conn, fact->socket.state, row_time(conn, fact));
	store_netns_note(store, fact->socket.netns);
}

void store_apply_holder(struct store *store, const struct fact *fact)
{
	const struct fact_holder *h = &fact->holder;
	struct connection *conn = store_connection(store, h->cookie);
	struct holder *holders;

	if (!conn)
		return;
	link_note(store, conn, h->pid, h->start);
	for (size_t i = 0; i < conn->n_holders; i++) {
		struct holder *old = &conn->holders[i];

		if (old->pid == h->pid && old->start == h->start && old->fd == h->fd) {
			old->seen = store->snapshot;
			return;
		}
	}
	holders = reallocarray(conn->holders, conn->n_holders + 1, sizeof(*holders));
	if (!holders) {
		store->broken = true;
		return;
	}
	conn->holders = holders;
	conn->holders[conn->n_holders++] = (struct holder){
		.pid = h->pid, .fd = h->fd, .start = h->start, .seen = store->snapshot
	};
	store_process_connection_add(store, h->pid, h->start, h->cookie);
}

/* Events that a killed watch left in the rings are read before a scan identifies the processes. */
static void link_end_note(struct store *store, const struct connection *conn,
			  const struct fact *fact)
{
	struct process *process;

	if (store->complete & SCAN_PROCESSES || fact->tcp.from != TCP_ESTABLISHED ||
	    !fact->tcp.pid || !connection_is_link(store, conn))
		return;
	process = store_process(store, fact->tcp.pid, fact->tcp.start);
	if (process && !process->known)
		process->link_end = fact->mono;
}

/* Kept while the other end is ESTABLISHED: evidence.c, agent_end(), needs to know that it existed.
 */
static bool is_over(const struct store *store, const struct connection *conn, int64_t mono)
{
	int64_t ended = conn->ended_at ? conn->ended_at : conn->hooked_at;
	const struct connection *peer;

	if (conn->seen == store->snapshot || conn->facts.state != TCP_CLOSE ||
	    mono - ended <= STORE_KEEP_CONNECTION)
		return false;
	peer = store_peer(store, conn);
	return !peer || peer->facts.state == TCP_CLOSE;
}

void store_forget_sockets(struct store *store, int64_t mono)
{
	struct connection *conn, *next;

	HASH_ITER(hh, store->connections, conn, next)
	{
		if (is_over(store, conn, mono))
			store_connection_free(store, conn);
	}
	store_prune_process_connections(store);
	store->forgot = mono;
}

/*
 * A large node's restart ends tens of thousands of connections between two scans. They are kept
 * during a scan and before the first one, since more events on them may come.
 */
static void forget_some(struct store *store, int64_t mono)
{
	if (!store->scope && store->complete & SCAN_PROCESSES && mono - store->forgot >= NS_PER_S)
		store_forget_sockets(store, mono);
}

void store_apply_tcp(struct store *store, const struct fact *fact)
{
	const struct fact_tcp *t = &fact->tcp;
	struct connection *conn = store_connection(store, t->cookie);

	if (!conn)
		return;
	if (t->to == TCP_LISTEN && t->local.port == store->session.agent_port)
		store_agent_listens(store, fact);
	if (t->from == TCP_LISTEN)
		store_agent_closed(store, fact);
	conn->hooked_at = fact->mono;
	connection_move(store, conn, t->netns, t->local.port ? &t->local : &conn->facts.local,
			t->remote.port ? &t->remote : &conn->facts.remote);
	/* No change of state: a process was seen to read or send on a socket whose owner was not
	 * sure. */
	if (t->pid && (!conn->owner || t->from == t->to))
		owner_set(store, conn, t->pid, t->start);
	store_netns_note(store, t->netns);
	state_set(store, conn, t->to, fact->mono);
	link_end_note(store, conn, fact);
	forget_some(store, fact->mono);
}

/* A message proves its sender, and that the connection is ESTABLISHED even if that event was lost.
 */
void connection_note_message(struct store *store, const struct fact *fact)
{
	const struct fact_message *m = &fact->message;
	bool is_new = !store_connection_find(store, m->cookie);
	struct connection *conn = store_connection(store, m->cookie);

	if (!conn)
		return;
	if (!conn->owner && m->pid)
		owner_set(store, conn, m->pid, m->start);
	if (!is_new)
		return;
	connection_move(store, conn, m->netns, &m->local, &m->remote);
	store_netns_note(store, m->netns);
	state_set(store, conn, TCP_ESTABLISHED, fact->mono);
}

static void holders_end(struct connection *conn, uint32_t snapshot)
{
	uint32_t kept = 0;

	for (size_t i = 0; i < conn->n_holders; i++)
		if (conn->holders[i].seen == snapshot)
			conn->holders[kept++] = conn->holders[i];
	conn->n_holders = kept;
}

static void holders_clear(struct connection *conn)
{
	free(conn->holders);
	conn->holders = NULL;
	conn->n_holders = 0;
}

static bool is_hidden_agent(const struct store *store, const struct connection *conn)
{
	return conn->facts.state == TCP_LISTEN &&
	       conn->facts.local.port == store->session.agent_port && !conn->n_holders &&
	       !conn->owner;
}

static bool is_hidden_mptcp(const struct store *store, const struct connection *conn)
{
	return conn->facts.mptcp && conn->facts.state == TCP_ESTABLISHED && conn->facts.inode &&
	       connection_is_link(store, conn) && !conn->n_holders && !conn->owner;
}

/* At the end of a complete scan of sockets: a connection that it did not show has ended. */
void store_end_sockets(struct store *store, int64_t mono)
{
	struct connection *conn, *next;

	store->agent_hidden = false;
	store->mptcp_hidden = false;
	HASH_ITER(hh, store->connections, conn, next)
	{
		if (conn->seen == store->snapshot) {
			holders_end(conn, store->snapshot);
			store->agent_hidden |= is_hidden_agent(store, conn);
			store->mptcp_hidden |= is_hidden_mptcp(store, conn);
			continue;
		}
		/* Made after the scan had read its place: only hooks saw it. */
		if (conn->facts.state != TCP_CLOSE && conn->hooked_at >= store->snapshot_began)
			continue;
		/* Events on its end are read after the scan. */
		if (conn->facts.state != TCP_CLOSE)
			conn->seen = store->snapshot;
		state_set(store, conn, TCP_CLOSE,
			  conn->facts.state == TCP_ESTABLISHED && conn->stood_at ? conn->stood_at
										 : mono);
		holders_clear(conn);
		if (!conn->ended_at)
			conn->ended_at = mono;
	}
}

void store_clear_sockets(struct store *store)
{
	struct connection *conn, *next;

	HASH_ITER(hh, store->connections, conn, next)
	store_connection_free(store, conn);
	free(store->tuples.slots);
	store_prune_process_connections(store);
}
