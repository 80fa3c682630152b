/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack_entry.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

#include "base/addr.h"
#include "base/now.h"
#include "observe/netlink/conntrack.h"

void conntrack_tuple_add(struct nl_msg *msg, const struct conntrack_query *query)
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

static struct nlattr *nested(const struct nlattr *nest, int type, int least)
{
	struct nlattr *attr = nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;

	return attr && nla_len(attr) >= least ? attr : NULL;
}

static bool tuple_read(struct nlmsghdr *msg, int type, struct conntrack_tuple *tuple)
{
	const struct nlattr *attr = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), type);
	const struct nlattr *ip = nested(attr, CTA_TUPLE_IP, 0);
	const struct nlattr *proto = nested(attr, CTA_TUPLE_PROTO, 0);
	const struct nlattr *number = nested(proto, CTA_PROTO_NUM, 1);
	const struct nlattr *sport = nested(proto, CTA_PROTO_SRC_PORT, 2);
	const struct nlattr *dport = nested(proto, CTA_PROTO_DST_PORT, 2);
	const struct nlattr *v4s = nested(ip, CTA_IP_V4_SRC, 4),
			    *v6s = nested(ip, CTA_IP_V6_SRC, 16);
	const struct nlattr *v4d = nested(ip, CTA_IP_V4_DST, 4),
			    *v6d = nested(ip, CTA_IP_V6_DST, 16);

	if (!sport || !dport || !number || nla_get_u8(number) != IPPROTO_TCP)
		return false;
	if (v4s && v4d) {
		tuple->src = addr_from_v4(nla_data(v4s), ntohs(nla_get_u16(sport)));
		tuple->dst = addr_from_v4(nla_data(v4d), ntohs(nla_get_u16(dport)));
		return true;
	}
	if (!v6s || !v6d)
		return false;
	memcpy(tuple->src.ip, nla_data(v6s), 16);
	memcpy(tuple->dst.ip, nla_data(v6d), 16);
	tuple->src.port = ntohs(nla_get_u16(sport));
	tuple->dst.port = ntohs(nla_get_u16(dport));
	return true;
}

bool conntrack_entry_read(struct nlmsghdr *msg, struct conntrack_entry *entry)
{
	const struct nlattr *timeout = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), CTA_TIMEOUT);
	const struct nlattr *zone = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), CTA_ZONE);

	entry->timeout = timeout && nla_len(timeout) >= (int)sizeof(uint32_t)
				 ? ntohl(nla_get_u32(timeout)) * NS_PER_S
				 : -1;
	entry->zone = zone && nla_len(zone) >= 2 ? ntohs(nla_get_u16(zone)) : 0;
	return tuple_read(msg, CTA_TUPLE_ORIG, &entry->orig) &&
	       tuple_read(msg, CTA_TUPLE_REPLY, &entry->reply);
}

int conntrack_tuple_compare(const struct conntrack_tuple *tuple,
			    const struct conntrack_query *query)
{
	int order = addr_compare(&tuple->src, &query->local);

	return order ? order : addr_compare(&tuple->dst, &query->remote);
}

/* other: the direction that the query was not found by. */
static void query_fill(struct conntrack_query *query, const struct conntrack_entry *entry,
		       const struct conntrack_tuple *other)
{
	bool first = query->present != EW_YES;

	/* A timeout that is not told may be the shortest. */
	if (!first && query->timeout <= entry->timeout)
		return;
	query->present = EW_YES;
	query->err = 0;
	query->timeout = entry->timeout;
	query->zone = entry->zone;
	query->peer_local = other->src;
	query->peer_remote = other->dst;
}

void conntrack_query_answer(struct conntrack_query *query, const struct conntrack_entry *entry)
{
	if (conntrack_tuple_compare(&entry->orig, query) == 0)
		query_fill(query, entry, &entry->reply);
	else if (conntrack_tuple_compare(&entry->reply, query) == 0)
		query_fill(query, entry, &entry->orig);
}
