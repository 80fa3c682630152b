/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Expressions of nft's JSON, evaluated for a packet at one hook. */
#ifndef EW_FIREWALL_MATCH_H
#define EW_FIREWALL_MATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "facts.h"
#include "firewall/sight.h"

struct ruleset_name;

/* What a hook gives for a device: nothing (input has no output device), or the packet's. */
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
