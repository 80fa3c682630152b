/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
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
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
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

static struct nlattr *nested(const struct nlattr *nest, int type, int least)
{
	struct nlattr *attr = nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;

	return attr && nla_len(attr) >= least ? attr : NULL;
}

/* One direction of an entry. */
struct tuple {
	struct ew_addr src, dst;
};

static bool tuple_read(struct nlmsghdr *msg, int type, struct tuple *tuple)
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

struct entry {
	struct tuple orig, reply;
	int64_t timeout; /* -1: not told */
	uint16_t zone;
};

static bool entry_read(struct nlmsghdr *msg, struct entry *entry)
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

static int tuple_compare(const struct ew_addr *src, const struct ew_addr *dst,
			 const struct conntrack_query *query)
{
	int order = addr_compare(src, &query->local);

	return order ? order : addr_compare(dst, &query->remote);
}

/* other: the direction that the query was not found by. */
static void query_fill(struct conntrack_query *query, const struct entry *entry,
		       const struct tuple *other)
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

static void answer_entry(struct nlmsghdr *msg, struct conntrack_query *query)
{
	struct entry entry;

	query->err = -EBADMSG;
	if (!entry_read(msg, &entry))
		return;
	if (tuple_compare(&entry.orig.src, &entry.orig.dst, query) == 0)
		query_fill(query, &entry, &entry.reply);
	else if (tuple_compare(&entry.reply.src, &entry.reply.dst, query) == 0)
		query_fill(query, &entry, &entry.orig);
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

/* ---- the whole table, for what the default zone has not ---- */

struct table {
	struct conntrack_query **missing; /* by tuple */
	size_t n;
};

static int query_order(const void *a, const void *b)
{
	const struct conntrack_query *const *x = a, *const *y = b;

	return tuple_compare(&(*x)->local, &(*x)->remote, *y);
}

static void table_match(const struct table *table, const struct tuple *tuple,
			const struct tuple *other, const struct entry *entry)
{
	size_t from = 0, to = table->n;

	while (from < to) {
		size_t at = (from + to) / 2;

		if (tuple_compare(&tuple->src, &tuple->dst, table->missing[at]) > 0)
			from = at + 1;
		else
			to = at;
	}
	for (;
	     from < table->n && tuple_compare(&tuple->src, &tuple->dst, table->missing[from]) == 0;
	     from++)
		query_fill(table->missing[from], entry, other);
}

static int table_row(struct nlmsghdr *msg, void *arg)
{
	struct entry entry;

	if (entry_read(msg, &entry)) {
		table_match(arg, &entry.orig, &entry.reply, &entry);
		table_match(arg, &entry.reply, &entry.orig, &entry);
	}
	return 0;
}

static int table_read(int fd, const struct table *table)
{
	struct nl_msg *request =
		netlink_netfilter(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC);
	int err = request ? netlink_dump(fd, request, table_row, (void *)table) : -ENOMEM;

	nlmsg_free(request);
	return err;
}

static int zones_search(int fd, struct conntrack_query *queries, size_t n)
{
	struct table table = { .missing = calloc(n, sizeof(struct conntrack_query *)) };
	int err = 0;

	if (!table.missing)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (queries[i].present == EW_NO)
			table.missing[table.n++] = &queries[i];
	if (table.n) {
		qsort(table.missing, table.n, sizeof(*table.missing), query_order);
		err = table_read(fd, &table);
	}
	free(table.missing);
	return err;
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
	return err || !n ? err : zones_search(fd, queries, n);
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

/* ---- how full the table is ---- */

static uint32_t number_of(struct nlmsghdr *msg, int type)
{
	const struct nlattr *attr = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), type);

	return attr && nla_len(attr) >= (int)sizeof(uint32_t) ? ntohl(nla_get_u32(attr)) : 0;
}

static int count_read(struct nlmsghdr *msg, int len, uint64_t *entries, uint64_t *limit)
{
	const struct nlmsgerr *error = nlmsg_data(msg);

	if (!nlmsg_ok(msg, len))
		return -EBADMSG;
	if (msg->nlmsg_type != NLMSG_ERROR) {
		*entries = number_of(msg, CTA_STATS_GLOBAL_ENTRIES);
		*limit = number_of(msg, CTA_STATS_GLOBAL_MAX_ENTRIES);
		return 0;
	}
	if (nlmsg_datalen(msg) < (int)sizeof(*error))
		return -EBADMSG;
	/* -EINVAL: no such subsystem, nfnetlink_rcv_msg() of net/netfilter/nfnetlink.c. */
	return error->error == -EINVAL ? -EOPNOTSUPP : error->error;
}

int conntrack_count(int nsfd, uint64_t *entries, uint64_t *limit)
{
	struct nl_msg *request =
		netlink_netfilter(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	char *buf = malloc(NETLINK_BUF);
	int fd = -1, len = request && buf ? 0 : -ENOMEM;

	if (!len)
		len = fd = netlink_open(nsfd, NETLINK_NETFILTER, NULL);
	if (len >= 0)
		len = netlink_send(fd, request);
	if (len >= 0)
		len = netlink_receive(fd, buf);
	if (len >= 0)
		len = count_read((void *)buf, len, entries, limit);
	if (fd >= 0)
		close(fd);
	nlmsg_free(request);
	free(buf);
	return len;
}

/* ---- how long an entry lasts ---- */

/* Files below /proc/sys/net are those of the reader's own namespace (net_ctl_header_lookup(),
 * net/sysctl_net.c). */
static int established_read(void *arg)
{
	int64_t *seconds = arg;
	char text[32], *end;
	ssize_t len =
		proc_read(AT_FDCWD, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
			  text, sizeof(text));

	if (len <= 0)
		return -ENOENT;
	*seconds = strtoll(text, &end, 10);
	return *end == '\n' && *seconds > 0 ? 0 : -EBADMSG;
}

int64_t conntrack_established_timeout(int nsfd)
{
	int64_t seconds = 0;

	if (netns_run(nsfd, established_read, &seconds, NULL) < 0)
		return 0;
	return seconds < INT64_MAX / NS_PER_S ? seconds * NS_PER_S : 0;
}
