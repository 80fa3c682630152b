/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way of a link's packets from the executor's network namespace to the agent's: which
 * namespaces they pass in between, such as a router's.
 */
#ifndef EW_OBSERVE_LINK_WAY_H
#define EW_OBSERVE_LINK_WAY_H

#include <stdint.h>

#include "facts.h"

struct error;
struct link_way;
struct snapshot;

/* agents: the agent's namespace, a descriptor that has to stay open, and its inode. NULL: out of
 * memory. */
struct link_way *link_way_new(const struct snapshot *snapshot, int agents, uint64_t netns);
void link_way_free(struct link_way *way); /* NULL is fine */

/*
 * The namespace that packets to an address of the agent's enter when they leave this one (nsfd, of
 * that inode): *next is its inode. from: as of next_hop_find(). The next namespace is known where
 * the route leads to a pair of devices whose other end is in the agent's namespace (there it may be
 * a port of a bridge), in that of any process, or in one that has a name in /run/netns or
 * /var/run/docker/netns. Returns 0 or a negative errno (-EXDEV: a device of another kind, or a
 * namespace that nothing leads to).
 */
int link_way_next(struct link_way *way, int nsfd, uint64_t netns, const struct ew_addr *from,
		  const struct ew_addr *to, uint64_t *next, struct error *error);

/* Opens a namespace that link_way_next() has found. Returns a descriptor, the caller's, or -errno.
 */
int link_way_open(const struct link_way *way, uint64_t netns);

#endif
