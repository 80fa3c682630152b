/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A packet as the rules of one base chain see it, and its fields. */
#ifndef EW_FIREWALL_SIGHT_H
#define EW_FIREWALL_SIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "firewall/value.h"

struct firewall_packet;
struct ruleset;

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

/* The value of an expression of nft's JSON: {"payload": ...}, {"meta": ...}, {"ct": ...}. */
struct value sight_value(const struct sight *sight, const json_t *expr);

#endif
