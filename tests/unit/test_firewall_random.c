/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Random rulesets: whoever knows less, or understands less of the rules, never answers otherwise;
 * the answer stays or becomes MAYBE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/addr.h"
#include "base/error.h"
#include "firewall/cure.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"

#define RULESETS 4000
#define CHAINS	 4 /* that are no base chains */

#define MATCH(left, op, right)                                                                     \
	"{\"match\":{\"left\":" left ",\"op\":\"" op "\",\"right\":" right "}}"
#define META(key) "{\"meta\":{\"key\":\"" key "\"}}"
#define CT(key)	  "{\"ct\":{\"key\":\"" key "\"}}"
#define FIELD(protocol, field)                                                                     \
	"{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}}"
#define FLAGS "{\"&\":[" FIELD("tcp", "flags") ",[\"fin\",\"syn\",\"rst\",\"ack\"]]}"

static const char *const conditions[] = {
	MATCH(CT("state"), "in", "\"invalid\""),
	MATCH(CT("state"), "in", "[\"established\",\"related\"]"),
	MATCH(CT("state"), "!", "\"invalid\""),
	MATCH(CT("state"), "!=", "{\"set\":[\"established\",\"untracked\"]}"),
	MATCH(CT("state"), "==", "\"untracked\""),
	MATCH(CT("direction"), "!=", "\"reply\""),
	MATCH(META("iifname"), "==", "\"lo\""),
	MATCH(META("iifname"), "!=", "\"lo\""),
	MATCH(META("oif"), "==", "{\"set\":[\"eth0\",\"lo\"]}"),
	MATCH(META("nfproto"), "==", "\"ipv4\""),
	MATCH(META("l4proto"), "!=", "\"udp\""),
	MATCH(META("mark"), "==", "1"),
	MATCH(FIELD("ip", "saddr"), "==", "{\"prefix\":{\"addr\":\"127.0.0.0\",\"len\":8}}"),
	MATCH(FIELD("ip", "daddr"), "!=", "\"127.0.0.1\""),
	MATCH(FIELD("ip6", "saddr"), "!=", "\"::1\""),
	MATCH(FIELD("tcp", "sport"), "==", "5051"),
	MATCH(FIELD("tcp", "sport"), "==", "\"@ports\""),
	MATCH(FIELD("tcp", "dport"), "!=", "\"@ports\""),
	MATCH(FIELD("tcp", "dport"), ">=", "1024"),
	MATCH(FIELD("udp", "dport"), "!=", "1"),
	MATCH(FIELD("tcp", "flags"), "==", "\"fin\""),
	MATCH(FIELD("tcp", "flags"), "in", "[\"psh\",\"syn\"]"),
	MATCH(FLAGS, "==", "[\"fin\",\"ack\"]"),
	MATCH(FLAGS, "!=", "\"syn\""),
	MATCH("{\"concat\":[" META("iifname") "," FIELD("tcp", "sport") "]}",
	      "==", "{\"set\":[{\"concat\":[\"lo\",{\"range\":[5000,6000]}]}]}"),
	"{\"limit\":{\"rate\":1,\"per\":\"second\"}}",
};

static const char *const actions[] = {
	"{\"accept\":null}",
	"{\"accept\":null}",
	"{\"drop\":null}",
	"{\"drop\":null}",
	"{\"reject\":null}",
	"{\"return\":null}",
	"{\"continue\":null}",
	"{\"counter\":null}",
	"{\"notrack\":null}",
	"{\"notrack\":null}",
	"{\"mangle\":{\"key\":" META("mark") ",\"value\":1}}",
	"{\"mangle\":{\"key\":" META("mark") ",\"value\":" CT("mark") "}}",
	"{\"mangle\":{\"key\":" CT("zone") ",\"value\":1}}",
	"{\"vmap\":{\"key\":" FIELD("tcp", "sport") ",\"data\":\"@verdicts\"}}",
	"{\"vmap\":{\"key\":" CT("state") ",\"data\":{\"set\":[[\"invalid\",{\"drop\":null}],"
					  "[\"established\",{\"accept\":null}],[\"*\",{\"jump\":{"
					  "\"target\":\"c2\"}}]]}}}",
	"{\"vmap\":{\"key\":" META(
		"iifname") ",\"data\":{\"set\":[[\"lo\",{\"goto\":{\"target\":\"c3\"}}]]}}}",
};

static const char sets[] = "{\"set\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"ports\","
			   "\"elem\":[22,{\"range\":[5000,5100]}]}},"
			   "{\"map\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"verdicts\","
			   "\"elem\":[[5051,{\"jump\":{\"target\":\"c1\"}}],"
			   "[40000,{\"accept\":null}],[\"*\",{\"continue\":null}]]}},";

static const char *const hooks[] = { "output", "prerouting", "input", "input", "postrouting" };
static const int prios[] = { -300, -200, -150, 0, 0, 10 };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static uint64_t seed;

static size_t below(size_t n)
{
	seed ^= seed << 13; /* xorshift64 */
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)(seed % n);
}

static json_t *parsed(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	assert_non_null(value);
	return value;
}

static void rules_add(json_t *list, const char *chain, size_t depth)
{
	for (size_t n = below(4) + 1; n > 0; n--) {
		json_t *expr = json_array();

		for (size_t i = below(3); i > 0; i--)
			json_array_append_new(expr, parsed(conditions[below(COUNT(conditions))]));
		if (depth + 1 < CHAINS && below(3) == 0)
			json_array_append_new(expr,
					      json_pack("{s:{s:o}}", below(2) ? "jump" : "goto",
							"target", json_sprintf("c%zu", depth + 1)));
		else
			json_array_append_new(
				expr, parsed(actions[below(COUNT(actions) - 3 * (depth > 0))]));
		json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s,s:i,s:o}}", "rule", "family",
						      "inet", "table", "fw", "chain", chain,
						      "handle", 1, "expr", expr));
	}
}

static json_t *ruleset_random(void)
{
	json_t *root = json_object();
	json_t *list;
	char text[4096], chain[32];

	snprintf(text, sizeof(text), "[%s{}]", sets);
	list = parsed(text);
	json_object_set_new(root, "nftables", list);
	for (size_t i = 0; i < CHAINS; i++) {
		snprintf(chain, sizeof(chain), "c%zu", i);
		json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s}}", "chain", "family",
						      "inet", "table", "fw", "name", chain));
		rules_add(list, chain, i);
	}
	for (size_t i = below(3) + 1; i > 0; i--) {
		snprintf(chain, sizeof(chain), "base%zu", i);
		json_array_append_new(list, json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:i,s:s}}", "chain",
						      "family", "inet", "table", "fw", "name",
						      chain, "type", below(4) ? "filter" : "route",
						      "hook", hooks[below(COUNT(hooks))], "prio",
						      prios[below(COUNT(prios))], "policy",
						      below(3) ? "accept" : "drop"));
		rules_add(list, chain, 0);
	}
	return root;
}

static struct firewall_result judged(const json_t *root, const struct firewall_packet *packet)
{
	char *text = json_dumps(root, JSON_COMPACT);
	struct ruleset *rules = NULL;
	struct firewall_result result;

	assert_int_equal(ruleset_parse(text, strlen(text), &rules, NULL), 0);
	firewall_evaluate(rules, packet, &result);
	ruleset_free(rules);
	free(text);
	return result;
}

static struct firewall_packet packet_random(void)
{
	static const unsigned int cts[] = { FIREWALL_CT_INVALID, FIREWALL_CT_INVALID,
					    FIREWALL_CT_ESTABLISHED, FIREWALL_CT_ANY };
	struct ew_addr from, to;
	bool v6 = below(4) == 0;
	struct firewall_packet packet;

	addr_parse(v6 ? "[::1]:5051" : "127.0.0.1:5051", &from);
	addr_parse(v6 ? "[::1]:40000" : "127.0.0.1:40000", &to);
	packet = firewall_fin(&from, &to, cts[below(COUNT(cts))]);
	if (below(2))
		packet.tcp_flags_known = 0xff;
	return packet;
}

static struct firewall_packet known_less(const struct firewall_packet *packet)
{
	struct firewall_packet less = *packet;

	less.known &= (unsigned int)below(FIREWALL_KNOWS_ALL + 1);
	less.tcp_flags_known &= (uint8_t)below(256);
	less.ct = below(3) ? packet->ct | 1u << below(4) : 0;
	if (below(4) == 0)
		less.family = FIREWALL_FAMILY_UNKNOWN;
	return less;
}

static void check_agrees(const json_t *root, const struct firewall_result *more,
			 const struct firewall_result *less)
{
	char *text;

	if ((less->decision == FIREWALL_MAYBE || less->decision == more->decision) &&
	    (less->untracked == EW_UNKNOWN || more->decision == FIREWALL_DROPPED ||
	     less->untracked == more->untracked))
		return;
	text = json_dumps(root, JSON_COMPACT);
	fail_msg("%s, untracked %d; knowing less %s, untracked %d: %s",
		 firewall_decision_name(more->decision), (int)more->untracked,
		 firewall_decision_name(less->decision), (int)less->untracked, text);
}

/* Replaces a statement of a rule by one that is not understood. */
static void understand_less(json_t *root)
{
	json_t *list = json_object_get(root, "nftables");

	for (;;) {
		json_t *item = json_array_get(list, below(json_array_size(list)));
		json_t *expr = json_object_get(json_object_get(item, "rule"), "expr");

		if (!json_array_size(expr))
			continue;
		json_array_set_new(expr, below(json_array_size(expr)),
				   parsed("{\"mystery\":null}"));
		return;
	}
}

static void knowing_less_never_changes_a_definite_answer(void **state)
{
	size_t definite = 0, kept = 0;

	(void)state;
	seed = 20261130;
	for (size_t i = 0; i < RULESETS; i++) {
		json_t *root = ruleset_random();
		struct firewall_packet packet = packet_random(), less = known_less(&packet);
		struct firewall_result more = judged(root, &packet), fewer = judged(root, &less);

		definite += more.decision != FIREWALL_MAYBE;
		kept += fewer.decision != FIREWALL_MAYBE;
		check_agrees(root, &more, &fewer);
		understand_less(root);
		fewer = judged(root, &packet);
		check_agrees(root, &more, &fewer);
		json_decref(root);
	}
	print_message("%d rulesets: %zu definite, %zu still so knowing less\n", RULESETS, definite,
		      kept);
	assert_true(definite > RULESETS / 2);
	assert_true(kept > RULESETS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knowing_less_never_changes_a_definite_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
