/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/other_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "observe/netlink/netlink.h"

#define KNOWN_MAX 64 /* one for each address and, with SO_REUSEPORT, for each socket */

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 diag;
};

struct cookies {
	uint64_t v[KNOWN_MAX];
	size_t n;
};

struct other_listener {
	int fd;
	uint16_t port;
	struct cookies known, now;
	char buf[NETLINK_BUF];
};

static int ask(const struct other_listener *o, uint8_t family)
{
	struct request request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			  .nlmsg_seq = 1 },
		.diag = { .sdiag_family = family,
			  .sdiag_protocol = IPPROTO_TCP,
			  .idiag_states = 1u << TCP_LISTEN,
			  .id = { .idiag_sport = htons(o->port) } },
	};

	return send(o->fd, &request, sizeof(request), 0) == sizeof(request) ? 0 : -errno;
}

static bool is_known(const struct other_listener *o, uint64_t cookie)
{
	for (size_t i = 0; i < o->known.n; i++)
		if (o->known.v[i] == cookie)
			return true;
	return false;
}

/* NULL: not a row of that port. */
static const struct inet_diag_msg *row_of(const struct other_listener *o,
					  const struct nlmsghdr *msg)
{
	const struct inet_diag_msg *row = NLMSG_DATA(msg);

	if (msg->nlmsg_type != SOCK_DIAG_BY_FAMILY || msg->nlmsg_len < NLMSG_LENGTH(sizeof(*row)) ||
	    ntohs(row->id.idiag_sport) != o->port)
		return NULL;
	return row;
}

/* Those of one packet are added to found. Returns 1 when more will come, 0 at the end, -errno. */
static int packet_read(const struct other_listener *o, ssize_t len, struct cookies *found)
{
	for (const struct nlmsghdr *msg = (const void *)o->buf; NLMSG_OK(msg, len);
	     msg = NLMSG_NEXT(msg, len)) {
		const struct inet_diag_msg *row = row_of(o, msg);

		if (msg->nlmsg_type == NLMSG_DONE)
			return 0;
		if (msg->nlmsg_type == NLMSG_ERROR)
			return -EIO;
		if (!row)
			continue;
		if (found->n == KNOWN_MAX)
			return -ENOBUFS;
		found->v[found->n++] =
			(uint64_t)row->id.idiag_cookie[1] << 32 | row->id.idiag_cookie[0];
	}
	return 1;
}

static int family_list(struct other_listener *o, uint8_t family, struct cookies *found)
{
	int more = ask(o, family) ?: 1;

	while (more > 0) {
		ssize_t len = recv(o->fd, o->buf, sizeof(o->buf), 0);

		more = len < 0 ? -errno : packet_read(o, len, found);
	}
	return more;
}

/* The listeners of both families. Returns 0 or a negative errno. */
static int list(struct other_listener *o, struct cookies *found)
{
	found->n = 0;
	return family_list(o, AF_INET, found) ?: family_list(o, AF_INET6, found);
}

int other_listener_open(int nsfd, uint16_t port, struct other_listener **ret, struct error *error)
{
	struct other_listener *o = calloc(1, sizeof(*o));

	if (!o)
		return error_set(error, -ENOMEM, NULL, "list who listens on port %u", port);
	(void)mlock(o, sizeof(*o));
	o->port = port;
	o->fd = netlink_open(nsfd, NETLINK_SOCK_DIAG, error);
	if (o->fd < 0) {
		int err = o->fd;

		free(o);
		return err;
	}
	if (list(o, &o->known) < 0) {
		other_listener_close(o);
		return error_set(error, -EIO, "load the kernel module tcp_diag",
				 "list who listens on port %u", port);
	}
	*ret = o;
	return 0;
}

void other_listener_close(struct other_listener *o)
{
	if (!o)
		return;
	close(o->fd);
	free(o);
}

bool other_listener_is_there(struct other_listener *o)
{
	if (list(o, &o->now) < 0)
		return true;
	for (size_t i = 0; i < o->now.n; i++)
		if (!is_known(o, o->now.v[i]))
			return true;
	return false;
}
