/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Index from a process to its connections: on a large node an agent's restart ends thousands of
 * links within a second, and each end requires the executor's other links.
 */
#include <stdlib.h>

#include "model/store/connection_rows.h"
#include "model/store/memory.h"
#include "model/store/process_connections.h"

static struct process_connections *conns_find(const struct store *store, int32_t pid,
					      uint64_t start)
{
	struct process_key key = { .pid = pid, .start = start };
	struct process_connections *conns;

	HASH_FIND(hh, store->conns, &key, sizeof(key), conns);
	return conns;
}

static struct process_connections *conns_get(struct store *store, int32_t pid, uint64_t start)
{
	struct process_connections *conns = conns_find(store, pid, start);

	if (conns)
		return conns;
	conns = calloc(1, sizeof(*conns));
	if (conns) {
		conns->key = (struct process_key){ .pid = pid, .start = start };
		HASH_ADD(hh, store->conns, key, sizeof(conns->key), conns);
		if (conns->hh.tbl)
			return conns;
	}
	free(conns);
	store->broken = true;
	return NULL;
}

/* Drops cookies of connections that the store has forgotten. */
static void conns_prune(const struct store *store, struct process_connections *conns)
{
	size_t kept = 0;

	for (size_t i = 0; i < conns->cookies.n; i++)
		if (store_connection_find(store, conns->cookies.v[i]))
			conns->cookies.v[kept++] = conns->cookies.v[i];
	conns->cookies.n = kept;
}

void store_process_connection_add(struct store *store, int32_t pid, uint64_t start, uint64_t cookie)
{
	struct process_connections *conns = conns_get(store, pid, start);

	if (!conns)
		return;
	if (conns->cookies.n == conns->cookies.cap)
		conns_prune(store, conns);
	if (store_reserve(store, conns->cookies))
		conns->cookies.v[conns->cookies.n++] = cookie;
}

const uint64_t *store_process_connections(const struct store *store, int32_t pid, uint64_t start,
					  size_t *ret_n)
{
	const struct process_connections *conns = conns_find(store, pid, start);

	*ret_n = conns ? conns->cookies.n : 0;
	return conns ? conns->cookies.v : NULL;
}

void store_prune_process_connections(struct store *store)
{
	struct process_connections *conns, *next;

	HASH_ITER(hh, store->conns, conns, next)
	{
		conns_prune(store, conns);
		if (conns->cookies.n)
			continue;
		HASH_DEL(store->conns, conns);
		free(conns->cookies.v);
		free(conns);
	}
}
