/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/now.h"
#include "base/error.h"
#include "observe/netlink/netlink.h"

/* Answers of one batch must fit the socket's receive buffer (212,992 bytes by default). */
#define BATCH 64

static void put_tuple(struct nl_msg *msg, const struct conntrack_query *query)
{
	bool v4 = addr_is_v4(&query->local);
	struct nlattr *tuple = nla_nest_start(msg, CTA_TUPLE_ORIG);
	struct nlattr *nest = nla_nest_start(msg, CTA_TUPLE_IP);

	if (v4) {
		nla_put(msg, CTA_IP_V4_SRC, 4, query->local.ip + 12);
		nla_put(msg, CTA_IP_V4_DST, 4, query->remote.ip + 12);
	} else {
		nla_put(msg, CTA_IP_V6_SRC, 16, query->local.ip);
		nla_put(msg, CTA_IP_V6_DST, 16, query->remote.ip);
	}
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, CTA_TUPLE_PROTO);
	nla_put_u8(msg, CTA_PROTO_NUM, IPPROTO_TCP);
	nla_put_u16(msg, CTA_PROTO_SRC_PORT, htons(query->local.port));
	nla_put_u16(msg, CTA_PROTO_DST_PORT, htons(query->remote.port));
	nla_nest_end(msg, nest);
	nla_nest_end(msg, tuple);
}

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
		put_tuple(msg, &queries[i]);
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
	const struct nlattr *timeout = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), CTA_TIMEOUT);

	query->present = EW_YES;
	if (timeout && nla_len(timeout) >= (int)sizeof(uint32_t))
		query->timeout = ntohl(nla_get_u32(timeout)) * NS_PER_S;
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

int conntrack_lookup(int nsfd, struct conntrack_query *queries, size_t n, struct error *error)
{
	int fd = netlink_open(nsfd, NETLINK_NETFILTER, error);
	char *buf;
	int err = 0;

	_Static_assert(BATCH * NETLINK_REQUEST_MAX <= NETLINK_BUF, "a batch fits the buffer");
	if (fd < 0)
		return fd;
	buf = malloc(NETLINK_BUF);
	if (!buf)
		err = -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		queries[i].present = EW_UNKNOWN;
		queries[i].timeout = -1;
		queries[i].err = 0;
	}
	for (size_t at = 0; !err && at < n; at += BATCH) {
		size_t part = n - at < BATCH ? n - at : BATCH;

		err = batch_send(fd, queries + at, part, buf);
		if (!err)
			err = batch_receive(fd, queries + at, part, buf);
	}
	free(buf);
	close(fd);
	if (err < 0)
		return error_set(error, err, "run as root", "look up connection tracking entries");
	return 0;
}
