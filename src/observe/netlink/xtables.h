/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Rules of the older iptables and ip6tables (not those that nftables carries), read only. */
#ifndef EW_OBSERVE_NETLINK_XTABLES_H
#define EW_OBSERVE_NETLINK_XTABLES_H

#include <netinet/in.h> /* before linux/netfilter.h, which has another in.h */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/netfilter_ipv4/ip_tables.h>

#define XTABLES_NAME_MAX 32 /* of a match or target, with its NUL: linux/netfilter/x_tables.h */

/*
 * Finds a match or target that makes the kernel track connections in the calling thread's network
 * namespace, and stores its name. Tables that were never used are not read, since reading would
 * create them. Returns 1, 0 for none, or a negative errno.
 */
int xtables_find_tracking(bool v6, char *name, size_t size);

/*
 * Does a rule of these tables, by target CT with --zone, put packets into other zones than the
 * default one? 1, 0 or a negative errno.
 */
int xtables_find_zone(bool v6);

/* The same of the data of one target CT, also of one inside nftables rules. */
bool xtables_ct_sets_zone(const void *info, size_t len);

/* Whether this match or target needs tracking. Also for those inside nftables rules. */
bool xtables_tracks(const char *name);

/*
 * The names of the tables in use in the calling thread's network namespace, one a line: *names,
 * the caller's to fclose(), or NULL where the kernel has no such tables. Returns 0 or a negative
 * errno; -EACCES: this /proc does not show them.
 */
int xtables_names(bool v6, FILE **names);

/*
 * Reads a table by a socket of its family; ip6t_getinfo is laid out as *info. *entries is the
 * caller's to free(), info->size bytes. A table that changes meanwhile is read again, up to 10
 * times. Returns 0 or a negative errno (-EAGAIN: it changed each time).
 */
int xtables_read(int fd, bool v6, const char *table, struct ipt_getinfo *info, char **entries);

#endif
