/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/keepalive_lookup.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/keepalive.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/netlink/sockdiag.h"
#include "observe/snapshot.h"

struct lookup {
	const struct snapshot *snapshot;
	const struct fact_sink *sink;
	int64_t mono; /* when the list of sockets began */
};

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

/* -ESTALE: the descriptor is another socket's by now. */
static int copy_read(int copy, uint64_t cookie, struct keepalive *ret)
{
	return cookie_of(copy) == cookie ? keepalive_read(copy, ret) : -ESTALE;
}

static int holder_read(const struct fact_holder *holder, uint64_t cookie, struct keepalive *ret)
{
	int pidfd = ew_pidfd_open(holder->pid, false), copy, err;

	if (pidfd < 0)
		return pidfd;
	copy = ew_pidfd_getfd(pidfd, holder->fd);
	err = copy < 0 ? copy : copy_read(copy, cookie, ret);
	if (copy >= 0)
		close(copy);
	close(pidfd);
	return err;
}

static bool is_over(int err)
{
	return proc_is_gone(err) || err == -EBADF || err == -ESTALE;
}

static void timer_emit(const struct lookup *lookup, const struct fact_socket *socket,
		       const struct fact_holder *holder)
{
	struct fact fact = { .type = FACT_KEEPALIVE, .mono = lookup->mono };
	struct keepalive keepalive = { 0 };
	int err = holder_read(holder, socket->cookie, &keepalive);

	if (err) {
		if (!is_over(err))
			emit_unread(lookup->sink, 0, socket->cookie, err, "keepalive of a link");
		return;
	}
	fact.keepalive = (struct fact_keepalive){
		.cookie = socket->cookie,
		.pid = holder->pid,
		.start = holder->start,
		.on = keepalive.on ? EW_YES : EW_NO,
		.idle = keepalive.idle,
		.interval = keepalive.interval,
		.count = keepalive.count,
		.probe_in = socket->probe_in,
	};
	fact_emit(lookup->sink, &fact);
}

static void each(void *ctx, const struct fact_socket *socket)
{
	const struct lookup *lookup = ctx;
	const struct fact_holder *holders;
	size_t n;

	if (!socket->probe_in ||
	    !agent_ports_have(snapshot_ports(lookup->snapshot), socket->remote.port))
		return;
	holders = snapshot_holders(lookup->snapshot, socket->cookie, &n);
	if (n)
		timer_emit(lookup, socket, &holders[0]);
}

static void look_in(struct lookup *lookup, uint64_t netns)
{
	struct error error = { 0 };
	int fd = snapshot_netns_open(lookup->snapshot, netns), err;

	if (fd == -ENOENT)
		return; /* it ended, and the links with it */
	lookup->mono = now_mono();
	err = fd < 0 ? fd
		     : sockdiag_dump(fd, netns, snapshot_ports(lookup->snapshot),
				     1u << TCP_ESTABLISHED, each, lookup, &error);
	if (err < 0)
		emit_unread(lookup->sink, 0, 0, err, "keepalive timers of network namespace %llu",
			    (unsigned long long)netns);
	if (fd >= 0)
		close(fd);
}

/* Namespaces with links, each once; few, or one for each executor. */
struct places {
	uint64_t *v;
	size_t n, cap;
};

static void places_add(struct places *places, uint64_t netns)
{
	for (size_t i = places->n; i > 0; i--) /* the last is the likeliest */
		if (places->v[i - 1] == netns)
			return;
	if (array_reserve(&places->v, &places->cap, places->n, sizeof(*places->v)) == 0)
		places->v[places->n++] = netns;
}

void keepalive_lookup_all(const struct snapshot *snapshot, const struct fact_sink *sink)
{
	struct lookup lookup = { snapshot, sink, 0 };
	struct places places = { 0 };
	const struct fact_socket *link;

	for (size_t i = 0; (link = snapshot_socket(snapshot, i)); i++)
		if (link->state == TCP_ESTABLISHED &&
		    agent_ports_have(snapshot_ports(snapshot), link->remote.port))
			places_add(&places, link->netns);
	for (size_t i = 0; i < places.n; i++)
		look_in(&lookup, places.v[i]);
	free(places.v);
}
