/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where packets to an address go when they leave a network namespace: rtnetlink(7). */
#ifndef EW_OBSERVE_NETLINK_NEXT_HOP_H
#define EW_OBSERVE_NETLINK_NEXT_HOP_H

#include <net/if.h>
#include <stdint.h>

#include "facts.h"

struct error;
struct next_hop; /* of one namespace */

/* nsfd: the namespace, or NETNS_OWN; it has to stay open. Returns 0 or a negative errno. */
int next_hop_open(int nsfd, struct next_hop **ret, struct error *error);
void next_hop_close(struct next_hop *hop); /* NULL is fine */

/* How packets to an address leave. Rules that ask for a mark, a user or a port are not followed. */
struct way_out {
	enum { WAY_UNKNOWN, WAY_LOCAL, WAY_PAIR } kind; /* PAIR: by one device of a pair (veth) */
	int32_t netns_id;      /* of the pair's other device, as this namespace calls it */
	char device[IFNAMSIZ]; /* unless LOCAL */
};

/*
 * from: an address of this namespace that the packets have, since rules may choose a route by it
 * (ip-rule(8)); NULL: they come from elsewhere. Returns 0 or a negative errno, and way->kind is
 * then UNKNOWN. It is so too where the device is no pair, or both its ends are in this namespace:
 * what packets pass behind it is not known.
 */
int next_hop_find(struct next_hop *hop, const struct ew_addr *from, const struct ew_addr *to,
		  struct way_out *way, struct error *error);

/* 1: the namespace other (a descriptor) is the one called id here; 0: it is not; or -errno. */
int next_hop_is(struct next_hop *hop, int32_t id, int other);

#endif
