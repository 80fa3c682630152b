/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The map of connections against the kernel's own tables. An entry is removed by the event of its
 * socket's end. Where there is none it would stay for ever: the kernel skips a program on top of
 * itself (see ew_bpf_counters.c); a delete may fail, for the hash map's locks do not wait without
 * end
 * (-EBUSY from 5.11, -ETIMEDOUT and -EDEADLK from 6.15 on); and a walk may enter a socket in the
 * very moment between its last event and its new state, which it is told of in that order. And an
 * owner may have ended, or have closed what another process has inherited, or was passed.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "observe/bpf/libbpf.h"
#include "facts.h"
#include "observe/bpf/observer_priv.h"
#include "base/array.h"
#include "observe/bpf/event_decode.h"
#include "base/netns.h"
#include "observe/netlink/sockdiag.h"

#define AT_ONCE 256 /* entries that are read by one call; more than a bucket ever holds */

/* An entry that has not changed since before the walk, and of whose socket the walk told nothing.
 */
struct stale {
	uint64_t cookie;
	uint64_t netns;
	uint32_t owner;
	bool asked, there; /* in the kernel's tables */
};

/* A connection of which the walk has found descriptors, but none of its owner's. */
struct ownerless {
	uint64_t cookie;
	struct ew_task holder; /* the first that was told of */
};

struct sweep {
	int map;
	uint32_t pass;
	uint64_t before;
	struct stale *v;
	size_t n, room;
	uint64_t nowhere; /* the last namespace that no process was found in */
	struct ownerless *orphans;
	size_t n_orphans, orphans_room;
};

static bool has_ended(const struct sweep *sweep, const struct ew_conn *conn)
{
	return conn->state == TCP_CLOSE && conn->ktime_ns < sweep->before;
}

static bool is_stale(const struct sweep *sweep, const struct ew_conn *conn)
{
	return conn->pass != sweep->pass && conn->ktime_ns < sweep->before;
}

static bool is_ownerless(const struct sweep *sweep, const struct ew_conn *conn)
{
	return conn->pass == sweep->pass && !conn->owner_held && conn->owner.tgid &&
	       conn->ktime_ns < sweep->before;
}

static void entry_look(struct sweep *sweep, uint64_t cookie, const struct ew_conn *conn)
{
	if (has_ended(sweep, conn))
		bpf_map_delete_elem(sweep->map, &cookie);
	else if (is_stale(sweep, conn) &&
		 array_reserve(&sweep->v, &sweep->room, sweep->n, sizeof(*sweep->v)) == 0)
		sweep->v[sweep->n++] = (struct stale){ .cookie = cookie,
						       .netns = conn->ends.netns,
						       .owner = conn->owner.tgid };
	else if (is_ownerless(sweep, conn) &&
		 array_reserve(&sweep->orphans, &sweep->orphans_room, sweep->n_orphans,
			       sizeof(*sweep->orphans)) == 0)
		sweep->orphans[sweep->n_orphans++] = (struct ownerless){ .cookie = cookie };
}

static void entries_look(struct sweep *sweep)
{
	uint64_t *cookies = calloc(AT_ONCE, sizeof(*cookies));
	struct ew_conn *conns = calloc(AT_ONCE, sizeof(*conns));
	uint32_t place, n, *from = NULL;
	int err = cookies && conns ? 0 : -ENOMEM;

	while (!err) {
		n = AT_ONCE;
		err = bpf_map_lookup_batch(sweep->map, from, &place, cookies, conns, &n, NULL);
		if (err && err != -ENOENT) /* -ENOENT: these are the last */
			break;
		for (uint32_t i = 0; i < n; i++)
			entry_look(sweep, cookies[i], &conns[i]);
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

static void socket_there(void *ctx, const struct fact_socket *socket)
{
	struct sweep *sweep = ctx;
	struct stale key = { .cookie = socket->cookie }, *found;

	found = bsearch(&key, sweep->v, sweep->n, sizeof(key), by_cookie);
	if (found)
		found->there = true;
}

/* Asks for all of one namespace. */
static void netns_ask(struct sweep *sweep, int nsfd, uint64_t netns)
{
	bool known = sockdiag_dump(nsfd, netns, 0, SOCKDIAG_REAL, socket_there, sweep, NULL) == 0;

	for (size_t i = 0; i < sweep->n; i++) {
		struct stale *s = &sweep->v[i];

		if (s->netns == netns) {
			s->asked = true;
			s->there |= !known;
		}
	}
}

/* An owner that is not known, or has gone elsewhere: by way of any process that is there. */
static int netns_search(struct sweep *sweep, uint64_t netns)
{
	int nsfd = netns == sweep->nowhere ? -ENOENT : netns_open_inode(netns);

	if (nsfd < 0)
		sweep->nowhere = netns;
	return nsfd;
}

/*
 * By way of its owner, if need be. With the owner gone, and no holder, so is the socket. Where no
 * process is in its namespace the kernel cannot be asked, and it is taken to be there.
 */
static void stale_check(struct sweep *sweep, struct stale *stale)
{
	struct stat own = { 0 };
	uint64_t inode = 0;
	int nsfd;

	if (stat("/proc/self/ns/net", &own) == 0 && own.st_ino == stale->netns)
		return netns_ask(sweep, NETNS_OWN, stale->netns);
	stale->asked = true;
	nsfd = stale->owner ? netns_open_pid((pid_t)stale->owner, &inode) : -EINVAL;
	if (nsfd == -ENOENT || nsfd == -ESRCH)
		return;
	if (nsfd >= 0 && inode != stale->netns)
		close(nsfd);
	if (nsfd < 0 || inode != stale->netns)
		nsfd = netns_search(sweep, stale->netns);
	if (nsfd >= 0) {
		netns_ask(sweep, nsfd, stale->netns);
		close(nsfd);
	} else {
		stale->there = true;
	}
}

/* It may have changed meanwhile. */
static void stale_remove(const struct sweep *sweep, const struct stale *stale)
{
	struct ew_conn conn;

	if (bpf_map_lookup_elem(sweep->map, &stale->cookie, &conn) == 0 && is_stale(sweep, &conn))
		bpf_map_delete_elem(sweep->map, &stale->cookie);
}

/* ---- orphans ---- */

static void row_look(struct sweep *sweep, uint64_t cookie, const struct ew_task *holder)
{
	struct ownerless *found = bsearch(&cookie, sweep->orphans, sweep->n_orphans,
					  sizeof(*sweep->orphans), by_cookie);

	if (found && !found->holder.tgid)
		found->holder = *holder;
}

static void rows_look(struct sweep *sweep, const struct event_batch *batch)
{
	const struct ew_header *header;

	for (size_t i = 0; (header = event_batch_at(batch, i)); i++) {
		const struct ew_seed_socket *row = (const void *)header;
		const struct ew_seed_holder *more = (const void *)header;

		if (header->type == EW_SEED_SOCKET)
			row_look(sweep, row->cookie, &row->holder);
		else if (header->type == EW_SEED_HOLDER)
			row_look(sweep, more->cookie, &more->holder);
	}
}

/* A change in this very moment is told of all the same; what the entry says is put right later. */
static void ownerless_assign_one(const struct sweep *sweep, const struct ownerless *ownerless)
{
	struct ew_conn conn;

	if (!ownerless->holder.tgid ||
	    bpf_map_lookup_elem(sweep->map, &ownerless->cookie, &conn) != 0 ||
	    !is_ownerless(sweep, &conn))
		return;
	conn.owner = ownerless->holder;
	conn.owner_sure = false;
	bpf_map_update_elem(sweep->map, &ownerless->cookie, &conn, BPF_EXIST);
}

static void ownerless_assign(struct sweep *sweep, const struct event_batch *batch)
{
	if (!sweep->n_orphans)
		return;
	qsort(sweep->orphans, sweep->n_orphans, sizeof(*sweep->orphans), by_cookie);
	rows_look(sweep, batch);
	for (size_t i = 0; i < sweep->n_orphans; i++)
		ownerless_assign_one(sweep, &sweep->orphans[i]);
	free(sweep->orphans);
}

void conns_gc(const struct ew_bpf *watch, uint64_t before)
{
	struct sweep sweep = { .map = bpf_map__fd(watch->skel->maps.conns),
			       .pass = watch->skel->bss->seed_pass,
			       .before = before };

	entries_look(&sweep);
	if (sweep.n)
		qsort(sweep.v, sweep.n, sizeof(*sweep.v), by_cookie);
	for (size_t i = 0; i < sweep.n; i++)
		if (!sweep.v[i].asked)
			stale_check(&sweep, &sweep.v[i]);
	for (size_t i = 0; i < sweep.n; i++)
		if (!sweep.v[i].there)
			stale_remove(&sweep, &sweep.v[i]);
	free(sweep.v);
	ownerless_assign(&sweep, watch->batch);
}
