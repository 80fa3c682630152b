/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/addr.h"
#include "fail.h"
#include "observe/nl.h"

/* Answers of one batch must fit the socket's receive buffer (212,992 bytes by default). */
#define BATCH 64
#define REQUEST_MAX 160

static void put_tuple(struct nlmsghdr *msg, const struct conntrack_query *query)
{
	bool v4 = addr_is_v4(&query->local);
	struct nlattr *tuple = mnl_attr_nest_start(msg, CTA_TUPLE_ORIG);
	struct nlattr *nest = mnl_attr_nest_start(msg, CTA_TUPLE_IP);

	if (v4) {
		mnl_attr_put(msg, CTA_IP_V4_SRC, 4, query->local.ip + 12);
		mnl_attr_put(msg, CTA_IP_V4_DST, 4, query->remote.ip + 12);
	} else {
		mnl_attr_put(msg, CTA_IP_V6_SRC, 16, query->local.ip);
		mnl_attr_put(msg, CTA_IP_V6_DST, 16, query->remote.ip);
	}
	mnl_attr_nest_end(msg, nest);
	nest = mnl_attr_nest_start(msg, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(msg, CTA_PROTO_NUM, IPPROTO_TCP);
	mnl_attr_put_u16(msg, CTA_PROTO_SRC_PORT, htons(query->local.port));
	mnl_attr_put_u16(msg, CTA_PROTO_DST_PORT, htons(query->remote.port));
	mnl_attr_nest_end(msg, nest);
	mnl_attr_nest_end(msg, tuple);
}

/* Without NLM_F_ACK each request gets exactly one answer: the entry, or an error. */
static int batch_send(struct mnl_socket *nl, const struct conntrack_query *queries, size_t n,
		      char *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t family = addr_is_v4(&queries[i].local) ? AF_INET : AF_INET6;
		struct nlmsghdr *msg = nl_netfilter_request(
			buf + len, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, 0, family);

		msg->nlmsg_seq = (uint32_t)i + 1;
		put_tuple(msg, &queries[i]);
		len += MNL_ALIGN(msg->nlmsg_len);
	}
	return mnl_socket_sendto(nl, buf, len) < 0 ? -errno : 0;
}

static void answer_error(const struct nlmsghdr *msg, struct conntrack_query *query)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(msg);

	query->err = mnl_nlmsg_get_payload_len(msg) < sizeof(*error) ? -EBADMSG : error->error;
	query->present = query->err == -ENOENT ? TRI_NO : TRI_UNKNOWN;
	if (query->present == TRI_NO)
		query->err = 0;
}

static void answer_entry(const struct nlmsghdr *msg, struct conntrack_query *query)
{
	const struct nlattr *attr;

	query->present = TRI_YES;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == CTA_TIMEOUT &&
		    mnl_attr_get_payload_len(attr) >= sizeof(uint32_t))
			query->timeout = ntohl(mnl_attr_get_u32(attr)) * INT64_C(1000000000);
}

static int batch_receive(struct mnl_socket *nl, struct conntrack_query *queries, size_t n,
			 char *buf)
{
	size_t answers = 0;

	while (answers < n) {
		ssize_t got = mnl_socket_recvfrom(nl, buf, NL_BUF);
		int len = (int)got;

		if (got < 0)
			return -errno;
		for (struct nlmsghdr *msg = (void *)buf; mnl_nlmsg_ok(msg, len);
		     msg = mnl_nlmsg_next(msg, &len)) {
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

int conntrack_lookup(int nsfd, struct conntrack_query *queries, size_t n, struct fail *why)
{
	struct mnl_socket *nl;
	char *buf;
	int err = nl_open(nsfd, NETLINK_NETFILTER, &nl, why);

	_Static_assert(BATCH * REQUEST_MAX < NL_BUF, "a batch of requests fits the buffer");
	if (err < 0)
		return err;
	buf = malloc(NL_BUF);
	if (!buf)
		err = -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		queries[i].present = TRI_UNKNOWN;
		queries[i].timeout = -1;
		queries[i].err = 0;
	}
	for (size_t at = 0; !err && at < n; at += BATCH) {
		size_t part = n - at < BATCH ? n - at : BATCH;

		err = batch_send(nl, queries + at, part, buf);
		if (!err)
			err = batch_receive(nl, queries + at, part, buf);
	}
	free(buf);
	mnl_socket_close(nl);
	if (err < 0)
		return fail_set(why, err, "run as root", "look up connection tracking entries");
	return 0;
}
