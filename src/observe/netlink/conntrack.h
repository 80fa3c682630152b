/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Connection tracking entries, looked up by their tuple. No packet is sent: one on a connection
 * whose entry is gone would reset it, and start the executor's recovery timeout.
 */
#ifndef EW_OBSERVE_NETLINK_CONNTRACK_H
#define EW_OBSERVE_NETLINK_CONNTRACK_H

#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct error;

struct conntrack_query {
	struct ew_addr local; /* of the socket; the entry is found by either of its directions */
	struct ew_addr remote;
	enum ew_tri present; /* UNKNOWN: err says why */
	int64_t timeout;     /* nanoseconds until the entry expires; -1: not known */
	uint16_t zone;
	/* The other direction's tuple: the ends as the socket at the other end has them. Differs
	 * from remote and local where the connection is translated (NAT). */
	struct ew_addr peer_local;
	struct ew_addr peer_remote;
	int err; /* negative errno */
};

/*
 * Answers n queries in the namespace (NETNS_OWN: ours), many in one message. Entries are asked for
 * by their tuple in the default zone; if any is not there, the whole table is read once and those
 * are looked for in every zone. Of several zones with the same tuple the entry that expires first
 * is given. An entry with 300 s or less is looked up again 250 ms later: data may have been on its
 * way. Needs CAP_NET_ADMIN there. Returns 0, or a negative errno when none could be asked; the
 * queries are then unchanged, or all unknown.
 */
int conntrack_lookup(int nsfd, struct conntrack_query *queries, size_t n, struct error *error);

#endif
