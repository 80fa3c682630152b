/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of src/firewall share. Every string and json_t belongs to ruleset->root. */
#ifndef EW_FIREWALL_RULESET_PRIVATE_H
#define EW_FIREWALL_RULESET_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "firewall/ruleset.h"

/* The full name of a table, chain, set or map. name is "" for a table. */
struct ruleset_name {
	const char *family;
	const char *table;
	const char *name;
};

struct ruleset_rule {
	struct ruleset_name chain;
	size_t order; /* position in the listing */
	int64_t handle;
	const json_t *expr; /* array; NULL: not understood */
};

struct ruleset_chain {
	struct ruleset_name name;
	const char *hook;   /* NULL: no base chain */
	const char *type;   /* "filter", "nat", "route"; "" when unknown */
	const char *policy; /* "accept", "drop"; "" when unknown */
	int64_t prio;
	const json_t *dev; /* of ingress and egress: a name or an array of names; NULL: unknown */
	bool dormant;	   /* its table may be dormant: the kernel may not run this chain */
	bool owned;	   /* a process owns its table: nobody else may change it */
	const struct ruleset_rule *rules;
	size_t n_rules;
};

/* A named set or map. */
struct ruleset_set {
	struct ruleset_name name;
	const json_t *elem; /* array; NULL: empty */
	bool dynamic;	    /* packets add or time removes elements: its content is unknown */
};

struct ruleset {
	json_t *root;
	struct ruleset_chain *chains; /* sorted by name */
	size_t n_chains;
	struct ruleset_set *sets; /* sorted by name */
	size_t n_sets;
	struct ruleset_rule *rules; /* sorted by chain, then order */
	size_t n_rules;
	unsigned int unread;
};

/* NULL: there is none. */
const struct ruleset_chain *ruleset_chain(const struct ruleset *rules,
					  const struct ruleset_name *name);
const struct ruleset_set *ruleset_set(const struct ruleset *rules, const struct ruleset_name *name);

/* The string of a member; "" when there is none. */
const char *ruleset_string(const json_t *object, const char *key);

#endif
