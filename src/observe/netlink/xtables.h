/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules of the older iptables and ip6tables (not those that nftables carries), read only. */
#ifndef EW_OBSERVE_NETLINK_XTABLES_H
#define EW_OBSERVE_NETLINK_XTABLES_H

#include <stdbool.h>
#include <stddef.h>

#define XTABLES_NAME_MAX 32 /* of a match or target, with its NUL: linux/netfilter/x_tables.h */

/*
 * Finds a match or target that makes the kernel track connections in the calling thread's network
 * namespace, and stores its name. Tables that were never used are not read, since reading would
 * create them. Returns 1, 0 for none, or a negative errno.
 */
int xtables_find_tracking(bool v6, char *name, size_t size);

/* Whether this match or target needs tracking. Also for those inside nftables rules. */
bool xtables_tracks(const char *name);

#endif
