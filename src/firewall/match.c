/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "firewall/match.h"

#include <netinet/in.h> /* before linux/netfilter.h, which has another in.h */
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <string.h>

#include "firewall/eval.h"
#include "firewall/ruleset_private.h"
#include "firewall/value.h"

#define CONCAT_MAX 16 /* NFT_REG32_COUNT, linux/netfilter/nf_tables.h */

/* One or more values joined by ".". n is 0 when not understood. */
struct key {
	struct value values[CONCAT_MAX];
	size_t n;
};

bool sight_step(const struct sight *sight)
{
	if (*sight->steps == 0)
		return false;
	--*sight->steps;
	return true;
}

static struct value unknown(void)
{
	return (struct value){ .kind = VALUE_UNKNOWN };
}

static struct value breaks(void)
{
	return (struct value){ .kind = VALUE_BREAK };
}

static struct value number(enum value_type type, size_t len, uint32_t bits)
{
	return value_number(type, len, bits, UINT32_MAX);
}

static struct value dev_value(const struct sight *sight, enum sight_dev dev)
{
	if (dev == SIGHT_DEV_NONE)
		return (struct value){ .kind = VALUE_NO_DEV };
	if (dev == SIGHT_DEV_UNKNOWN || !(sight->packet->known & FIREWALL_KNOWS_LOOPBACK))
		return unknown();
	return (struct value){ .kind = VALUE_DEV, .dev = "lo" };
}

static struct value dev_type(const struct sight *sight, enum sight_dev dev)
{
	struct value name = dev_value(sight, dev);

	return name.kind == VALUE_DEV ? number(VALUE_DEVTYPE, 2, ARPHRD_LOOPBACK) : unknown();
}

static struct value family_value(const struct sight *sight, enum value_type type, size_t len,
				 uint32_t v4, uint32_t v6)
{
	switch (sight->packet->family) {
	case FIREWALL_IPV4:
		return number(type, len, v4);
	case FIREWALL_IPV6:
		return number(type, len, v6);
	default:
		return unknown();
	}
}

static struct value meta_value(const struct sight *sight, const json_t *meta)
{
	const char *key = ruleset_string(meta, "key");

	if (strcmp(key, "iif") == 0 || strcmp(key, "iifname") == 0)
		return dev_value(sight, sight->iif);
	if (strcmp(key, "oif") == 0 || strcmp(key, "oifname") == 0)
		return dev_value(sight, sight->oif);
	if (strcmp(key, "iiftype") == 0)
		return dev_type(sight, sight->iif);
	if (strcmp(key, "oiftype") == 0)
		return dev_type(sight, sight->oif);
	if (strcmp(key, "l4proto") == 0 && !sight->rewritten)
		return number(VALUE_L4PROTO, 1, IPPROTO_TCP);
	if (strcmp(key, "nfproto") == 0)
		return family_value(sight, VALUE_NFPROTO, 1, NFPROTO_IPV4, NFPROTO_IPV6);
	if (strcmp(key, "protocol") == 0)
		return family_value(sight, VALUE_ETHERTYPE, 2, ETH_P_IP, ETH_P_IPV6);
	return unknown(); /* mark, skuid, pkttype, time, … */
}

/* nft_ct_get_eval(): every key but the state ends the rule for a packet without a connection. */
static struct value ct_value(const struct sight *sight, const json_t *ct)
{
	const char *key = ruleset_string(ct, "key");
	unsigned int state = sight->ct;

	if (strcmp(key, "state") != 0)
		return state & ~(unsigned int)(FIREWALL_CT_INVALID | FIREWALL_CT_UNTRACKED)
			       ? unknown()
			       : breaks();
	if (state & (state - 1))
		return unknown(); /* states_each() asks for one state at a time */
	return number(VALUE_CT_STATE, 4, state);
}

static struct value addr_value(const struct sight *sight, const struct ew_addr *addr,
			       unsigned int known)
{
	bool v4 = sight->packet->family == FIREWALL_IPV4;
	struct value value = { .kind = VALUE_BITS,
			       .type = v4 ? VALUE_ADDR4 : VALUE_ADDR6,
			       .len = v4 ? 4 : 16 };

	if (!(sight->packet->known & known))
		return unknown();
	memcpy(value.bits, addr->ip + 16 - value.len, value.len);
	memset(value.known, 0xff, value.len);
	return value;
}

static struct value ip_value(const struct sight *sight, const char *field, bool v4)
{
	const struct firewall_packet *packet = sight->packet;

	if (packet->family == FIREWALL_FAMILY_UNKNOWN)
		return unknown();
	if (v4 != (packet->family == FIREWALL_IPV4))
		return breaks(); /* nft itself puts a test of the family before the field */
	if (strcmp(field, "saddr") == 0)
		return addr_value(sight, &packet->from, FIREWALL_KNOWS_SADDR);
	if (strcmp(field, "daddr") == 0)
		return addr_value(sight, &packet->to, FIREWALL_KNOWS_DADDR);
	if (strcmp(field, "version") == 0)
		return number(VALUE_NUMBER, 1, v4 ? 4 : 6);
	if (v4 && strcmp(field, "protocol") == 0)
		return number(VALUE_L4PROTO, 1, IPPROTO_TCP);
	return unknown(); /* an IPv6 extension header may come before TCP */
}

static struct value tcp_value(const struct sight *sight, const char *field)
{
	const struct firewall_packet *packet = sight->packet;

	if (strcmp(field, "sport") == 0)
		return packet->known & FIREWALL_KNOWS_SPORT
			       ? number(VALUE_NUMBER, 2, packet->from.port)
			       : unknown();
	if (strcmp(field, "dport") == 0)
		return packet->known & FIREWALL_KNOWS_DPORT
			       ? number(VALUE_NUMBER, 2, packet->to.port)
			       : unknown();
	if (strcmp(field, "flags") == 0)
		return value_number(VALUE_TCP_FLAGS, 1, packet->tcp_flags, packet->tcp_flags_known);
	return unknown();
}

static struct value payload_value(const struct sight *sight, const json_t *payload)
{
	static const char *const others[] = { "udp",  "udplite", "icmp", "icmpv6",
					      "igmp", "sctp",	 "dccp" };
	const char *protocol = ruleset_string(payload, "protocol");
	const char *field = ruleset_string(payload, "field");

	if (sight->rewritten)
		return unknown();
	if (strcmp(protocol, "ip") == 0)
		return ip_value(sight, field, true);
	if (strcmp(protocol, "ip6") == 0)
		return ip_value(sight, field, false);
	if (strcmp(protocol, "tcp") == 0)
		return tcp_value(sight, field);
	if (strcmp(protocol, "th") == 0 && strcmp(field, "flags") != 0)
		return tcp_value(sight, field);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcmp(protocol, others[i]) == 0)
			return breaks(); /* nft puts a test of the protocol before the field */
	return unknown();
}

static struct value value_of(const struct sight *sight, const json_t *expr)
{
	const json_t *body;

	if (!sight_step(sight) || json_object_size(expr) != 1)
		return unknown();
	if ((body = json_object_get(expr, "meta")))
		return meta_value(sight, body);
	if ((body = json_object_get(expr, "ct")))
		return ct_value(sight, body);
	if ((body = json_object_get(expr, "payload")))
		return payload_value(sight, body);
	if ((body = json_object_get(expr, "&")) && json_array_size(body) == 2) {
		struct value value = value_of(sight, json_array_get(body, 0));

		return value_and(&value, json_array_get(body, 1));
	}
	return unknown();
}

static struct key key_of(const struct sight *sight, const json_t *expr)
{
	const json_t *parts = json_object_get(expr, "concat");
	struct key key = { .n = 1 };

	if (!parts) {
		key.values[0] = value_of(sight, expr);
		return key;
	}
	key.n = json_array_size(parts);
	if (key.n > CONCAT_MAX)
		key.n = 0;
	for (size_t i = 0; i < key.n; i++)
		key.values[i] = value_of(sight, json_array_get(parts, i));
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
