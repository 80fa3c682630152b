/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The table of connection tracking entries of a namespace: how full it is, how long entries last.
 */
#ifndef EW_OBSERVE_NETLINK_CONNTRACK_TABLE_H
#define EW_OBSERVE_NETLINK_CONNTRACK_TABLE_H

#include <stdint.h>

/*
 * The number of entries in the namespace, and how many the kernel allows (0: not told, before Linux
 * 5.2). Needs CAP_NET_ADMIN there. Returns 0 or a negative errno; -EOPNOTSUPP: this kernel does not
 * tell, or has no connection tracking.
 */
int conntrack_count(int nsfd, uint64_t *entries, uint64_t *limit);

/*
 * nf_conntrack_tcp_timeout_established of the namespace, ns: how long an idle connection keeps its
 * entry, unless a rule gives it another timeout. 0: not known (/proc/sys is hidden).
 */
int64_t conntrack_established_timeout(int nsfd);

#endif
