/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tuples and entries of connection tracking, as netlink messages have them. */
#ifndef EW_OBSERVE_NETLINK_CONNTRACK_ENTRY_H
#define EW_OBSERVE_NETLINK_CONNTRACK_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

struct conntrack_query;
struct nl_msg;
struct nlmsghdr;

/* One direction of an entry. */
struct conntrack_tuple {
	struct ew_addr src, dst;
};

struct conntrack_entry {
	struct conntrack_tuple orig, reply;
	int64_t timeout; /* ns; -1: not told */
	uint16_t zone;
};

/* False: the message is not a whole entry of a TCP connection. */
bool conntrack_entry_read(struct nlmsghdr *msg, struct conntrack_entry *entry);

/* Adds the tuple that the query is about, as the original direction, to a request. */
void conntrack_tuple_add(struct nl_msg *msg, const struct conntrack_query *query);

/* Order of a tuple and of the query's, by sign; 0: the same. */
int conntrack_tuple_compare(const struct conntrack_tuple *tuple,
			    const struct conntrack_query *query);

/*
 * Answers the query by an entry if either direction is the query's, unless it has an answer by an
 * entry that expires earlier.
 */
void conntrack_query_answer(struct conntrack_query *query, const struct conntrack_entry *entry);

/*
 * Reads the whole table through the netfilter netlink socket fd, and answers those of n queries
 * that are absent by an entry of any zone. Returns 0 or a negative errno.
 */
int conntrack_zones_search(int fd, struct conntrack_query *queries, size_t n);

#endif
