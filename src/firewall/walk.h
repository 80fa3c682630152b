/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules of one base chain and of the chains that it leads to. */
#ifndef EW_FIREWALL_WALK_H
#define EW_FIREWALL_WALK_H

#include <stdbool.h>

#include "firewall/match.h"

struct ruleset_chain;
struct ruleset_rule;

/* What rules may have done to the packet. Only grows towards "unknown". */
struct walk_state {
	unsigned int ct; /* possible states, mask of enum firewall_ct */
	bool rewritten;	 /* its header may have been changed */
	bool rerouted;	 /* it may take another way than over lo */
};

/* Where a verdict was given. rule NULL: by the base chain's policy. */
struct walk_site {
	const struct ruleset_rule *rule;
	bool seen;
	bool certain; /* nothing before it may have ended the walk */
};

struct walk {
	struct sight sight;
	const struct ruleset_chain *base;
	struct walk_state *state;
	bool certain;	/* the packet gets to the rule at hand, if it gets to the base chain */
	bool unordered; /* the chain may be run before or after others: its effects are uncertain */
	unsigned int depth;
	struct walk_site accept, drop, notrack; /* the first of each, or the certain one */
};

/* How a walk may end: a mask. */
enum walk_end {
	WALK_ACCEPT = 1,
	WALK_DROP = 2,
	WALK_RETURN = 4, /* inside: the end of a chain, or "return" */
	WALK_NEXT = 8,	 /* inside: the next rule */
	WALK_ANY = 15,
};

/* Walks through walk->base with its policy; returns a mask of WALK_ACCEPT and WALK_DROP, never 0.
 */
unsigned int walk_base(struct walk *walk);

#endif
