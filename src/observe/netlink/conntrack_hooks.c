/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack_hooks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netns.h"
#include "observe/netlink/conntrack_table.h"
#include "observe/netlink/netlink.h"
#include "observe/netlink/xtables.h"

#define TRIES 10

struct probe {
	bool v4;
	bool v6;
	struct conntrack_hooks *tracking;
	const char *asked; /* what was being read when it failed */
};

static void found(struct probe *probe, const char *what, const char *name)
{
	if (probe->tracking->in_force == EW_YES)
		return;
	probe->tracking->in_force = EW_YES;
	snprintf(probe->tracking->evidence, sizeof(probe->tracking->evidence), "%s %s", what, name);
}

/* "" when there is no such attribute, or no string in it. */
static const char *string_of(const struct nlattr *attr)
{
	return attr && nla_len(attr) > 0 && memchr(nla_data(attr), '\0', (size_t)nla_len(attr))
		       ? nla_get_string(attr)
		       : "";
}

static void hook_row(struct nlmsghdr *msg, struct probe *probe)
{
	const char *name =
		string_of(nlmsg_find_attr(msg, sizeof(struct nfgenmsg), NFNLA_HOOK_FUNCTION_NAME));

	/* ipv4_conntrack_in, ipv6_conntrack_in: nf_conntrack_proto.c */
	if (strstr(name, "_conntrack_in"))
		found(probe, "hook", name);
}

static int hooks_list(int fd, uint8_t family, struct probe *probe)
{
	struct nl_msg *msg =
		netlink_netfilter(NFNL_SUBSYS_HOOK, NFNL_MSG_HOOK_GET, NLM_F_DUMP, family);
	struct netlink_dump dump;
	struct nlmsghdr *row;
	int more;

	if (msg)
		nla_put_u32(msg, NFNLA_HOOK_HOOKNUM, htonl(NF_INET_PRE_ROUTING));
	more = netlink_dump_begin(&dump, fd, msg) ?: 1;
	while (more > 0 && (more = netlink_dump_next(&dump, &row)) > 0)
		hook_row(row, probe);
	netlink_dump_end(&dump);
	nlmsg_free(msg);
	return more;
}

/* Returns -EINVAL or -EOPNOTSUPP where the kernel does not give the list. */
static int by_hooks(int fd, struct probe *probe)
{
	int err = 0;

	if (probe->v4)
		err = hooks_list(fd, NFPROTO_IPV4, probe);
	if (!err && probe->v6)
		err = hooks_list(fd, NFPROTO_IPV6, probe);
	if (!err && probe->tracking->in_force != EW_YES)
		probe->tracking->in_force = EW_NO;
	return err;
}

static bool family_concerns(const struct nlmsghdr *msg, const struct probe *probe)
{
	const struct nfgenmsg *nfg = nlmsg_data(msg);

	switch (nfg->nfgen_family) {
	case NFPROTO_IPV4:
		return probe->v4;
	case NFPROTO_IPV6:
		return probe->v6;
	default: /* inet and bridge register the hooks of both */
		return true;
	}
}

/* Expressions whose init calls nf_ct_netns_get(): net/netfilter/nft_*.c of Linux 6.18. */
static bool expression_tracks(const char *name)
{
	static const char *const trackers[] = { "ct",	 "connlimit", "nat",	     "masq",
						"redir", "synproxy",  "flow_offload" };

	for (size_t i = 0; i < sizeof(trackers) / sizeof(*trackers); i++)
		if (strcmp(name, trackers[i]) == 0)
			return true;
	return false;
}

static struct nlattr *nested_find(const struct nlattr *nest, int type)
{
	return nest ? nla_find(nla_data(nest), nla_len(nest), type) : NULL;
}

static bool ct_sets_zone(const struct nlattr *data)
{
	const struct nlattr *key = nested_find(data, NFTA_CT_KEY);

	return key && nla_len(key) >= (int)sizeof(uint32_t) &&
	       ntohl(nla_get_u32(key)) == NFT_CT_ZONE && nested_find(data, NFTA_CT_SREG);
}

/* The target CT of iptables. */
static bool target_sets_zone(const struct nlattr *data)
{
	const struct nlattr *info = nested_find(data, NFTA_TARGET_INFO);

	return info && xtables_ct_sets_zone(nla_data(info), (size_t)nla_len(info));
}

static void expression_row(const struct nlattr *expression, struct probe *probe)
{
	const char *name = string_of(nested_find(expression, NFTA_EXPR_NAME));
	const struct nlattr *data = nested_find(expression, NFTA_EXPR_DATA);

	_Static_assert((int)NFTA_MATCH_NAME == (int)NFTA_TARGET_NAME, "one attribute for both");
	/* iptables over nftables: an xtables match or target inside a rule. */
	if (strcmp(name, "match") == 0 || strcmp(name, "target") == 0) {
		name = string_of(nested_find(data, NFTA_MATCH_NAME));
		if (!xtables_tracks(name))
			return;
		probe->tracking->sets_zones |= strcmp(name, "CT") == 0 && target_sets_zone(data);
	} else if (!expression_tracks(name)) {
		return;
	} else {
		probe->tracking->sets_zones |= strcmp(name, "ct") == 0 && ct_sets_zone(data);
	}
	found(probe, "nftables rule with", name);
}

static void rule_row(struct nlmsghdr *msg, struct probe *probe)
{
	const struct nlattr *rule, *expression;
	int left;

	if (!family_concerns(msg, probe))
		return;
	rule = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), NFTA_RULE_EXPRESSIONS);
	if (rule)
		nla_for_each_nested(expression, rule, left) expression_row(expression, probe);
}

static void object_row(struct nlmsghdr *msg, struct probe *probe)
{
	const struct nlattr *type;

	if (!family_concerns(msg, probe))
		return;
	type = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), NFTA_OBJ_TYPE);
	if (!type || nla_len(type) != sizeof(uint32_t))
		return;
	switch (ntohl(nla_get_u32(type))) {
	case NFT_OBJECT_CT_HELPER:
	case NFT_OBJECT_CT_TIMEOUT:
	case NFT_OBJECT_CT_EXPECT:
	case NFT_OBJECT_CONNLIMIT:
	case NFT_OBJECT_SYNPROXY:
		found(probe, "nftables", "object of connection tracking");
		break;
	default:
		break;
	}
}

static int nft_list(int fd, uint8_t type, struct probe *probe)
{
	struct nl_msg *msg =
		netlink_netfilter(NFNL_SUBSYS_NFTABLES, type, NLM_F_DUMP, NFPROTO_UNSPEC);
	struct netlink_dump dump;
	struct nlmsghdr *row;
	int more = netlink_dump_begin(&dump, fd, msg) ?: 1;

	while (more > 0 && (more = netlink_dump_next(&dump, &row)) > 0) {
		if (type == NFT_MSG_GETRULE)
			rule_row(row, probe);
		else
			object_row(row, probe);
	}
	netlink_dump_end(&dump);
	nlmsg_free(msg);
	/* nfnetlink.c: -EINVAL or -EOPNOTSUPP where a kernel has no nftables, so no such rules. */
	return more == -EINVAL || more == -EOPNOTSUPP ? 0 : more;
}

/*
 * No rule needs tracking, but IPVS and Open vSwitch register the hooks without any: entries are
 * their trace. A kernel that has no tracking at all has none, but that a file of /proc is missing
 * shows this only where its neighbours, which every kernel with netfilter has, are visible.
 */
static int by_entries(struct probe *probe)
{
	uint64_t entries = 0, limit;
	char *evidence = probe->tracking->evidence;
	int err;

	probe->asked = "number of entries";
	err = conntrack_count(NETNS_OWN, &entries, &limit);
	if (err < 0 && err != -EOPNOTSUPP)
		return err;
	if (err < 0 && (access("/proc/sys/net/netfilter/nf_log", F_OK) < 0 ||
			access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK) == 0))
		snprintf(evidence, sizeof(probe->tracking->evidence),
			 "no rule needs connection tracking, but the number of its entries cannot "
			 "be read");
	else if (entries)
		snprintf(evidence, sizeof(probe->tracking->evidence),
			 "no rule needs connection tracking, but there are entries (%llu)",
			 (unsigned long long)entries);
	else
		probe->tracking->in_force = EW_NO;
	return 0;
}

static int by_rules(int fd, struct probe *probe)
{
	char name[XTABLES_NAME_MAX] = "";
	int err;

	probe->asked = "nftables rules";
	err = nft_list(fd, NFT_MSG_GETRULE, probe);
	if (!err && probe->tracking->in_force != EW_YES)
		err = nft_list(fd, NFT_MSG_GETOBJ, probe);
	if (err < 0 || probe->tracking->in_force == EW_YES)
		return err;
	probe->asked = "iptables rules";
	err = probe->v4 ? xtables_find_tracking(false, name, sizeof(name)) : 0;
	if (!err && probe->v6)
		err = xtables_find_tracking(true, name, sizeof(name));
	if (err < 0)
		return err;
	if (err == 0)
		return by_entries(probe);
	found(probe, "iptables rule with", name);
	return 0;
}

/* Rules of iptables-legacy that cannot be read may set zones as well. */
static int legacy_zones(struct probe *probe)
{
	int found = probe->v4 ? xtables_find_zone(false) : 0;

	if (!found && probe->v6)
		found = xtables_find_zone(true);
	if (found == -EAGAIN) /* they change all the time */
		return found;
	probe->tracking->sets_zones |= found != 0;
	return 0;
}

static int probe_here(void *arg)
{
	struct probe *probe = arg;
	int fd, err;

	probe->asked = "netfilter netlink";
	fd = netlink_open(NETNS_OWN, NETLINK_NETFILTER, NULL);
	if (fd == -EPROTONOSUPPORT) {
		probe->tracking->in_force = EW_NO;
		snprintf(probe->tracking->evidence, sizeof(probe->tracking->evidence),
			 "this kernel has no netfilter");
		return 0;
	}
	if (fd < 0)
		return fd;
	err = by_hooks(fd, probe);
	if (err == -EINVAL || err == -EOPNOTSUPP)
		err = by_rules(fd, probe);
	else if (!err && probe->tracking->in_force == EW_YES)
		err = nft_list(fd, NFT_MSG_GETRULE, probe); /* for zones */
	if (!err && probe->tracking->in_force == EW_YES)
		err = legacy_zones(probe);
	close(fd);
	return err;
}

/* The rules changed while they were listed: netlink_dump_next(), xtables_find_tracking(). */
static bool is_change(int err)
{
	return err == -EINTR || err == -EAGAIN;
}

int conntrack_hooks_probe(int nsfd, bool v4, bool v6, struct conntrack_hooks *tracking,
			  struct error *error)
{
	struct conntrack_hooks result = { .in_force = EW_UNKNOWN };
	struct probe probe = { .v4 = v4, .v6 = v6, .tracking = &result };
	struct error inner = { 0 };
	int err = -EINTR;

	for (int tries = 0; is_change(err) && tries < TRIES; tries++) {
		result = (struct conntrack_hooks){ .in_force = EW_UNKNOWN };
		err = netns_run(nsfd, probe_here, &probe, &inner);
	}
	if (inner.code && error)
		*error = inner;
	if (err < 0)
		return inner.code ? err
				  : error_set(error, err, "run as root", "read %s", probe.asked);
	*tracking = result;
	return 0;
}
