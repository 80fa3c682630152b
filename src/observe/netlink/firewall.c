/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/firewall.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/netfilter.h, which has another in.h */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/error.h"
#include "firewall/ruleset.h"
#include "observe/netlink/legacy_rules.h"
#include "observe/netlink/netlink.h"
#include "base/netns.h"
#include "observe/netlink/nft_list.h"

/* Has the namespace any table of nftables? Needs no nft. Returns 1, 0 or a negative errno. */
static int tables_exist(int nsfd, struct error *error)
{
	struct error inner = { 0 };
	int fd = netlink_open(nsfd, NETLINK_NETFILTER, &inner);
	struct netlink_dump dump;
	struct nlmsghdr *table;
	struct nl_msg *request;
	int err;

	if (fd < 0) {
		if (error)
			*error = inner;
		return fd;
	}
	request = netlink_netfilter(NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE, NLM_F_DUMP,
				    NFPROTO_UNSPEC);
	err = netlink_dump_begin(&dump, fd, request);
	if (!err)
		err = netlink_dump_next(&dump, &table);
	netlink_dump_end(&dump);
	nlmsg_free(request);
	close(fd);
	/* A kernel without nftables; or tables came and went: then ask nft. */
	if (err == -EINVAL || err == -EOPNOTSUPP)
		return 0;
	if (err == -EINTR)
		return 1;
	if (err < 0)
		return error_set(error, err, "run as root", "list the tables of nftables");
	return err;
}

static int nft_read(int nsfd, int64_t until, struct ruleset **ret, struct error *error)
{
	struct nft_listing listing;
	int err = nft_list(nsfd, bounded_ms(FIREWALL_READ_MS, until), FIREWALL_READ_MAX, &listing,
			   error);

	if (err == -EIO) /* the rules may have changed meanwhile */
		err = nft_list(nsfd, bounded_ms(FIREWALL_READ_MS, until), FIREWALL_READ_MAX,
			       &listing, error);
	if (err < 0)
		return err;
	err = ruleset_parse(listing.text, listing.len, ret, error);
	free(listing.text);
	if (err == 0 && !listing.complete)
		ruleset_set_unread(*ret, RULESET_UNREAD_NFT);
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

int firewall_read(int nsfd, int64_t until, struct ruleset **ret, struct error *error)
{
	struct ruleset *rules = NULL;
	unsigned int unread = 0;
	int err = tables_exist(nsfd, error);

	if (err < 0)
		return err;
	if (err == 0) {
		rules = ruleset_empty();
		err = rules ? 0 : error_set(error, -ENOMEM, NULL, "read the firewall's rules");
	} else {
		err = nft_read(nsfd, until, &rules, error);
	}
	if (err == 0)
		err = netns_run(nsfd, legacy_ask, &unread, error);
	if (err < 0) {
		ruleset_free(rules);
		return err;
	}
	ruleset_set_unread(rules, unread);
	*ret = rules;
	return 0;
}
