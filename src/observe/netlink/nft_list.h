/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_NETLINK_NFT_LIST_H
#define EW_OBSERVE_NETLINK_NFT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct error;

struct nft_listing {
	char *text;    /* NUL terminated; for free() */
	size_t len;    /* without the NUL */
	bool complete; /* nft complained of nothing: no expression was left out */
};

/*
 * One run of "nft -j list ruleset" in the namespace nsfd (NETNS_OWN: ours), in a session of its
 * own, with an environment of its own; killed after timeout_ms, or when it prints more than max
 * bytes. nft is looked for in /usr/sbin, /sbin, /usr/local/sbin and /usr/bin. Returns 0 with *ret
 * filled, or a negative errno as firewall_read() does.
 */
int nft_list(int nsfd, int timeout_ms, size_t max, struct nft_listing *ret, struct error *error);

#endif
