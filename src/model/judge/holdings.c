/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/holdings.h"

#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/equal_range.h"

static bool counts(const struct connection *conn)
{
	return conn->facts.state == TCP_ESTABLISHED || conn->facts.state == TCP_LISTEN;
}

static size_t holdings_count(const struct store *store)
{
	const struct connection *conn, *next;
	size_t n = 0;

	HASH_ITER(hh, store->connections, conn, next)
	if (counts(conn))
		n += conn->n_holders + 1;
	return n;
}

static void holding_add(struct holdings *all, const struct store *store, int32_t pid,
			uint64_t start, const struct connection *conn, int32_t fd)
{
	const struct process *process = pid ? store_process_find(store, pid, start) : NULL;

	if (process && process->known && process_is_alive(process))
		all->v[all->n++] = (struct holding){ process, conn, fd };
}

static void connection_holdings(struct holdings *all, const struct store *store,
				const struct connection *conn)
{
	for (size_t i = 0; i < conn->n_holders; i++)
		holding_add(all, store, conn->holders[i].pid, conn->holders[i].start, conn,
			    conn->holders[i].fd);
	if (connection_owner_counts(conn))
		holding_add(all, store, conn->owner, conn->owner_start, conn, -1);
}

static int holding_order(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->conn->facts.cookie != y->conn->facts.cookie)
		return x->conn->facts.cookie < y->conn->facts.cookie ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

struct holdings holdings_build(const struct store *store, struct arena *arena)
{
	struct holdings all = { arena_array(arena, holdings_count(store), sizeof(*all.v)), 0 };
	const struct connection *conn, *next;

	if (!all.v)
		return all;
	HASH_ITER(hh, store->connections, conn, next)
	{
		if (counts(conn))
			connection_holdings(&all, store, conn);
	}
	qsort(all.v, all.n, sizeof(*all.v), holding_order);
	return all;
}

static int process_order(const void *key, const void *item)
{
	const struct process *process = key;
	const struct holding *holding = item;

	return (process > holding->process) - (process < holding->process);
}

/* The descriptors of one process: a range of the sorted array. */
struct holdings holdings_of(const struct holdings *all, const struct process *process)
{
	size_t first;
	size_t n = equal_range(process, all->v, all->n, sizeof(*all->v), process_order, &first);

	return (struct holdings){ all->v + first, n };
}
