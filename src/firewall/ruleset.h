/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rules of nftables in one network namespace, as `nft -j list ruleset` prints them
 * (libnftables-json(5)). Pure: no I/O.
 *
 * Read are the tables of the families ip, ip6, inet and netdev; those of arp and bridge never see
 * a TCP packet on the loopback device and are ignored.
 */
#ifndef EW_FIREWALL_RULESET_H
#define EW_FIREWALL_RULESET_H

#include <stddef.h>

struct error;
struct ruleset;

/*
 * Parses len bytes of JSON. On success returns 0 with *ret the caller's, freed with ruleset_free();
 * it keeps no pointer into json. Returns -ENOMEM, or -EBADMSG when the text is no JSON or no
 * ruleset, with *ret untouched. An object that is not understood is kept: a packet that reaches it
 * gets the decision FIREWALL_MAYBE.
 */
int ruleset_parse(const char *json, size_t len, struct ruleset **ret, struct error *error);

/* A namespace without any rule. NULL: out of memory. */
struct ruleset *ruleset_empty(void);

void ruleset_free(struct ruleset *rules);

/* Rules that exist and were not read; firewall_evaluate() never answers FIREWALL_ACCEPTED then. */
enum ruleset_unread {
	RULESET_COMPLETE = 0,
	RULESET_UNREAD_LEGACY4 = 1, /* rules of iptables-legacy */
	RULESET_UNREAD_LEGACY6 = 2, /* rules of ip6tables-legacy */
	RULESET_UNREAD_NFT = 4,	    /* rules of nftables, or expressions in them */
};

/* Adds to what was not read: a mask of enum ruleset_unread. */
void ruleset_set_unread(struct ruleset *rules, unsigned int unread);
unsigned int ruleset_unread(const struct ruleset *rules);

size_t ruleset_rules(const struct ruleset *rules); /* number of rules of the families read */

#endif
