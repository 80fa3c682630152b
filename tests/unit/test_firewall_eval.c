/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The evaluation alone: what it names, what it does not claim to know, and its bounds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/addr.h"
#include "base/error.h"
#include "firewall/cure.h"
#include "firewall/eval.h"
#include "firewall/ruleset.h"

#define LIST(objects) "{\"nftables\":[{\"metainfo\":{\"json_schema_version\":1}}" objects "]}"
#define BASE(family, table, name, hook, prio, policy)                                              \
	",{\"chain\":{\"family\":\"" family "\",\"table\":\"" table "\",\"name\":\"" name          \
	"\",\"handle\":1,\"type\":\"filter\",\"hook\":\"" hook "\",\"prio\":" #prio                \
	",\"policy\":\"" policy "\"}}"
#define CHAIN(name) ",{\"chain\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"" name "\"}}"
#define RULE_OF(family, table, chain, handle, expr)                                                \
	",{\"rule\":{\"family\":\"" family "\",\"table\":\"" table "\",\"chain\":\"" chain         \
	"\",\"handle\":" #handle ",\"expr\":[" expr "]}}"
#define RULE(chain, handle, expr) RULE_OF("inet", "fw", chain, handle, expr)
#define IN(policy)		  BASE("inet", "fw", "in", "input", 0, policy)
#define MATCH(left, op, right)                                                                     \
	"{\"match\":{\"left\":" left ",\"op\":\"" op "\",\"right\":" right "}}"
#define CT	    "{\"ct\":{\"key\":\"state\"}}"
#define IIF	    "{\"meta\":{\"key\":\"iifname\"}}"
#define SPORT	    "{\"payload\":{\"protocol\":\"tcp\",\"field\":\"sport\"}}"
#define INVALID	    MATCH(CT, "in", "\"invalid\"")
#define LO	    MATCH(IIF, "==", "\"lo\"")
#define MARK	    MATCH("{\"meta\":{\"key\":\"mark\"}}", "==", "1")
#define ACCEPT	    "{\"accept\":null}"
#define DROP	    "{\"drop\":null}"
#define NOTRACK	    "{\"notrack\":null}"
#define JUMP(chain) "{\"jump\":{\"target\":\"" chain "\"}}"

static struct ruleset *parsed(const char *json)
{
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	if (ruleset_parse(json, strlen(json), &rules, &error) < 0)
		fail_msg("%s", error.message);
	return rules;
}

static struct firewall_packet fin(unsigned int ct)
{
	struct ew_addr from, to;

	assert_int_equal(addr_parse("127.0.0.1:5051", &from), 0);
	assert_int_equal(addr_parse("127.0.0.1:40000", &to), 0);
	return firewall_fin(&from, &to, ct);
}

static struct firewall_result judged(const char *json)
{
	struct ruleset *rules = parsed(json);
	struct firewall_packet packet = fin(FIREWALL_CT_INVALID);
	struct firewall_result result;

	firewall_evaluate(rules, &packet, &result);
	ruleset_free(rules);
	return result;
}

static void check_by(const struct firewall_rule *by, const char *names, int handle,
		     const char *text)
{
	char got[1024];

	snprintf(got, sizeof(got), "%s %s %s from %s at %s", by->family, by->table, by->chain,
		 by->base, by->hook);
	assert_string_equal(got, names);
	assert_int_equal(by->handle, handle);
	assert_string_equal(by->text, text);
}

static void the_rule_that_drops_is_named(void **state)
{
	struct firewall_result result = judged(LIST(
		IN("accept") CHAIN("strict") RULE("in", 7, JUMP("strict")) RULE("strict", 8, LO)
			RULE("strict", 9,
			     INVALID ","
				     "{\"counter\":{\"packets\":1,\"bytes\":2}}," DROP)));

	(void)state;
	assert_int_equal(result.decision, FIREWALL_DROPPED);
	check_by(&result.by, "inet fw strict from in at input", 9, "ct state invalid drop");
}

static void a_policy_is_named_by_its_chain(void **state)
{
	struct firewall_result result = judged(LIST(IN("drop")));

	(void)state;
	assert_int_equal(result.decision, FIREWALL_DROPPED);
	check_by(&result.by, "inet fw in from in at input", 0, "policy drop");
}

static void the_rule_that_accepts_is_named(void **state)
{
	struct firewall_result result = judged(LIST(IN("drop") RULE("in", 4, LO "," ACCEPT) BASE(
		"ip", "late", "in2", "input", 10, "accept")));

	(void)state;
	assert_int_equal(result.decision, FIREWALL_ACCEPTED);
	check_by(&result.by, "inet fw in from in at input", 4, "iifname \"lo\" accept");
	assert_int_equal(result.untracked, EW_NO);
}

static void a_rule_that_may_drop_is_named(void **state)
{
	struct firewall_result result = judged(
		LIST(IN("accept") RULE("in", 4, MARK "," DROP) RULE("in", 5, LO "," ACCEPT)));

	(void)state;
	assert_int_equal(result.decision, FIREWALL_MAYBE);
	check_by(&result.by, "inet fw in from in at input", 4, "meta mark 1 drop");
}

static void an_untracked_packet_is_known_and_by_which_rule(void **state)
{
	struct firewall_result result = judged(
		LIST(BASE("ip", "raw", "out", "output", -300,
			  "accept") RULE_OF("ip", "raw", "out", 3, NOTRACK) IN("drop")
			     RULE("in", 4,
				  MATCH(CT, "in", "[\"established\",\"untracked\"]") "," ACCEPT)));

	(void)state;
	assert_int_equal(result.decision, FIREWALL_ACCEPTED);
	assert_int_equal(result.untracked, EW_YES);
	check_by(&result.notrack, "ip raw out from out at output", 3, "notrack");
	check_by(&result.by, "inet fw in from in at input", 4,
		 "ct state established,untracked accept");
}

static void what_is_not_understood_is_never_definite(void **state)
{
	static const char *const statements[] = {
		"{\"mystery\":null}",
		"{\"queue\":{\"num\":0}}",
		"{\"tproxy\":{\"port\":1}}",
		"{\"xt\":null}",
		"{\"xt\":{\"type\":\"target\",\"name\":\"SYNPROXY\"}}",
		"null",
		"{}",
		"{\"jump\":{\"target\":\"nowhere\"}}",
		"{\"vmap\":{\"key\":" SPORT ",\"data\":\"@nothing\"}}",
		MATCH("{\"mystery\":1}", "==", "1") "," DROP,
		MATCH("{\"mystery\":1}", "!=", "{\"set\":[]}") "," DROP,
		MATCH(SPORT, "~", "1") "," DROP,
		MATCH(SPORT, "==", "\"mesos\"") "," DROP,
		MATCH(SPORT, "==", "\"@nothing\"") "," DROP,
		MATCH("{\"concat\":[]}", "==", "1") "," DROP,
		"{\"xt\":{\"type\":\"match\",\"name\":\"conntrack\"}}," DROP,
		"{\"limit\":{\"rate\":1,\"per\":\"second\"}}," DROP,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++) {
		struct firewall_result result;
		char json[2048];

		snprintf(json, sizeof(json), LIST(IN("accept") RULE("in", 4, "%s")), statements[i]);
		result = judged(json);
		if (result.decision != FIREWALL_MAYBE)
			fail_msg("definite: %s", statements[i]);
		assert_int_equal(result.by.handle, 4);
	}
}

static void rules_that_were_not_read_leave_it_open(void **state)
{
	struct ruleset *rules = ruleset_empty();
	struct firewall_packet packet = fin(FIREWALL_CT_INVALID);
	struct firewall_result result;

	(void)state;
	firewall_evaluate(rules, &packet, &result);
	assert_int_equal(result.decision, FIREWALL_ACCEPTED);
	ruleset_set_unread(rules, RULESET_UNREAD_LEGACY6);
	firewall_evaluate(rules, &packet, &result);
	assert_int_equal(result.decision, FIREWALL_ACCEPTED);
	ruleset_set_unread(rules, RULESET_UNREAD_LEGACY4);
	firewall_evaluate(rules, &packet, &result);
	assert_int_equal(result.decision, FIREWALL_MAYBE);
	assert_string_equal(result.by.family, "");
	assert_int_equal(result.untracked, EW_UNKNOWN);
	ruleset_free(rules);
}

static void a_packet_of_which_nothing_is_known_is_not_judged(void **state)
{
	struct ruleset *rules = parsed(LIST(IN("drop") RULE("in", 4, LO "," ACCEPT)));
	struct firewall_packet nothing = { 0 };
	struct firewall_result result;

	(void)state;
	firewall_evaluate(rules, &nothing, &result);
	assert_int_equal(result.decision, FIREWALL_MAYBE);
	ruleset_free(rules);
}

static void text_that_is_no_ruleset_is_refused(void **state)
{
	struct ruleset *rules = NULL;
	struct error error = { 0 };

	(void)state;
	assert_int_equal(ruleset_parse("{\"nftables\":[", 13, &rules, &error), -EBADMSG);
	assert_non_null(strstr(error.message, "parse the nftables ruleset: line 1: "));
	assert_int_equal(ruleset_parse("{}", 2, &rules, &error), -EBADMSG);
	assert_string_equal(error.message, "parse the nftables ruleset: no array 'nftables'");
	assert_null(rules);
}

/* 8 jumps in each of 15 chains, one below the other: 8^15 ways. */
static void the_work_is_bounded(void **state)
{
	char json[64 * 1024];
	size_t used = (size_t)snprintf(json, sizeof(json), "{\"nftables\":[{}" IN("accept"));

	(void)state;
	for (int i = 0; i < 15; i++) {
		used += (size_t)snprintf(json + used, sizeof(json) - used, CHAIN("c%d"), i);
		for (int jump = 0; jump < 8; jump++)
			used += (size_t)snprintf(json + used, sizeof(json) - used,
						 RULE("c%d", 1, MARK "," JUMP("c%d")), i, i + 1);
	}
	snprintf(json + used, sizeof(json) - used, CHAIN("c15") RULE("in", 2, JUMP("c0")) "]}");
	assert_int_equal(judged(json).decision, FIREWALL_MAYBE);
}

static void a_long_rule_is_cut(void **state)
{
	char name[400];
	char json[2048];
	struct firewall_result result;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(json, sizeof(json),
		 LIST(IN("accept")
			      RULE("in", 4, "{\"log\":null}," MATCH(IIF, "!=", "\"%s\"") "," DROP)),
		 name);
	result = judged(json);
	assert_int_equal(result.decision, FIREWALL_DROPPED);
	assert_int_equal(strlen(result.by.text), FIREWALL_TEXT_MAX - 1);
	assert_string_equal(result.by.text + FIREWALL_TEXT_MAX - 1 - strlen("a…"), "a…");
}

struct decision_case {
	const char *json;
	unsigned int ct;
	enum firewall_decision decision;
};

#define OUT(prio) BASE("inet", "fw", "out", "output", prio, "accept")
#define SET(flags, elements)                                                                       \
	",{\"set\":{\"family\":\"inet\",\"table\":\"fw\",\"name\":\"s\"" flags                     \
	",\"elem\":" elements "}}"
#define IN_SET	     MATCH(SPORT, "==", "\"@s\"")
#define ADD_TO_SET   "{\"set\":{\"op\":\"add\",\"elem\":" SPORT ",\"set\":\"@s\"}}"
#define STATE(name)  MATCH(CT, "in", "\"" name "\"")
#define DIRECTION    MATCH("{\"ct\":{\"key\":\"direction\"}}", "!=", "\"original\"")
#define OTHER_DEV    MATCH(IIF, "!=", "\"lo\"")
#define FLAGS(right) MATCH("{\"payload\":{\"protocol\":\"tcp\",\"field\":\"flags\"}}", "==", right)
#define IPV6_DADDR   "{\"payload\":{\"protocol\":\"ip6\",\"field\":\"daddr\"}}"

static const struct decision_case decisions[] = {
	/* A packet without a connection has no direction: the kernel ends the rule. */
	{ LIST(IN("accept") RULE("in", 1, DIRECTION "," DROP)), FIREWALL_CT_INVALID,
	  FIREWALL_ACCEPTED },
	{ LIST(IN("accept") RULE("in", 1, DIRECTION "," DROP)), FIREWALL_CT_ESTABLISHED,
	  FIREWALL_MAYBE },
	/* A field of the other family ends the rule as well. */
	{ LIST(IN("accept") RULE("in", 1, MATCH(IPV6_DADDR, "!=", "\"::1\"") "," DROP)),
	  FIREWALL_CT_INVALID, FIREWALL_ACCEPTED },
	/* Kernels differ where a hook has no such device. */
	{ LIST(OUT(0) RULE("out", 1, OTHER_DEV "," DROP)), FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	{ LIST(OUT(0) RULE("out", 1, LO "," DROP)), FIREWALL_CT_INVALID, FIREWALL_ACCEPTED },
	/* Before, at and after the look-up of conntrack. */
	{ LIST(OUT(-300) RULE("out", 1, STATE("invalid") "," DROP)), FIREWALL_CT_ESTABLISHED,
	  FIREWALL_DROPPED },
	{ LIST(OUT(-200) RULE("out", 1, STATE("invalid") "," DROP)), FIREWALL_CT_ESTABLISHED,
	  FIREWALL_MAYBE },
	{ LIST(OUT(-199) RULE("out", 1, STATE("invalid") "," DROP)), FIREWALL_CT_ESTABLISHED,
	  FIREWALL_ACCEPTED },
	/* Data may carry the FIN: PSH is unknown. */
	{ LIST(IN("drop") RULE("in", 1, FLAGS("17") "," ACCEPT)), FIREWALL_CT_INVALID,
	  FIREWALL_MAYBE },
	{ LIST(IN("drop") RULE("in", 1, FLAGS("16") "," ACCEPT)), FIREWALL_CT_INVALID,
	  FIREWALL_DROPPED },
	/* Sets: as listed, unless time or packets change them. */
	{ LIST(SET("", "[5051]") IN("drop") RULE("in", 1, IN_SET "," ACCEPT)), FIREWALL_CT_INVALID,
	  FIREWALL_ACCEPTED },
	{ LIST(SET("", "[{\"elem\":{\"val\":5051,\"limit\":{\"rate\":1}}}]") IN("drop")
		       RULE("in", 1, IN_SET "," ACCEPT)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	{ LIST(SET(",\"flags\":[\"timeout\"]", "[5051]") IN("drop")
		       RULE("in", 1, IN_SET "," ACCEPT)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	{ LIST(SET("", "[]") IN("drop") RULE("in", 1, ADD_TO_SET) RULE("in", 2, IN_SET "," ACCEPT)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	/* The flag of a table may mean that the kernel does not run its chains. */
	{ LIST(",{\"table\":{\"family\":\"inet\",\"name\":\"fw\",\"flags\":\"fw\"}}" IN("drop")),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	/* nft 1.0.6 does not print the device of such a chain. */
	{ LIST(BASE("netdev", "d", "i", "ingress", 0, "drop")), FIREWALL_CT_INVALID,
	  FIREWALL_MAYBE },
	{ LIST(BASE("inet", "fw", "f", "forward", 0, "drop")), FIREWALL_CT_INVALID,
	  FIREWALL_ACCEPTED },
	{ LIST(BASE("ip6", "fw", "in", "input", 0, "drop")), FIREWALL_CT_INVALID,
	  FIREWALL_ACCEPTED },
	/* Which of two chains of one priority comes first is not known. */
	{ LIST(OUT(0) RULE("out", 1, NOTRACK) BASE("ip", "b", "out", "output", 0, "accept")
		       RULE_OF("ip", "b", "out", 2, STATE("untracked") "," DROP)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	{ LIST(OUT(0) RULE("out", 1, NOTRACK) BASE("ip", "b", "out", "output", 1, "accept")
		       RULE_OF("ip", "b", "out", 2, STATE("untracked") "," DROP)),
	  FIREWALL_CT_INVALID, FIREWALL_DROPPED },
	{ LIST(OUT(0) RULE("out", 1, STATE("untracked") "," DROP) BASE(
		  "ip", "b", "out", "output", 0, "accept") RULE_OF("ip", "b", "out", 2, NOTRACK)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	/* A rule that may not be reached may leave the packet tracked. */
	{ LIST(OUT(0) RULE("out", 1, MARK "," NOTRACK) IN("drop")
		       RULE("in", 2, STATE("untracked") "," ACCEPT)),
	  FIREWALL_CT_INVALID, FIREWALL_MAYBE },
	/* A drop is final, whatever comes later. */
	{ LIST(BASE("inet", "fw", "early", "input", -1, "drop") IN("accept")), FIREWALL_CT_INVALID,
	  FIREWALL_DROPPED },
};

static void each_rule_of_the_kernel_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(*decisions); i++) {
		struct ruleset *rules = parsed(decisions[i].json);
		struct firewall_packet packet = fin(decisions[i].ct);
		struct firewall_result result;

		firewall_evaluate(rules, &packet, &result);
		if (result.decision != decisions[i].decision)
			fail_msg("%s: %s", firewall_decision_name(result.decision),
				 decisions[i].json);
		ruleset_free(rules);
	}
}

struct cure_case {
	const char *json;
	const char *cure;
};

#define COUNTER "{\"counter\":{\"packets\":0,\"bytes\":0}}"

static const struct cure_case cures[] = {
	{ LIST(IN("drop")), "nft insert rule inet fw in iifname lo accept" },
	{ LIST(IN("accept") CHAIN("strict") RULE("in", 1, JUMP("strict"))
		       RULE("strict", 2, INVALID "," DROP)),
	  "nft insert rule inet fw in iifname lo accept" },
	{ LIST(IN("accept") RULE("in", 1, MARK "," DROP)),
	  "nft insert rule inet fw in iifname lo accept" },
	{ LIST(BASE("ip", "a'b c", "$x", "output", 0, "drop")),
	  "nft insert rule ip 'a'\\''b c' '$x' oifname lo accept" },
	{ LIST(BASE("ip", "t", "post", "postrouting", 0, "drop") IN("drop")),
	  "nft insert rule ip t post oifname lo accept && nft insert rule inet fw in iifname lo "
	  "accept" },
	{ LIST(BASE("ip", "filter", "INPUT", "input", 0, "drop")
		       RULE_OF("ip", "filter", "INPUT", 1, INVALID "," COUNTER "," DROP)),
	  "iptables -w -I INPUT -i lo -j ACCEPT" },
	{ LIST(BASE("ip", "mangle", "OUTPUT", "output", -150, "drop")),
	  "iptables -w -t mangle -I OUTPUT -o lo -j ACCEPT" },
	/* The rule has no counter: not written by iptables. */
	{ LIST(BASE("ip", "filter", "INPUT", "input", 0, "drop")
		       RULE_OF("ip", "filter", "INPUT", 1, INVALID "," DROP)),
	  "nft insert rule ip filter INPUT iifname lo accept" },
	{ LIST(IN("drop") RULE("in", 4, LO "," ACCEPT)), "" },
	{ LIST(",{\"table\":{\"family\":\"inet\",\"name\":\"fw\",\"flags\":\"owner\"}}" IN("drop")),
	  "" },
};

static void the_cure_is_a_command_line_for_these_rules(void **state)
{
	struct firewall_packet packet = fin(FIREWALL_CT_INVALID);

	(void)state;
	for (size_t i = 0; i < sizeof(cures) / sizeof(*cures); i++) {
		struct ruleset *rules = parsed(cures[i].json);
		char cure[FIREWALL_CURE_MAX];

		firewall_cure(rules, &packet, cure, sizeof(cure));
		assert_string_equal(cure, cures[i].cure);
		ruleset_free(rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rule_that_drops_is_named),
		cmocka_unit_test(a_policy_is_named_by_its_chain),
		cmocka_unit_test(the_rule_that_accepts_is_named),
		cmocka_unit_test(a_rule_that_may_drop_is_named),
		cmocka_unit_test(an_untracked_packet_is_known_and_by_which_rule),
		cmocka_unit_test(what_is_not_understood_is_never_definite),
		cmocka_unit_test(rules_that_were_not_read_leave_it_open),
		cmocka_unit_test(a_packet_of_which_nothing_is_known_is_not_judged),
		cmocka_unit_test(text_that_is_no_ruleset_is_refused),
		cmocka_unit_test(the_work_is_bounded),
		cmocka_unit_test(a_long_rule_is_cut),
		cmocka_unit_test(each_rule_of_the_kernel_decides),
		cmocka_unit_test(the_cure_is_a_command_line_for_these_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
