/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/jsonval.h"
#include "firewall/ruleset_private.h"

const char *ruleset_string(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static int name_order(const struct ruleset_name *a, const struct ruleset_name *b)
{
	int order = strcmp(a->family, b->family);

	if (!order)
		order = strcmp(a->table, b->table);
	return order ? order : strcmp(a->name, b->name);
}

static int chain_order(const void *a, const void *b)
{
	return name_order(&((const struct ruleset_chain *)a)->name,
			  &((const struct ruleset_chain *)b)->name);
}

static int set_order(const void *a, const void *b)
{
	return name_order(&((const struct ruleset_set *)a)->name,
			  &((const struct ruleset_set *)b)->name);
}

static int rule_order(const void *a, const void *b)
{
	const struct ruleset_rule *x = a, *y = b;
	int order = name_order(&x->chain, &y->chain);

	if (order)
		return order;
	return x->order < y->order ? -1 : x->order > y->order;
}

const struct ruleset_chain *ruleset_chain(const struct ruleset *rules,
					  const struct ruleset_name *name)
{
	struct ruleset_chain key = { .name = *name };

	return rules->n_chains
		       ? bsearch(&key, rules->chains, rules->n_chains, sizeof(key), chain_order)
		       : NULL;
}

static struct ruleset_set *set_find(const struct ruleset *rules, const struct ruleset_name *name)
{
	struct ruleset_set key = { .name = *name };

	return rules->n_sets ? bsearch(&key, rules->sets, rules->n_sets, sizeof(key), set_order)
			     : NULL;
}

const struct ruleset_set *ruleset_set(const struct ruleset *rules, const struct ruleset_name *name)
{
	return set_find(rules, name);
}

static bool family_read(const char *family)
{
	return strcmp(family, "ip") == 0 || strcmp(family, "ip6") == 0 ||
	       strcmp(family, "inet") == 0 || strcmp(family, "netdev") == 0;
}

/* The name of an object, whose own name is the member key. */
static struct ruleset_name name_of(const json_t *object, const char *key)
{
	return (struct ruleset_name){ .family = ruleset_string(object, "family"),
				      .table = ruleset_string(object, "table"),
				      .name = ruleset_string(object, key) };
}

static void chain_add(struct ruleset *rules, const json_t *object)
{
	const json_t *hook = json_object_get(object, "hook");

	rules->chains[rules->n_chains++] = (struct ruleset_chain){
		.name = name_of(object, "name"),
		.hook = hook ? ruleset_string(object, "hook") : NULL,
		.type = ruleset_string(object, "type"),
		.policy = ruleset_string(object, "policy"),
		.prio = json_integer_value(json_object_get(object, "prio")),
		.dev = json_object_get(object, "dev"),
	};
}

static bool flags_have(const json_t *flags, const char *name)
{
	const json_t *flag;
	size_t i;

	if (json_is_string(flags))
		return strcmp(json_string_value(flags), name) == 0;
	json_array_foreach(flags, i,
			   flag) if (json_is_string(flag) &&
				     strcmp(json_string_value(flag), name) == 0) return true;
	return false;
}

static void set_add(struct ruleset *rules, const json_t *object)
{
	const json_t *flags = json_object_get(object, "flags");

	rules->sets[rules->n_sets++] = (struct ruleset_set){
		.name = name_of(object, "name"),
		.elem = json_object_get(object, "elem"),
		.dynamic = flags_have(flags, "dynamic") || flags_have(flags, "timeout") ||
			   json_object_get(object, "timeout"),
	};
}

static void rule_add(struct ruleset *rules, const json_t *object)
{
	const json_t *expr = json_object_get(object, "expr");

	rules->rules[rules->n_rules] = (struct ruleset_rule){
		.chain = name_of(object, "chain"),
		.order = rules->n_rules,
		.handle = json_integer_value(json_object_get(object, "handle")),
		.expr = json_is_array(expr) ? expr : NULL,
	};
	rules->n_rules++;
}

/* Calls add() for each object of one of the two kinds. */
static void objects_add(struct ruleset *rules, const json_t *list, const char *kind,
			void (*add)(struct ruleset *rules, const json_t *object))
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		const json_t *object = json_object_get(item, kind);

		if (object && family_read(ruleset_string(object, "family")))
			add(rules, object);
	}
}

/* The runs of rules with one chain's name. */
static void rules_to_chains(struct ruleset *rules)
{
	for (size_t i = 0, n; i < rules->n_rules; i += n) {
		const struct ruleset_rule *first = &rules->rules[i];
		struct ruleset_chain key = { .name = first->chain };
		struct ruleset_chain *chain = NULL;

		for (n = 1; i + n < rules->n_rules; n++)
			if (name_order(&first->chain, &first[n].chain) != 0)
				break;
		if (rules->n_chains)
			chain = bsearch(&key, rules->chains, rules->n_chains, sizeof(key),
					chain_order);
		if (!chain)
			continue;
		chain->rules = first;
		chain->n_rules = n;
	}
}

/* A statement that adds elements to a set or map makes its content a matter of traffic. */
static void set_mark_dynamic(struct ruleset *rules, const struct ruleset_rule *rule,
			     const json_t *statement)
{
	static const char *const kinds[] = { "set", "map" };

	for (size_t i = 0; i < 2; i++) {
		const json_t *body = json_object_get(statement, kinds[i]);
		const char *name = ruleset_string(body, kinds[i]);
		struct ruleset_name full = rule->chain;
		struct ruleset_set *set;

		if (name[0] != '@')
			continue;
		full.name = name + 1;
		set = set_find(rules, &full);
		if (set)
			set->dynamic = true;
	}
}

static void sets_mark_dynamic(struct ruleset *rules)
{
	const json_t *statement;
	size_t at;

	for (size_t i = 0; i < rules->n_rules; i++)
		json_array_foreach(rules->rules[i].expr, at, statement)
			set_mark_dynamic(rules, &rules->rules[i], statement);
}

/*
 * nft 1.0.6 prints the flag "dormant" of a table wrongly (it was seen as the table's own name), so
 * every flag but "owner" may mean it.
 */
static void table_mark_flags(struct ruleset *rules, const json_t *table)
{
	const json_t *flags = json_object_get(table, "flags");
	bool owned = flags_have(flags, "owner");

	if (!flags)
		return;
	for (size_t i = 0; i < rules->n_chains; i++) {
		struct ruleset_chain *chain = &rules->chains[i];

		if (strcmp(chain->name.family, ruleset_string(table, "family")) != 0 ||
		    strcmp(chain->name.table, ruleset_string(table, "name")) != 0)
			continue;
		chain->owned = owned;
		chain->dormant = !owned || json_array_size(flags) > 1;
	}
}

static void tables_mark_flags(struct ruleset *rules, const json_t *list)
{
	const json_t *item;
	size_t at;

	json_array_foreach(list, at, item) table_mark_flags(rules, json_object_get(item, "table"));
}

static int rules_fill(struct ruleset *rules, const json_t *list)
{
	size_t n = json_array_size(list) + 1;

	rules->chains = calloc(n, sizeof(*rules->chains));
	rules->sets = calloc(n * 2, sizeof(*rules->sets)); /* an object may be a set and a map */
	rules->rules = calloc(n, sizeof(*rules->rules));
	if (!rules->chains || !rules->sets || !rules->rules)
		return -ENOMEM;
	objects_add(rules, list, "chain", chain_add);
	objects_add(rules, list, "set", set_add);
	objects_add(rules, list, "map", set_add);
	objects_add(rules, list, "rule", rule_add);
	qsort(rules->chains, rules->n_chains, sizeof(*rules->chains), chain_order);
	qsort(rules->sets, rules->n_sets, sizeof(*rules->sets), set_order);
	qsort(rules->rules, rules->n_rules, sizeof(*rules->rules), rule_order);
	rules_to_chains(rules);
	sets_mark_dynamic(rules);
	tables_mark_flags(rules, list);
	return 0;
}

struct ruleset *ruleset_empty(void)
{
	return calloc(1, sizeof(struct ruleset));
}

int ruleset_parse(const char *json, size_t len, struct ruleset **ret, struct error *error)
{
	struct ruleset *rules = ruleset_empty();
	json_error_t where;
	const json_t *list;
	int err;

	if (!rules)
		return error_set(error, -ENOMEM, NULL, "parse the nftables ruleset");
	rules->root = jsonval_load(json, len, 0, &where);
	list = json_object_get(rules->root, "nftables");
	if (!rules->root)
		err = error_set(error, -EBADMSG, "run 'nft -j list ruleset' by hand",
				"parse the nftables ruleset: line %d: %s", where.line, where.text);
	else if (!json_is_array(list))
		err = error_set(error, -EBADMSG, "run 'nft -j list ruleset' by hand",
				"parse the nftables ruleset: no array 'nftables'");
	else if ((err = rules_fill(rules, list)) < 0)
		error_set(error, err, NULL, "parse the nftables ruleset");
	if (err < 0) {
		ruleset_free(rules);
		return err;
	}
	*ret = rules;
	return 0;
}

void ruleset_free(struct ruleset *rules)
{
	if (!rules)
		return;
	json_decref(rules->root);
	free(rules->chains);
	free(rules->sets);
	free(rules->rules);
	free(rules);
}

void ruleset_set_unread(struct ruleset *rules, unsigned int unread)
{
	rules->unread |= unread;
}

unsigned int ruleset_unread(const struct ruleset *rules)
{
	return rules->unread;
}

size_t ruleset_rules(const struct ruleset *rules)
{
	return rules->n_rules;
}
