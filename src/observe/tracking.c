/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/tracking.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_hook.h>
#include <stdio.h>
#include <string.h>

#include "fail.h"
#include "observe/netns.h"
#include "observe/nl.h"
#include "observe/xtables.h"

struct probe {
	bool v4;
	bool v6;
	struct tracking *tracking;
	const char *asked; /* what was being read when it failed */
};

static void found(struct probe *probe, const char *what, const char *name)
{
	probe->tracking->in_force = TRI_YES;
	snprintf(probe->tracking->evidence, sizeof(probe->tracking->evidence), "%s %s", what, name);
}

/* Entries in this thread's namespace; -ENOENT: the kernel has no connection tracking. */
static int entries_count(unsigned long *count)
{
	FILE *file = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re");
	int got;

	if (!file)
		return -errno;
	got = fscanf(file, "%lu", count);
	fclose(file);
	return got == 1 ? 0 : -EBADMSG;
}

static int hook_row(const struct nlmsghdr *msg, void *arg)
{
	struct probe *probe = arg;
	const struct nlattr *attr;

	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFNLA_HOOK_FUNCTION_NAME ||
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			continue;
		/* ipv4_conntrack_in, ipv6_conntrack_in: nf_conntrack_proto.c */
		if (strstr(mnl_attr_get_str(attr), "_conntrack_in"))
			found(probe, "hook", mnl_attr_get_str(attr));
	}
	return 0;
}

static int hooks_list(struct mnl_socket *nl, uint8_t family, struct probe *probe)
{
	char buf[128];
	struct nlmsghdr *msg = nl_netfilter_request(buf, NFNL_SUBSYS_HOOK, NFNL_MSG_HOOK_GET,
						    NLM_F_DUMP, family);

	mnl_attr_put_u32(msg, NFNLA_HOOK_HOOKNUM, htonl(NF_INET_PRE_ROUTING));
	return nl_dump(nl, msg, hook_row, probe);
}

/* Returns -EINVAL or -EOPNOTSUPP where the kernel does not give the list. */
static int by_hooks(struct mnl_socket *nl, struct probe *probe)
{
	int err = 0;

	if (probe->v4)
		err = hooks_list(nl, NFPROTO_IPV4, probe);
	if (!err && probe->v6)
		err = hooks_list(nl, NFPROTO_IPV6, probe);
	if (!err && probe->tracking->in_force != TRI_YES)
		probe->tracking->in_force = TRI_NO;
	return err;
}

static bool family_concerns(const struct nlmsghdr *msg, const struct probe *probe)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(msg);

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
	static const char *const trackers[] = { "ct",    "connlimit", "nat",         "masq",
						"redir", "synproxy",  "flow_offload" };

	for (size_t i = 0; i < sizeof(trackers) / sizeof(*trackers); i++)
		if (strcmp(name, trackers[i]) == 0)
			return true;
	return false;
}

/* iptables over nftables: an xtables match or target inside a rule. */
static const char *compat_name(const struct nlattr *data)
{
	const struct nlattr *attr;

	_Static_assert((int)NFTA_MATCH_NAME == (int)NFTA_TARGET_NAME, "one walk serves both");
	mnl_attr_for_each_nested(attr, data)
		if (mnl_attr_get_type(attr) == NFTA_MATCH_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(attr);
	return "";
}

static void expression_row(const struct nlattr *expression, struct probe *probe)
{
	const struct nlattr *attr, *data = NULL;
	const char *name = "";

	mnl_attr_for_each_nested(attr, expression) {
		if (mnl_attr_get_type(attr) == NFTA_EXPR_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
			name = mnl_attr_get_str(attr);
		if (mnl_attr_get_type(attr) == NFTA_EXPR_DATA)
			data = attr;
	}
	if ((strcmp(name, "match") == 0 || strcmp(name, "target") == 0) && data) {
		name = compat_name(data);
		if (!xtables_tracks(name))
			return;
	} else if (!expression_tracks(name)) {
		return;
	}
	found(probe, "nftables rule with", name);
}

static int rule_row(const struct nlmsghdr *msg, void *arg)
{
	struct probe *probe = arg;
	const struct nlattr *attr, *expression;

	if (!family_concerns(msg, probe))
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) == NFTA_RULE_EXPRESSIONS)
			mnl_attr_for_each_nested(expression, attr)
				expression_row(expression, probe);
	return 0;
}

static int object_row(const struct nlmsghdr *msg, void *arg)
{
	struct probe *probe = arg;
	const struct nlattr *attr;

	if (!family_concerns(msg, probe))
		return 0;
	mnl_attr_for_each(attr, msg, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) != NFTA_OBJ_TYPE ||
		    mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			continue;
		switch (ntohl(mnl_attr_get_u32(attr))) {
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
	return 0;
}

static int nft_list(struct mnl_socket *nl, uint8_t type,
		    int (*row)(const struct nlmsghdr *msg, void *arg), struct probe *probe)
{
	char buf[128];
	struct nlmsghdr *msg = nl_netfilter_request(buf, NFNL_SUBSYS_NFTABLES, type, NLM_F_DUMP,
						    NFPROTO_UNSPEC);
	int err = nl_dump(nl, msg, row, probe);

	/* nfnetlink.c: -EINVAL or -EOPNOTSUPP where the kernel has no nftables, so no such rules. */
	return err == -EINVAL || err == -EOPNOTSUPP ? 0 : err;
}

static int by_rules(struct mnl_socket *nl, struct probe *probe, unsigned long entries)
{
	char name[XTABLES_NAME_MAX] = "";
	int err;

	probe->asked = "nftables rules";
	err = nft_list(nl, NFT_MSG_GETRULE, rule_row, probe);
	if (!err && probe->tracking->in_force != TRI_YES)
		err = nft_list(nl, NFT_MSG_GETOBJ, object_row, probe);
	if (err < 0 || probe->tracking->in_force == TRI_YES)
		return err;
	probe->asked = "iptables rules";
	err = probe->v4 ? xtables_find_tracking(false, name, sizeof(name)) : 0;
	if (!err && probe->v6)
		err = xtables_find_tracking(true, name, sizeof(name));
	if (err < 0)
		return err;
	if (err > 0)
		found(probe, "iptables rule with", name);
	else if (entries == 0)
		probe->tracking->in_force = TRI_NO;
	else
		snprintf(probe->tracking->evidence, sizeof(probe->tracking->evidence),
			 "no rule asks for tracking, and yet there are entries (%lu)", entries);
	return 0;
}

static int probe_here(void *arg)
{
	struct probe *probe = arg;
	unsigned long entries = 0;
	struct mnl_socket *nl;
	int err;

	probe->asked = "nf_conntrack_count";
	err = entries_count(&entries);
	if (err == -ENOENT) {
		probe->tracking->in_force = TRI_NO;
		snprintf(probe->tracking->evidence, sizeof(probe->tracking->evidence),
			 "this kernel has none loaded");
		return 0;
	}
	if (err < 0)
		return err;
	probe->asked = "netfilter netlink";
	err = nl_open(NETNS_OWN, NETLINK_NETFILTER, &nl, NULL);
	if (err < 0)
		return err;
	err = by_hooks(nl, probe);
	if (err == -EINVAL || err == -EOPNOTSUPP)
		err = by_rules(nl, probe, entries);
	mnl_socket_close(nl);
	return err;
}

int tracking_probe(int nsfd, bool v4, bool v6, struct tracking *tracking, struct fail *why)
{
	struct tracking result = { .in_force = TRI_UNKNOWN };
	struct probe probe = { .v4 = v4, .v6 = v6, .tracking = &result };
	struct fail inner = { 0 };
	int err = -EINTR;

	/* Somebody may be changing the rules right now. */
	for (int tries = 0; err == -EINTR && tries < 3; tries++) {
		result = (struct tracking){ .in_force = TRI_UNKNOWN };
		err = netns_run(nsfd, probe_here, &probe, &inner);
	}
	if (inner.err && why)
		*why = inner;
	if (err < 0)
		return inner.err ? err : fail_set(why, err, "run as root", "read %s", probe.asked);
	*tracking = result;
	return 0;
}
