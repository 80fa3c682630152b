/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds a connection by its ends (the other end of a connection), or a listener by its address. Not
 * by uthash: a second handle in each connection is 56 bytes, the copy of its ends another 48, and
 * during a large node's restart there are tens of thousands of connections.
 */
#include <stdlib.h>

#include "base/addr.h"
#include "base/hash.h"
#include "model/store/connection_index.h"

static struct connection **slot_of(const struct connection_index *tuples, uint64_t netns,
				   const struct ew_addr *local, const struct ew_addr *remote)
{
	uint64_t hash = hash_bytes(HASH_BEGIN, &netns, sizeof(netns));

	hash = hash_bytes(hash, local, sizeof(*local));
	hash = hash_bytes(hash, remote, sizeof(*remote));
	return &tuples->slots[hash & (tuples->n_slots - 1)];
}

static struct connection **slot_for(const struct connection_index *tuples,
				    const struct connection *conn)
{
	const struct fact_socket *s = &conn->facts;

	return slot_of(tuples, s->netns, &s->local, &s->remote);
}

static bool has_ends(const struct connection *conn, uint64_t netns, const struct ew_addr *local,
		     const struct ew_addr *remote)
{
	const struct fact_socket *s = &conn->facts;

	return s->netns == netns && addr_equal(&s->local, local) && addr_equal(&s->remote, remote);
}

struct connection *store_connection_at(const struct store *store, uint64_t netns,
				       const struct ew_addr *local, const struct ew_addr *remote)
{
	const struct connection_index *tuples = &store->tuples;
	struct connection *conn = tuples->n_slots ? *slot_of(tuples, netns, local, remote) : NULL;

	while (conn && !has_ends(conn, netns, local, remote))
		conn = conn->next_at;
	return conn;
}

void connection_unindex(struct store *store, struct connection *conn)
{
	struct connection **at;

	if (!conn->indexed)
		return;
	at = slot_for(&store->tuples, conn);
	while (*at != conn)
		at = &(*at)->next_at;
	*at = conn->next_at;
	conn->indexed = false;
	store->tuples.n--;
}

static void slot_add(struct connection_index *tuples, struct connection *conn)
{
	struct connection **slot = slot_for(tuples, conn);

	conn->next_at = *slot;
	*slot = conn;
}

/* One more fits: slots are at least as many as connections. */
static bool slots_reserve(struct connection_index *tuples)
{
	struct connection_index more = { .n = tuples->n,
					 .n_slots = tuples->n_slots ? 2 * tuples->n_slots : 64 };

	if (tuples->n < tuples->n_slots)
		return true;
	more.slots = calloc(more.n_slots, sizeof(struct connection *));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < tuples->n_slots; i++) {
		for (struct connection *conn = tuples->slots[i], *next; conn; conn = next) {
			next = conn->next_at;
			slot_add(&more, conn);
		}
	}
	free(tuples->slots);
	*tuples = more;
	return true;
}

static void connection_index(struct store *store, struct connection *conn)
{
	const struct fact_socket *s = &conn->facts;
	struct connection *old = store_connection_at(store, s->netns, &s->local, &s->remote);

	if (old)
		connection_unindex(store, old);
	if (!slots_reserve(&store->tuples)) {
		store->broken = true;
		return;
	}
	slot_add(&store->tuples, conn);
	conn->indexed = true;
	store->tuples.n++;
}

void connection_move(struct store *store, struct connection *conn, uint64_t netns,
		     const struct ew_addr *local, const struct ew_addr *remote)
{
	if (conn->indexed && has_ends(conn, netns, local, remote))
		return;
	connection_unindex(store, conn);
	conn->facts.netns = netns;
	conn->facts.local = *local;
	conn->facts.remote = *remote;
	if (local->port)
		connection_index(store, conn);
}
