/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/now.h"
#include "observe/netlink/conntrack_entry.h"
#include "observe/netlink/netlink.h"

/* Answers of one batch must fit the socket's receive buffer (212,992 bytes by default). */
#define BATCH 64

/* Without NLM_F_ACK each request gets exactly one answer: the entry, or an error. */
static int batch_send(int fd, const struct conntrack_query *queries, size_t n, char *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t family = addr_is_v4(&queries[i].local) ? AF_INET : AF_INET6;
		struct nl_msg *msg =
			netlink_netfilter(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, 0, family);
		struct nlmsghdr *head;

		if (!msg)
			return -ENOMEM;
		conntrack_tuple_add(msg, &queries[i]);
		head = nlmsg_hdr(msg);
		head->nlmsg_seq = (uint32_t)i + 1;
		memcpy(buf + len, head, head->nlmsg_len);
		len += NLMSG_ALIGN(head->nlmsg_len);
		nlmsg_free(msg);
	}
	return send(fd, buf, len, 0) < 0 ? -errno : 0;
}

static void answer_error(const struct nlmsghdr *msg, struct conntrack_query *query)
{
	const struct nlmsgerr *error = nlmsg_data(msg);

	query->err = nlmsg_datalen(msg) < (int)sizeof(*error) ? -EBADMSG : error->error;
	query->present = query->err == -ENOENT ? EW_NO : EW_UNKNOWN;
	if (query->present == EW_NO)
		query->err = 0;
}

static void answer_entry(struct nlmsghdr *msg, struct conntrack_query *query)
{
	struct conntrack_entry entry;

	query->err = -EBADMSG;
	if (conntrack_entry_read(msg, &entry))
		conntrack_query_answer(query, &entry);
}

/*
 * Without CAP_NET_ADMIN all that was sent at once is refused by one answer, to the first of it
 * (net/netfilter/nfnetlink.c, nfnetlink_rcv): there is nothing more to wait for.
 */
static bool is_refusal(struct nlmsghdr *msg)
{
	const struct nlmsgerr *error = nlmsg_data(msg);

	return msg->nlmsg_type == NLMSG_ERROR && nlmsg_datalen(msg) >= (int)sizeof(*error) &&
	       error->error == -EPERM;
}

static int batch_receive(int fd, struct conntrack_query *queries, size_t n, char *buf)
{
	size_t answers = 0;

	while (answers < n) {
		struct nlmsghdr *msg = (void *)buf;
		int len = netlink_receive(fd, buf);

		if (len < 0)
			return len;
		for (; nlmsg_ok(msg, len); msg = nlmsg_next(msg, &len)) {
			if (is_refusal(msg))
				return -EPERM;
			if (msg->nlmsg_seq == 0 || msg->nlmsg_seq > n)
				continue;
			answers++;
			if (msg->nlmsg_type == NLMSG_ERROR)
				answer_error(msg, &queries[msg->nlmsg_seq - 1]);
			else
				answer_entry(msg, &queries[msg->nlmsg_seq - 1]);
		}
	}
	return 0;
}

static int default_zone_ask(int fd, struct conntrack_query *queries, size_t n)
{
	char *buf = malloc(NETLINK_BUF);
	int err = buf ? 0 : -ENOMEM;

	_Static_assert(BATCH * NETLINK_REQUEST_MAX <= NETLINK_BUF, "a batch fits the buffer");
	for (size_t at = 0; !err && at < n; at += BATCH) {
		size_t part = n - at < BATCH ? n - at : BATCH;

		err = batch_send(fd, queries + at, part, buf);
		if (!err)
			err = batch_receive(fd, queries + at, part, buf);
	}
	free(buf);
	return err;
}

static void queries_reset(struct conntrack_query *queries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		queries[i] = (struct conntrack_query){ .local = queries[i].local,
						       .remote = queries[i].remote,
						       .timeout = -1 };
}

static int queries_ask(int fd, struct conntrack_query *queries, size_t n)
{
	int err;

	queries_reset(queries, n);
	err = default_zone_ask(fd, queries, n);
	return err || !n ? err : conntrack_zones_search(fd, queries, n);
}

/* ---- data that waits for its ACK ---- */

/*
 * From a packet with data until its ACK an entry has nf_conntrack_tcp_timeout_unacknowledged, 300 s
 * by default, instead of the days that an established connection has. The ACK comes after
 * TCP_DELACK_MAX (200 ms) at the latest: the entry is then looked up once more.
 */
#define UNACKNOWLEDGED (300 * NS_PER_S)
#define ACK_WAIT_NS    250000000

static bool is_short_lived(const struct conntrack_query *query)
{
	return query->present == EW_YES && query->timeout >= 0 && query->timeout <= UNACKNOWLEDGED;
}

static int short_lived_ask(int fd, struct conntrack_query *queries, size_t n)
{
	const struct timespec wait = { .tv_nsec = ACK_WAIT_NS };
	struct conntrack_query *again = calloc(n + 1, sizeof(*again));
	size_t n_again = 0, at = 0;
	int err;

	if (!again)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (is_short_lived(&queries[i]))
			again[n_again++] = queries[i];
	if (n_again)
		clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	err = queries_ask(fd, again, n_again);
	for (size_t i = 0; !err && i < n; i++)
		if (is_short_lived(&queries[i]))
			queries[i] = again[at++];
	free(again);
	return err;
}

int conntrack_lookup(int nsfd, struct conntrack_query *queries, size_t n, struct error *error)
{
	int fd = netlink_open(nsfd, NETLINK_NETFILTER, error);
	int err;

	if (fd < 0)
		return fd;
	err = queries_ask(fd, queries, n);
	if (!err)
		err = short_lived_ask(fd, queries, n);
	close(fd);
	if (err < 0) {
		queries_reset(queries, n);
		return error_set(error, err, "run as root", "look up connection tracking entries");
	}
	return 0;
}
