/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Expressions of nft's JSON, evaluated for a packet at one hook. */
#ifndef EW_FIREWALL_MATCH_H
#define EW_FIREWALL_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "facts.h"

struct firewall_packet;
struct ruleset;
struct ruleset_name;

/* What a hook gives for a device: nothing (input has no output device), or the packet's. */
enum sight_dev { SIGHT_DEV_UNKNOWN = 0, SIGHT_DEV_NONE, SIGHT_DEV_OWN };

/* The packet as the rules of one base chain see it. */
struct sight {
	const struct ruleset *rules;
	const struct firewall_packet *packet;
	unsigned int ct;    /* possible states now, mask of enum firewall_ct, never 0 */
	bool rewritten;	    /* a rule has, or may have, changed the packet: no field is known */
	enum sight_dev iif; /* input device */
	enum sight_dev oif;
	size_t *steps; /* work left; 0: everything is unknown */
};

/* Takes one step. False: none is left. */
bool sight_step(const struct sight *sight);

/* The body of a match statement: {"left", "op", "right"}. table: where named sets are looked up. */
enum ew_tri match_test(const struct sight *sight, const struct ruleset_name *table,
		       const json_t *match);

/*
 * Looks up the body of a vmap statement and calls each(verdict, tri, ctx) for every verdict that
 * may be meant: YES when it certainly is. Returns NO when the lookup certainly finds a verdict, YES
 * when it certainly finds none (the kernel then ends the rule), else UNKNOWN.
 */
enum ew_tri match_vmap(const struct sight *sight, const struct ruleset_name *table,
		       const json_t *vmap,
		       void (*each)(const json_t *verdict, enum ew_tri meant, void *ctx),
		       void *ctx);

#endif
