/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/firewall.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/netfilter.h, which has another in.h */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "firewall/ruleset.h"
#include "observe/legacy_rules.h"
#include "observe/netlink.h"
#include "observe/netns.h"
#include "observe/nft_list.h"

static int table_row(struct nlmsghdr *msg, void *arg)
{
	(void)msg;
	*(bool *)arg = true;
	return 0;
}

/* Has the namespace any table of nftables? Needs no nft. Returns 1, 0 or a negative errno. */
static int tables_exist(int nsfd, struct fail *why)
{
	struct fail inner = { 0 };
	int fd = netlink_open(nsfd, NETLINK_NETFILTER, &inner);
	struct nl_msg *request;
	bool exist = false;
	int err;

	if (fd < 0) {
		if (why)
			*why = inner;
		return fd;
	}
	request = netlink_netfilter(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, NLM_F_DUMP,
				    NFPROTO_UNSPEC);
	err = request ? netlink_dump(fd, request, table_row, &exist) : -ENOMEM;
	nlmsg_free(request);
	close(fd);
	/* A kernel without nftables; or tables came and went: then ask nft. */
	if (err == -EINVAL || err == -EOPNOTSUPP)
		return 0;
	if (err == -EINTR)
		return 1;
	if (err < 0)
		return fail_set(why, err, "run as root", "list the tables of nftables");
	return exist;
}

static int nft_read(int nsfd, struct ruleset **ret, struct fail *why)
{
	char *text = NULL;
	size_t len = 0;
	int err = nft_list(nsfd, FIREWALL_READ_MS, FIREWALL_READ_MAX, &text, &len, why);

	if (err == -EIO) /* the rules may have changed meanwhile */
		err = nft_list(nsfd, FIREWALL_READ_MS, FIREWALL_READ_MAX, &text, &len, why);
	if (err < 0)
		return err;
	err = ruleset_parse(text, len, ret, why);
	free(text);
	return err;
}

/* Runs in the namespace. */
static int legacy_ask(void *arg)
{
	unsigned int *unread = arg;
	int v4 = legacy_rules_exist(false), v6 = legacy_rules_exist(true);

	/* What could not be read may hold rules. */
	if (v4)
		*unread |= RULESET_UNREAD_LEGACY4;
	if (v6)
		*unread |= RULESET_UNREAD_LEGACY6;
	return 0;
}

int firewall_read(int nsfd, struct ruleset **ret, struct fail *why)
{
	struct ruleset *rules = NULL;
	unsigned int unread = 0;
	int err = tables_exist(nsfd, why);

	if (err < 0)
		return err;
	if (err == 0) {
		rules = ruleset_empty();
		err = rules ? 0 : fail_set(why, -ENOMEM, NULL, "read the firewall's rules");
	} else {
		err = nft_read(nsfd, &rules, why);
	}
	if (err == 0)
		err = netns_run(nsfd, legacy_ask, &unread, why);
	if (err < 0) {
		ruleset_free(rules);
		return err;
	}
	ruleset_set_unread(rules, unread);
	*ret = rules;
	return 0;
}
