/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whether connection tracking is in force in a network namespace.
 *
 * The kernel tracks a namespace only while something there needs it: the first rule that does
 * registers the hooks, and with the last one they are unregistered (nf_ct_netns_get(), Linux 4.10).
 * No file and no counter shows this. Measured on 6.18: the statistics of /proc/net/stat stay 0;
 * entries may be 0 with the hooks registered, and outlive the hooks by their timeout; and files of
 * /proc may be hidden (a container's masked paths, subset=pid). So netlink is asked, in this order:
 *  1. the list of hooks themselves (nfnetlink_hook, kernel 5.14, CONFIG_NETFILTER_NETLINK_HOOK),
 *     where the kernel gives it;
 *  2. else every nftables rule and object, and every rule of the older iptables tables: is it of a
 *     kind that registers the hooks (measured for each with real traffic)?
 *  3. None: not in force, unless entries exist all the same, or cannot be counted: then it is not
 *     known (IPVS, Open vSwitch).
 */
#ifndef EW_OBSERVE_NETLINK_CONNTRACK_HOOKS_H
#define EW_OBSERVE_NETLINK_CONNTRACK_HOOKS_H

#include <stdbool.h>

#include "facts.h"

struct error;

struct conntrack_hooks {
	enum ew_tri in_force;
	bool sets_zones;   /* a rule puts packets into other zones than the default one, or may */
	char evidence[96]; /* "rule 'ct' in nftables", "hook ipv4_conntrack_in", … */
};

/*
 * Asks in the namespace (NETNS_OWN: ours), for connections of IPv4 and/or IPv6. Returns 0 with
 * *tracking filled, in_force UNKNOWN when the evidence contradicts itself; or a negative errno when
 * something that decides could not be read.
 */
int conntrack_hooks_probe(int nsfd, bool v4, bool v6, struct conntrack_hooks *tracking,
			  struct error *error);

#endif
