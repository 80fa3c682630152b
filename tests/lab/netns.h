/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_NETNS_H
#define LAB_NETNS_H

#include "addr.h"

#include <stdbool.h>

/*
 * The network of a node. What netns_new() made is named by its inode number `ns`;
 * everything else refuses (-EPERM) where the calling process is in another namespace, so
 * that the host's own can't be touched by mistake.
 */

/* A new namespace for this process, lo up, with `ip` on it if it is not 127.x or ::1. */
int netns_new(const char *ip, unsigned long *ns);

/* One more address on lo, if it is not there already. Empty, 127.x or ::1: nothing to do. */
int netns_add_ip(unsigned long ns, const char *ip);

/*
 * A namespace of its own for this process, joined to the one it was in by a veth pair
 * (172.30.<index>.1 outside, .2 inside; with v6 also fd00:30:<index>::1 and ::2), no NAT.
 */
int netns_enter_own(unsigned long ns, unsigned int index, bool v6);

int netns_rules(unsigned long ns, const char *rules); /* as nft reads them */

/* The firewall that forgets: drops what belongs to no tracked connection; tcp_loose=0. */
int netns_firewall(unsigned long ns, bool on);

/* A TCP connection that is tracked, as its first packet has the ends; zone 0: the default one. */
struct netns_entry {
	union addr from, to;
	uint16_t zone;
};

/* Removes the entry, or gives it so many seconds more; -ENOENT: there is none. */
int netns_forget(unsigned long ns, const struct netns_entry *entry);
int netns_expire(unsigned long ns, const struct netns_entry *entry, uint32_t seconds);

#endif
