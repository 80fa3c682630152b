/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The order of what a snapshot holds, and what is found by it. */
#include <stdlib.h>
#include <string.h>

#include "base/equal_range.h"
#include "observe/snapshot_internal.h"

static int process_order(const void *a, const void *b)
{
	const struct snapshot_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int socket_order(const void *a, const void *b)
{
	const struct fact_socket *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int holder_order(const void *a, const void *b)
{
	const struct fact_holder *x = a, *y = b;

	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

void snapshot_sort_unique(void *items, size_t *n, size_t size,
			  int (*order)(const void *a, const void *b))
{
	char *at = items;
	size_t kept = 0;

	if (*n == 0)
		return;
	qsort(items, *n, size, order);
	for (size_t i = 1; i < *n; i++)
		if (order(at + kept * size, at + i * size) != 0)
			memmove(at + ++kept * size, at + i * size, size);
	*n = kept + 1;
}

void snapshot_sort_processes(struct snapshot *snapshot)
{
	snapshot_sort_unique(snapshot->processes, &snapshot->n_processes,
			     sizeof(*snapshot->processes), process_order);
}

void snapshot_sort(struct snapshot *snapshot)
{
	snapshot_sort_processes(snapshot);
	snapshot_sort_unique(snapshot->sockets, &snapshot->n_sockets, sizeof(*snapshot->sockets),
			     socket_order);
	snapshot_sort_unique(snapshot->holders, &snapshot->n_holders, sizeof(*snapshot->holders),
			     holder_order);
}

const struct snapshot_process *snapshot_process_find(const struct snapshot *snapshot, int32_t pid)
{
	struct snapshot_process key = { .pid = pid };

	if (!snapshot->n_processes)
		return NULL;
	return bsearch(&key, snapshot->processes, snapshot->n_processes, sizeof(key),
		       process_order);
}

static int cookie_order(const void *key, const void *item)
{
	uint64_t cookie = *(const uint64_t *)key;
	const struct fact_holder *holder = item;

	return (cookie > holder->cookie) - (cookie < holder->cookie);
}

const struct fact_holder *snapshot_holders(const struct snapshot *snapshot, uint64_t cookie,
					   size_t *n)
{
	size_t first;

	*n = equal_range(&cookie, snapshot->holders, snapshot->n_holders,
			 sizeof(*snapshot->holders), cookie_order, &first);
	return *n ? &snapshot->holders[first] : NULL;
}
