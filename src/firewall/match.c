/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/match.h"

#include <string.h>

#include "firewall/eval.h"
#include "firewall/sight.h"
#include "firewall/ruleset_private.h"
#include "firewall/value.h"

#define CONCAT_MAX 16 /* NFT_REG32_COUNT, linux/netfilter/nf_tables.h */

/* One or more values joined by ".". n is 0 when not understood. */
struct key {
	struct value values[CONCAT_MAX];
	size_t n;
};

static struct key key_of(const struct sight *sight, const json_t *expr)
{
	const json_t *parts = json_object_get(expr, "concat");
	struct key key = { .n = 1 };

	if (!parts) {
		key.values[0] = sight_value(sight, expr);
		return key;
	}
	key.n = json_array_size(parts);
	if (key.n > CONCAT_MAX)
		key.n = 0;
	for (size_t i = 0; i < key.n; i++)
		key.values[i] = sight_value(sight, json_array_get(parts, i));
	return key;
}

static bool key_has(const struct key *key, enum value_kind kind)
{
	for (size_t i = 0; i < key->n; i++)
		if (key->values[i].kind == kind)
			return true;
	return false;
}

/*
 * May the kernel end the rule instead of comparing? It does for a field that the packet lacks, and
 * before Linux 5.4 for a missing device, whose name is empty later.
 */
static bool key_may_break(const struct key *key)
{
	return key_has(key, VALUE_NO_DEV) || key_has(key, VALUE_UNKNOWN);
}

static enum ew_tri key_is(const struct key *key, const json_t *constant)
{
	const json_t *parts = json_object_get(constant, "concat");
	enum ew_tri is = EW_YES;

	if (!parts && key->n == 1)
		return value_is(&key->values[0], constant);
	if (key->n == 0 || json_array_size(parts) != key->n)
		return EW_UNKNOWN;
	for (size_t i = 0; i < key->n; i++)
		is = tri_and(is, value_is(&key->values[i], json_array_get(parts, i)));
	return is;
}

/* An element may carry more than its key: some of that decides whether it matches. */
static enum ew_tri element_is(const struct key *key, const json_t *element)
{
	const json_t *wrapped = json_object_get(element, "elem");
	const json_t *value;
	const char *name;
	enum ew_tri is;

	if (!wrapped)
		return key_is(key, element);
	is = key_is(key, json_object_get(wrapped, "val"));
	json_object_foreach((json_t *)wrapped, name, value) if (strcmp(name, "val") != 0 &&
								strcmp(name, "comment") != 0 &&
								strcmp(name, "counter") != 0) is =
		tri_and(is, EW_UNKNOWN); /* timeout, limit, … */
	return is;
}

static bool catches_all(const json_t *element)
{
	const json_t *wrapped = json_object_get(element, "elem");
	const char *text = json_string_value(wrapped ? json_object_get(wrapped, "val") : element);

	return text && strcmp(text, "*") == 0;
}

/* The elements of {"set": […]} or of "@name"; *known is false when they cannot be told. */
static const json_t *set_elements(const struct sight *sight, const struct ruleset_name *table,
				  const json_t *set, bool *known)
{
	const char *text = json_string_value(set);
	struct ruleset_name name = *table;
	const struct ruleset_set *found;
	const json_t *elements = json_object_get(set, "set");

	*known = elements != NULL;
	if (!text || text[0] != '@')
		return elements;
	name.name = text + 1;
	found = ruleset_set(sight->rules, &name);
	*known = found && !found->dynamic;
	return found ? found->elem : NULL;
}

static bool is_set(const json_t *right)
{
	const char *text = json_string_value(right);

	return json_object_get(right, "set") || (text && text[0] == '@');
}

static enum ew_tri set_has(const struct sight *sight, const struct ruleset_name *table,
			   const struct key *key, const json_t *set)
{
	enum ew_tri has = EW_NO;
	const json_t *elements, *element;
	bool known;
	size_t at;

	elements = set_elements(sight, table, set, &known);
	if (!known)
		return EW_UNKNOWN;
	if (elements && !json_is_array(elements)) /* a set of one element may be printed so */
		return element_is(key, elements) == EW_YES ? EW_YES : EW_UNKNOWN;
	json_array_foreach(elements, at, element)
	{
		if (!sight_step(sight))
			return EW_UNKNOWN;
		if (catches_all(element))
			return key_may_break(key) ? EW_UNKNOWN : EW_YES;
		has = tri_or(has, element_is(key, element));
	}
	return has;
}

/* What == gives, for a left side that is no break. */
static enum ew_tri equals(const struct sight *sight, const struct ruleset_name *table,
			  const struct key *key, const json_t *right)
{
	return is_set(right) ? set_has(sight, table, key, right) : key_is(key, right);
}

static enum ew_tri differs(const struct sight *sight, const struct ruleset_name *table,
			   const struct key *key, const json_t *right)
{
	if (key_may_break(key))
		return EW_UNKNOWN;
	return tri_not(equals(sight, table, key, right));
}

static enum ew_tri compares(const struct key *key, const char *op, const json_t *right)
{
	int order;

	if (key->n != 1 || !value_order(&key->values[0], right, &order))
		return EW_UNKNOWN;
	if (strcmp(op, "<") == 0)
		return tri_of(order < 0);
	if (strcmp(op, ">") == 0)
		return tri_of(order > 0);
	if (strcmp(op, "<=") == 0)
		return tri_of(order <= 0);
	if (strcmp(op, ">=") == 0)
		return tri_of(order >= 0);
	return EW_UNKNOWN;
}

static enum ew_tri test_once(const struct sight *sight, const struct ruleset_name *table,
			     const json_t *match)
{
	const char *op = ruleset_string(match, "op");
	const json_t *right = json_object_get(match, "right");
	struct key key = key_of(sight, json_object_get(match, "left"));

	if (!right || key.n == 0)
		return EW_UNKNOWN;
	if (key_has(&key, VALUE_BREAK))
		return EW_NO;
	if (strcmp(op, "==") == 0 || (strcmp(op, "in") == 0 && is_set(right)))
		return equals(sight, table, &key, right);
	if (strcmp(op, "!=") == 0)
		return differs(sight, table, &key, right);
	if (strcmp(op, "in") == 0 && key.n == 1)
		return value_has_any(&key.values[0], right);
	if (strcmp(op, "!") == 0 && key.n == 1)
		return tri_not(value_has_any(&key.values[0], right));
	return compares(&key, op, right);
}

/* Calls once() for each state that the packet may have; YES or NO when all agree. */
static enum ew_tri states_each(const struct sight *sight,
			       enum ew_tri (*once)(const struct sight *sight, void *ctx), void *ctx)
{
	enum ew_tri all = EW_UNKNOWN;
	bool first = true;

	for (unsigned int state = 1; state <= FIREWALL_CT_UNTRACKED; state <<= 1) {
		struct sight one = *sight;
		enum ew_tri answer;

		if (!(sight->ct & state))
			continue;
		one.ct = state;
		answer = once(&one, ctx);
		all = first || answer == all ? answer : EW_UNKNOWN;
		first = false;
	}
	return all;
}

struct test {
	const struct ruleset_name *table;
	const json_t *match;
};

static enum ew_tri test_state(const struct sight *sight, void *ctx)
{
	const struct test *test = ctx;

	return test_once(sight, test->table, test->match);
}

enum ew_tri match_test(const struct sight *sight, const struct ruleset_name *table,
		       const json_t *match)
{
	struct test test = { .table = table, .match = match };

	return states_each(sight, test_state, &test);
}

struct lookup {
	const struct ruleset_name *table;
	const json_t *vmap;
	bool certain; /* the packet can have one state only */
	void (*each)(const json_t *verdict, enum ew_tri meant, void *ctx);
	void *ctx;
};

static void lookup_tell(const struct lookup *lookup, const json_t *verdict, enum ew_tri meant)
{
	lookup->each(verdict, lookup->certain ? meant : EW_UNKNOWN, lookup->ctx);
}

/* Elements are [key, verdict]; keys do not overlap. Returns whether nothing is found. */
static enum ew_tri lookup_elements(const struct sight *sight, const struct lookup *lookup,
				   const struct key *key, const json_t *elements)
{
	const json_t *element, *others = NULL;
	bool may = false;
	size_t at;

	json_array_foreach(elements, at, element)
	{
		const json_t *constant = json_array_get(element, 0);
		enum ew_tri is = catches_all(constant) ? EW_NO : element_is(key, constant);

		if (!sight_step(sight)) {
			lookup_tell(lookup, NULL, EW_UNKNOWN);
			return EW_UNKNOWN;
		}
		if (json_array_size(element) != 2)
			is = EW_UNKNOWN;
		if (catches_all(constant))
			others = json_array_get(element, 1);
		if (is == EW_NO)
			continue;
		lookup_tell(lookup, json_array_get(element, 1), is);
		if (is == EW_YES)
			return EW_NO;
		may = true;
	}
	may = may || key_may_break(key);
	if (others)
		lookup_tell(lookup, others, may ? EW_UNKNOWN : EW_YES);
	if (others && !key_may_break(key))
		return EW_NO;
	return may ? EW_UNKNOWN : EW_YES;
}

static enum ew_tri lookup_state(const struct sight *sight, void *ctx)
{
	const struct lookup *lookup = ctx;
	struct key key = key_of(sight, json_object_get(lookup->vmap, "key"));
	const json_t *elements;
	bool known;

	if (key_has(&key, VALUE_BREAK))
		return EW_YES;
	elements =
		set_elements(sight, lookup->table, json_object_get(lookup->vmap, "data"), &known);
	if (!known || (elements && !json_is_array(elements))) {
		lookup_tell(lookup, NULL, EW_UNKNOWN);
		return EW_UNKNOWN;
	}
	return lookup_elements(sight, lookup, &key, elements);
}

enum ew_tri match_vmap(const struct sight *sight, const struct ruleset_name *table,
		       const json_t *vmap,
		       void (*each)(const json_t *verdict, enum ew_tri meant, void *ctx), void *ctx)
{
	struct lookup lookup = { .table = table,
				 .vmap = vmap,
				 .certain = !(sight->ct & (sight->ct - 1)),
				 .each = each,
				 .ctx = ctx };

	return states_each(sight, lookup_state, &lookup);
}
