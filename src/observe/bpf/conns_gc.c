/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/conns_gc.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/array.h"
#include "base/netns.h"
#include "events.h"
#include "facts.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/libbpf.h"
#include "observe/netlink/sockdiag.h"

#define LOOKUP_MAX 256 /* entries read by one call; a bucket never has more */

/* An entry that has not changed since the scan began, and whose socket the scan has not found. */
struct stale {
	uint64_t cookie;
	uint64_t netns;
	uint32_t owner;
	bool asked, exists; /* in the kernel's tables */
};

/* A connection of which the scan has found descriptors, but none of its owner's. */
struct ownerless {
	uint64_t cookie;
	struct ew_task new_owner; /* the first process found with a descriptor */
};

struct gc {
	int map;
	uint32_t scan_number;
	uint64_t began;
	struct stale *stale;
	size_t n_stale, stale_cap;
	uint64_t empty_netns; /* the last one in which no process was found */
	struct ownerless *ownerless;
	size_t n_ownerless, ownerless_cap;
};

static bool has_ended(const struct gc *gc, const struct ew_conn *conn)
{
	return conn->state == TCP_CLOSE && conn->ktime_ns < gc->began;
}

static bool is_stale(const struct gc *gc, const struct ew_conn *conn)
{
	return conn->scan_number != gc->scan_number && conn->ktime_ns < gc->began;
}

static bool is_ownerless(const struct gc *gc, const struct ew_conn *conn)
{
	return conn->scan_number == gc->scan_number && !conn->owner_held && conn->owner.tgid &&
	       conn->ktime_ns < gc->began;
}

/* Without memory an entry is left for the next scan. */
static void entry_sort(struct gc *gc, uint64_t cookie, const struct ew_conn *conn)
{
	if (has_ended(gc, conn))
		bpf_map_delete_elem(gc->map, &cookie);
	else if (is_stale(gc, conn) &&
		 array_reserve(&gc->stale, &gc->stale_cap, gc->n_stale, sizeof(*gc->stale)) == 0)
		gc->stale[gc->n_stale++] = (struct stale){ .cookie = cookie,
							   .netns = conn->ends.netns,
							   .owner = conn->owner.tgid };
	else if (is_ownerless(gc, conn) &&
		 array_reserve(&gc->ownerless, &gc->ownerless_cap, gc->n_ownerless,
			       sizeof(*gc->ownerless)) == 0)
		gc->ownerless[gc->n_ownerless++] = (struct ownerless){ .cookie = cookie };
}

static void entries_read(struct gc *gc)
{
	uint64_t *cookies = calloc(LOOKUP_MAX, sizeof(*cookies));
	struct ew_conn *conns = calloc(LOOKUP_MAX, sizeof(*conns));
	uint32_t place, n, *from = NULL;
	int err = cookies && conns ? 0 : -ENOMEM;

	while (!err) {
		n = LOOKUP_MAX;
		err = bpf_map_lookup_batch(gc->map, from, &place, cookies, conns, &n, NULL);
		if (err && err != -ENOENT) /* -ENOENT: these are the last */
			break;
		for (uint32_t i = 0; i < n; i++)
			entry_sort(gc, cookies[i], &conns[i]);
		from = &place;
	}
	free(cookies);
	free(conns);
}

/* A cookie, or what begins with one. */
static int by_cookie(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void socket_exists(const struct gc *gc, uint64_t cookie)
{
	struct stale key = { .cookie = cookie }, *found;

	found = bsearch(&key, gc->stale, gc->n_stale, sizeof(key), by_cookie);
	if (found)
		found->exists = true;
}

/* Asks for all sockets of one namespace. What the kernel does not answer counts as existing. */
static void netns_ask(struct gc *gc, int nsfd, uint64_t netns)
{
	const struct fact_socket *socket;
	struct sockdiag *list = NULL;
	int more = sockdiag_open(nsfd, netns, NULL, SOCKDIAG_REAL, &list, NULL) ?: 1;

	while (more > 0 && (more = sockdiag_next(list, &socket, NULL)) > 0)
		socket_exists(gc, socket->cookie);
	sockdiag_close(list);
	for (size_t i = 0; i < gc->n_stale; i++) {
		struct stale *stale = &gc->stale[i];

		if (stale->netns == netns) {
			stale->asked = true;
			stale->exists |= more != 0;
		}
	}
}

/* By way of any process that is in the namespace. */
static int netns_search(struct gc *gc, uint64_t netns)
{
	int nsfd = netns == gc->empty_netns ? -ENOENT : netns_open_inode(netns);

	if (nsfd < 0)
		gc->empty_netns = netns;
	return nsfd;
}

/* Returns a descriptor. -ENOENT, -ESRCH: the owner has exited. */
static int stale_netns_open(struct gc *gc, const struct stale *stale)
{
	uint64_t inode = 0;
	int nsfd = stale->owner ? netns_open_pid((pid_t)stale->owner, &inode) : -EINVAL;

	if (nsfd == -ENOENT || nsfd == -ESRCH || (nsfd >= 0 && inode == stale->netns))
		return nsfd;
	if (nsfd >= 0)
		close(nsfd); /* the owner has moved to another namespace */
	nsfd = netns_search(gc, stale->netns);
	return nsfd < 0 ? -EINVAL : nsfd;
}

/*
 * With the owner exited and no descriptor found, the socket is gone. Where no process is in its
 * namespace the kernel cannot be asked, and the socket counts as existing.
 */
static void stale_check(struct gc *gc, struct stale *stale)
{
	int nsfd;

	if (netns_inode(NETNS_OWN) == stale->netns)
		return netns_ask(gc, NETNS_OWN, stale->netns);
	stale->asked = true;
	nsfd = stale_netns_open(gc, stale);
	if (nsfd == -ENOENT || nsfd == -ESRCH)
		return;
	if (nsfd < 0) {
		stale->exists = true;
		return;
	}
	netns_ask(gc, nsfd, stale->netns);
	close(nsfd);
}

/* The entry may have changed meanwhile. */
static void stale_remove(const struct gc *gc, const struct stale *stale)
{
	struct ew_conn conn;

	if (bpf_map_lookup_elem(gc->map, &stale->cookie, &conn) == 0 && is_stale(gc, &conn))
		bpf_map_delete_elem(gc->map, &stale->cookie);
}

static void all_stale_remove(struct gc *gc)
{
	if (gc->n_stale)
		qsort(gc->stale, gc->n_stale, sizeof(*gc->stale), by_cookie);
	for (size_t i = 0; i < gc->n_stale; i++)
		if (!gc->stale[i].asked)
			stale_check(gc, &gc->stale[i]);
	for (size_t i = 0; i < gc->n_stale; i++)
		if (!gc->stale[i].exists)
			stale_remove(gc, &gc->stale[i]);
}

/* ---- connections without an owner ---- */

static void new_owner_note(struct gc *gc, uint64_t cookie, const struct ew_task *holder)
{
	struct ownerless *found =
		bsearch(&cookie, gc->ownerless, gc->n_ownerless, sizeof(*gc->ownerless), by_cookie);

	if (found && !found->new_owner.tgid)
		found->new_owner = *holder;
}

static void new_owners_find(struct gc *gc, const struct event_batch *rows)
{
	const struct ew_header *header;

	for (size_t i = 0; (header = event_batch_at(rows, i)); i++) {
		const struct ew_scan_socket *socket = (const void *)header;
		const struct ew_scan_holder *holder = (const void *)header;

		if (header->type == EW_SCAN_SOCKET)
			new_owner_note(gc, socket->cookie, &socket->holder);
		else if (header->type == EW_SCAN_HOLDER)
			new_owner_note(gc, holder->cookie, &holder->holder);
	}
}

/* A change at this very moment is reported all the same; the next scan corrects the entry. */
static void new_owner_set(const struct gc *gc, const struct ownerless *ownerless)
{
	struct ew_conn conn;

	if (!ownerless->new_owner.tgid ||
	    bpf_map_lookup_elem(gc->map, &ownerless->cookie, &conn) != 0 ||
	    !is_ownerless(gc, &conn))
		return;
	conn.owner = ownerless->new_owner;
	conn.owner_sure = false;
	bpf_map_update_elem(gc->map, &ownerless->cookie, &conn, BPF_EXIST);
}

static void new_owners_set(struct gc *gc, const struct event_batch *rows)
{
	if (!gc->n_ownerless)
		return;
	qsort(gc->ownerless, gc->n_ownerless, sizeof(*gc->ownerless), by_cookie);
	new_owners_find(gc, rows);
	for (size_t i = 0; i < gc->n_ownerless; i++)
		new_owner_set(gc, &gc->ownerless[i]);
}

void conns_gc(int map, uint32_t scan_number, uint64_t began, const struct event_batch *rows)
{
	struct gc gc = { .map = map, .scan_number = scan_number, .began = began };

	entries_read(&gc);
	all_stale_remove(&gc);
	new_owners_set(&gc, rows);
	free(gc.stale);
	free(gc.ownerless);
}
