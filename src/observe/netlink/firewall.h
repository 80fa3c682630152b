/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The firewall's rules of a network namespace, read only. */
#ifndef EW_OBSERVE_NETLINK_FIREWALL_H
#define EW_OBSERVE_NETLINK_FIREWALL_H

#include <stdint.h>

struct error;
struct ruleset;

#define FIREWALL_READ_MS  2000		     /* one run of nft may take so long */
#define FIREWALL_READ_MAX (64 * 1024 * 1024) /* and print so many bytes */

/*
 * Reads the rules in the namespace nsfd (NETNS_OWN: ours). Where a table of nftables exists, this
 * runs "nft -j list ruleset" in a child of its own session, which is killed when it takes too long
 * or prints too much; a run that fails by itself is repeated once, since the rules may have changed
 * meanwhile. Without any such table no program is needed. Rules of iptables-legacy are not read,
 * and an nft that is older than the kernel leaves out expressions: ruleset_unread() says so.
 *
 * Needs CAP_NET_ADMIN in the namespace, and CAP_SYS_ADMIN to enter it. May be called from any
 * thread; blocks for two runs at most, and not beyond until (mono ns; 0: no bound).
 *
 * Returns 0 with *ret the caller's (ruleset_free()), or a negative errno with *error filled and
 * *ret untouched: -ENOENT: there are tables, and no nft; -ETIMEDOUT; -EFBIG; -EPERM; -EIO: nft
 * failed (its message is in *error); -EBADMSG: not understood. Nothing is then known of the rules.
 */
int firewall_read(int nsfd, int64_t until, struct ruleset **ret, struct error *error);

#endif
