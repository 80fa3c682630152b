/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "netns.h"

#include "buf.h"
#include "procs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long current(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : st.st_ino;
}

static int check(unsigned long ns)
{
	return ns && current() == ns ? 0 : -EPERM;
}

/* Words separated by blanks; no quoting. */
static int run_words(const char *command)
{
	char *words = lab_strdup(command);
	const char *argv[24] = { 0 };
	char *save = NULL;
	size_t n = 0;
	int err;

	for (char *w = strtok_r(words, " ", &save); w && n < 23; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	err = procs_run(argv, NULL);
	free(words);
	return err;
}

static int run_ip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run_ip(const char *fmt, ...)
{
	struct buf command = { 0 };
	va_list ap;
	int err;

	buf_str(&command, "ip ");
	va_start(ap, fmt);
	buf_vfmt(&command, fmt, ap);
	va_end(ap);
	err = run_words(command.data);
	buf_free(&command);
	return err;
}

/* Nobody else can have it: without duplicate address detection, which takes a second. */
static int lo_add(const char *ip)
{
	int len = (int)strcspn(ip, "%");

	if (!strncmp(ip, "127.", 4) || !strcmp(ip, "::1"))
		return 0;
	if (!strchr(ip, ':'))
		return run_ip("addr replace %s/32 dev lo", ip);
	return run_ip("-6 addr replace %.*s/%d dev lo nodad", len, ip,
		      strncmp(ip, "fe80:", 5) ? 128 : 64);
}

int netns_new(const char *ip, unsigned long *ns)
{
	unsigned long before = current();
	int err;

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	if (!before || current() == before)
		return -EPERM;
	err = run_ip("link set lo up");
	if (!err)
		err = lo_add(ip);
	if (!err)
		*ns = current();
	return err;
}

int netns_add_ip(unsigned long ns, const char *ip)
{
	int err = check(ns);

	return err || !*ip ? err : lo_add(ip);
}

/* In the namespace of the node: its end of the pair. */
static int veth_outside(unsigned int index, bool v6, int inside)
{
	int err = run_ip("link add ew%u type veth peer name eth0 netns /proc/self/fd/%d", index,
			 inside);

	if (!err)
		err = run_ip("addr add 172.30.%u.1/30 dev ew%u", index, index);
	if (!err && v6)
		err = run_ip("-6 addr add fd00:30:%u::1/64 dev ew%u nodad", index, index);
	if (!err)
		err = run_ip("link set ew%u up", index);
	return err;
}

static int veth_inside(unsigned int index, bool v6)
{
	int err = run_ip("link set lo up");

	if (!err)
		err = run_ip("addr add 172.30.%u.2/30 dev eth0", index);
	if (!err && v6)
		err = run_ip("-6 addr add fd00:30:%u::2/64 dev eth0 nodad", index);
	if (!err)
		err = run_ip("link set eth0 up");
	if (!err && v6)
		err = run_ip("-6 route add default via fd00:30:%u::1", index);
	if (!err)
		err = run_ip("route add default via 172.30.%u.1", index);
	return err;
}

int netns_enter_own(unsigned long ns, unsigned int index, bool v6)
{
	int outside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int inside = -1;
	int err = check(ns);

	if (err)
		goto out;
	if (unshare(CLONE_NEWNET) < 0) {
		err = -errno;
		goto out;
	}
	inside = open("/proc/self/ns/net", O_RDONLY); /* inherited by ip */
	if (setns(outside, CLONE_NEWNET) < 0) {
		err = -errno;
		goto out;
	}
	err = veth_outside(index, v6, inside);
	if (setns(inside, CLONE_NEWNET) < 0)
		err = -errno;
	if (!err)
		err = veth_inside(index, v6);
out:
	if (inside >= 0)
		close(inside);
	if (outside >= 0)
		close(outside);
	return err;
}

static int write_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, value, strlen(value)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

int netns_rules(unsigned long ns, const char *rules)
{
	static const char *const nft[] = { "nft", "-f", "-", NULL };
	int err = check(ns);

	return err ? err : procs_run(nft, rules);
}

int netns_firewall(unsigned long ns, bool on)
{
	static const char rules[] = "table inet execwatch_lab\n"
				    "delete table inet execwatch_lab\n"
				    "table inet execwatch_lab {\n"
				    "	chain input {\n"
				    "		type filter hook input priority 0; policy drop;\n"
				    "		ct state established,related accept\n"
				    "		tcp flags & (fin|syn|rst|ack) == syn accept\n"
				    "		meta l4proto != tcp accept\n"
				    "	}\n"
				    "}\n";
	static const char none[] = "table inet execwatch_lab\ndelete table inet execwatch_lab\n";
	int err = netns_rules(ns, on ? rules : none);

	if (!err)
		err = write_sysctl("/proc/sys/net/netfilter/nf_conntrack_tcp_loose",
				   on ? "0" : "1");
	return err;
}

/* A netlink attribute at the end of the message. */
static struct nlattr *attr_put(struct nlmsghdr *h, uint16_t type, const void *data, size_t len)
{
	struct nlattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (data)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + NLA_ALIGN(a->nla_len);
	return a;
}

static void attr_end(struct nlmsghdr *h, struct nlattr *nest)
{
	nest->nla_len = (char *)h + h->nlmsg_len - (char *)nest;
}

static void put_tuple(struct nlmsghdr *h, const union addr *from, const union addr *to)
{
	struct nlattr *tuple, *part;
	uint16_t from_port = htons(addr_port(from)), to_port = htons(addr_port(to));
	bool v4 = addr_is_v4(from);
	uint8_t tcp = IPPROTO_TCP;

	tuple = attr_put(h, CTA_TUPLE_ORIG | NLA_F_NESTED, NULL, 0);
	part = attr_put(h, CTA_TUPLE_IP | NLA_F_NESTED, NULL, 0);
	attr_put(h, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, addr_ip(from), v4 ? 4 : 16);
	attr_put(h, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, addr_ip(to), v4 ? 4 : 16);
	attr_end(h, part);
	part = attr_put(h, CTA_TUPLE_PROTO | NLA_F_NESTED, NULL, 0);
	attr_put(h, CTA_PROTO_NUM, &tcp, 1);
	attr_put(h, CTA_PROTO_SRC_PORT, &from_port, 2);
	attr_put(h, CTA_PROTO_DST_PORT, &to_port, 2);
	attr_end(h, part);
	attr_end(h, tuple);
}

/* Sends and waits for the acknowledgement. */
static int netlink_do(struct nlmsghdr *h)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} answer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (send(fd, h, h->nlmsg_len, 0) < 0 || recv(fd, &answer, sizeof(answer), 0) < 0)
		err = -errno;
	close(fd);
	return err ? err : answer.e.error;
}

/* One message about the entry of a connection. seconds: what it has left from now on; 0: unsaid. */
static int entry_do(unsigned long ns, const struct netns_entry *entry, int type, uint32_t seconds)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		char attrs[256];
	} msg = { 0 };
	uint16_t zone = htons(entry->zone);
	int err = check(ns);

	if (err)
		return err;
	seconds = htonl(seconds);
	msg.h.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | type;
	msg.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	msg.h.nlmsg_len = NLMSG_LENGTH(sizeof(msg.g));
	msg.g.nfgen_family = addr_is_v4(&entry->from) ? AF_INET : AF_INET6;
	msg.g.version = NFNETLINK_V0;
	put_tuple(&msg.h, &entry->from, &entry->to);
	if (zone)
		attr_put(&msg.h, CTA_ZONE, &zone, sizeof(zone));
	if (seconds)
		attr_put(&msg.h, CTA_TIMEOUT, &seconds, sizeof(seconds));
	return netlink_do(&msg.h);
}

int netns_forget(unsigned long ns, const struct netns_entry *entry)
{
	return entry_do(ns, entry, IPCTNL_MSG_CT_DELETE, 0);
}

int netns_expire(unsigned long ns, const struct netns_entry *entry, uint32_t seconds)
{
	return entry_do(ns, entry, IPCTNL_MSG_CT_NEW, seconds);
}
