/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The rules by themselves: evidence in, verdict out; each row of the table of verdicts, in its
 * order. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/judge/verdict.h"

#define HORIZON 900

static const struct link_evidence tracked = {
	.agent_end = EW_YES,
	.conntrack = CONNTRACK_ENTRY,
	.expires = HORIZON + 1,
	.horizon = HORIZON,
};

static void links(void **state)
{
	static const struct {
		enum ew_tri agent_end;
		enum conntrack conntrack;
		enum link_state want;
	} rows[] = {
		{ EW_YES, CONNTRACK_ENTRY, LINK_SOUND },
		{ EW_YES, CONNTRACK_OFF, LINK_SOUND },
		{ EW_YES, CONNTRACK_NONE, LINK_AT_RISK },
		{ EW_YES, CONNTRACK_UNKNOWN, LINK_UNKNOWN },
		/* no agent's end: whatever connection tracking has */
		{ EW_NO, CONNTRACK_ENTRY, LINK_HALF_OPEN },
		{ EW_NO, CONNTRACK_OFF, LINK_HALF_OPEN },
		{ EW_NO, CONNTRACK_NONE, LINK_HALF_OPEN },
		{ EW_NO, CONNTRACK_UNKNOWN, LINK_HALF_OPEN },
		/* never better than the evidence */
		{ EW_UNKNOWN, CONNTRACK_ENTRY, LINK_UNKNOWN },
		{ EW_UNKNOWN, CONNTRACK_OFF, LINK_UNKNOWN },
		{ EW_UNKNOWN, CONNTRACK_NONE, LINK_UNKNOWN },
		{ EW_UNKNOWN, CONNTRACK_UNKNOWN, LINK_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct link_evidence e = tracked;

		e.agent_end = rows[i].agent_end;
		e.conntrack = rows[i].conntrack;
		assert_int_equal(link_state_of(&e), rows[i].want);
	}
}

/* Keepalive that is known to renew the entry in time: only of one that is there. */
static void renewed(void **state)
{
	struct link_evidence e = tracked;

	(void)state;
	e.expires = HORIZON;
	assert_int_equal(link_state_of(&e), LINK_AT_RISK);
	e.renewed = EW_NO;
	assert_int_equal(link_state_of(&e), LINK_AT_RISK);
	e.renewed = EW_YES;
	assert_int_equal(link_state_of(&e), LINK_SOUND);
	e.expires = -1;
	assert_int_equal(link_state_of(&e), LINK_UNKNOWN);
	e.conntrack = CONNTRACK_NONE;
	assert_int_equal(link_state_of(&e), LINK_AT_RISK);
	e.agent_end = EW_NO;
	assert_int_equal(link_state_of(&e), LINK_HALF_OPEN);
}

static enum link_state expiring_in(int64_t expires)
{
	struct link_evidence e = tracked;

	e.expires = expires;
	return link_state_of(&e);
}

/* An entry counts as long as it lasts beyond the horizon. */
static void horizon(void **state)
{
	(void)state;
	assert_int_equal(expiring_in(HORIZON + 1), LINK_SOUND);
	assert_int_equal(expiring_in(HORIZON), LINK_AT_RISK);
	assert_int_equal(expiring_in(0), LINK_AT_RISK);
	assert_int_equal(expiring_in(-1), LINK_UNKNOWN);
}

static enum link_state judged(enum conntrack conntrack, enum ew_tri accepted, bool full,
			      enum ew_tri untracked)
{
	struct link_evidence e = tracked;

	e.conntrack = conntrack;
	e.expires = 0;
	e.accepted = accepted;
	e.full = full;
	e.untracked = untracked;
	return link_state_of(&e);
}

/* The rules let the FIN pass without an entry: then it matters to nobody. */
static void firewall_accepts(void **state)
{
	static const enum conntrack all[] = { CONNTRACK_UNKNOWN, CONNTRACK_ENTRY, CONNTRACK_NONE,
					      CONNTRACK_OFF };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(judged(all[i], EW_YES, false, EW_NO), LINK_SOUND);
		assert_int_equal(judged(all[i], EW_YES, true, EW_YES), LINK_SOUND);
	}
	assert_int_equal(judged(CONNTRACK_NONE, EW_NO, false, EW_NO), LINK_AT_RISK);
	assert_int_equal(judged(CONNTRACK_NONE, EW_UNKNOWN, false, EW_NO), LINK_AT_RISK);
	assert_int_equal(judged(CONNTRACK_NONE, EW_UNKNOWN, false, EW_YES), LINK_AT_RISK);
}

/* A full table drops what has no entry before any rule is asked. */
static void table_full(void **state)
{
	(void)state;
	assert_int_equal(judged(CONNTRACK_NONE, EW_YES, true, EW_NO), LINK_AT_RISK);
	assert_int_equal(judged(CONNTRACK_NONE, EW_YES, true, EW_UNKNOWN), LINK_AT_RISK);
}

/* A firewall without connection tracking may drop the FIN as well. */
static void firewall_drops_untracked(void **state)
{
	(void)state;
	assert_int_equal(judged(CONNTRACK_OFF, EW_NO, false, EW_YES), LINK_AT_RISK);
	assert_int_equal(judged(CONNTRACK_OFF, EW_UNKNOWN, false, EW_YES), LINK_SOUND);
}

/* Nothing filled in is nothing known. */
static void nothing_known(void **state)
{
	struct link_evidence link = { 0 };
	struct evidence e = { 0 };

	(void)state;
	assert_int_equal(link_state_of(&link), LINK_UNKNOWN);
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN);
}

static const struct evidence healthy = {
	.ours = EW_YES,
	.environment = EW_YES,
	.checkpoint = true,
	.registered = EW_YES,
	.recoverable = EW_YES,
	.taken_back = EW_YES,
	.protocol = PROTOCOL_V0,
	.sockets = EW_YES,
	.n_links = 1,
	.worst = LINK_SOUND,
	.relinks = EW_NO,
};

/* The worst of evidence: each row below repairs one thing more, from the top of the table down. */
static void order(void **state)
{
	struct evidence e = { .environment = EW_NO,
			      .ours = EW_NO,
			      .checkpoint = false,
			      .registered = EW_NO,
			      .recoverable = EW_NO,
			      .protocol = PROTOCOL_V0,
			      .sockets = EW_NO,
			      .relinks = EW_YES,
			      .worst = LINK_HALF_OPEN };

	(void)state;
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN);
	e.environment = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_FOREIGN);
	e.ours = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_ORPHANED);
	e.recoverable = EW_UNKNOWN;
	assert_int_equal(verdict_of(&e), VERDICT_NO_CHECKPOINT);
	e.checkpoint = true;
	assert_int_equal(verdict_of(&e), VERDICT_UNREGISTERED);
	e.registered = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN); /* its sockets were not read */
	e.sockets = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN); /* a checkpoint was not read */
	e.recoverable = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_DISCONNECTED);
	e.n_links = 1;
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN); /* the agent recovers */
	e.taken_back = EW_YES;
	assert_int_equal(verdict_of(&e), VERDICT_SELF_HEALING);
	e.relinks = EW_NO;
	assert_int_equal(verdict_of(&e), VERDICT_HALF_OPEN);
	e.worst = LINK_AT_RISK;
	assert_int_equal(verdict_of(&e), VERDICT_AT_RISK);
	e.worst = LINK_UNKNOWN;
	assert_int_equal(verdict_of(&e), VERDICT_UNKNOWN);
	e.worst = LINK_SOUND;
	assert_int_equal(verdict_of(&e), VERDICT_HEALTHY);
}

/* One piece of evidence changed in a healthy executor. */
static void single(void **state)
{
	struct {
		const char *what;
		struct evidence e;
		enum verdict want;
	} rows[] = {
		{ "as it is", healthy, VERDICT_HEALTHY },
		{ "environment unknown", healthy, VERDICT_UNKNOWN },
		{ "whose unknown", healthy, VERDICT_UNKNOWN },
		{ "another's", healthy, VERDICT_FOREIGN },
		{ "registered unknown", healthy, VERDICT_UNKNOWN },
		{ "a checkpoint is missing", healthy, VERDICT_ORPHANED },
		{ "a checkpoint could not be read", healthy, VERDICT_UNKNOWN },
		{ "library unknown, sound", healthy, VERDICT_HEALTHY },
		{ "relinks, sound", healthy, VERDICT_HEALTHY },
		{ "relinks, link unknown", healthy, VERDICT_SELF_HEALING },
		{ "relinks, at risk", healthy, VERDICT_SELF_HEALING },
		{ "v1 relinks, half-open", healthy, VERDICT_HALF_OPEN },
		{ "v1 relinks, link unknown", healthy, VERDICT_UNKNOWN },
		{ "library unknown, half-open", healthy, VERDICT_HALF_OPEN },
		{ "v1 without link", healthy, VERDICT_UNKNOWN },
		{ "v1 without link, domain socket", healthy, VERDICT_SELF_HEALING },
		{ "v0 without link, domain socket", healthy, VERDICT_DISCONNECTED },
		{ "v1 with a link, domain socket", healthy, VERDICT_HALF_OPEN },
		{ "protocol unknown, no link", healthy, VERDICT_UNKNOWN },
	};
	size_t n = 1;

	(void)state;
	rows[n++].e.environment = EW_UNKNOWN;
	rows[n++].e.ours = EW_UNKNOWN;
	rows[n++].e.ours = EW_NO;
	rows[n++].e.registered = EW_UNKNOWN;
	rows[n++].e.recoverable = EW_NO;
	rows[n++].e.recoverable = EW_UNKNOWN;
	rows[n++].e.relinks = EW_UNKNOWN;
	rows[n++].e.relinks = EW_YES;
	rows[n].e.relinks = EW_YES, rows[n++].e.worst = LINK_UNKNOWN;
	rows[n].e.relinks = EW_YES, rows[n++].e.worst = LINK_AT_RISK;
	rows[n].e.relinks = EW_YES, rows[n].e.protocol = PROTOCOL_V1,
	rows[n++].e.worst = LINK_HALF_OPEN;
	rows[n].e.relinks = EW_YES, rows[n].e.protocol = PROTOCOL_V1, rows[n].e.n_links = 2,
	rows[n++].e.worst = LINK_UNKNOWN;
	rows[n].e.relinks = EW_UNKNOWN, rows[n++].e.worst = LINK_HALF_OPEN;
	rows[n].e.protocol = PROTOCOL_V1, rows[n++].e.n_links = 0;
	rows[n].e.protocol = PROTOCOL_V1, rows[n].e.domain_socket = true, rows[n++].e.n_links = 0;
	rows[n].e.domain_socket = true, rows[n++].e.n_links = 0;
	rows[n].e.protocol = PROTOCOL_V1, rows[n].e.domain_socket = true,
	rows[n++].e.worst = LINK_HALF_OPEN;
	rows[n].e.protocol = PROTOCOL_UNKNOWN, rows[n++].e.n_links = 0;
	assert_int_equal(n, sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < n; i++) {
		if (verdict_of(&rows[i].e) != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].what,
				 verdict_name(verdict_of(&rows[i].e)), verdict_name(rows[i].want));
	}
}

static void names(void **state)
{
	enum verdict verdict;

	(void)state;
	for (int v = 0; v < VERDICT_COUNT; v++) {
		assert_true(verdict_parse(verdict_name((enum verdict)v), &verdict));
		assert_int_equal(verdict, v);
	}
	assert_false(verdict_parse("Healthy", &verdict));
	assert_false(verdict_parse("", &verdict));
	assert_int_equal(verdict_severity(VERDICT_UNREGISTERED), SEVERITY_CRITICAL);
	assert_int_equal(verdict_severity(VERDICT_AT_RISK), SEVERITY_WARNING);
	assert_int_equal(outcome_severity(OUTCOME_WAITING), SEVERITY_WARNING);
	assert_int_equal(outcome_severity(OUTCOME_UNKNOWN), SEVERITY_UNKNOWN);
	assert_null(proof_name(PROOF_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),	 cmocka_unit_test(renewed),
		cmocka_unit_test(horizon),	 cmocka_unit_test(firewall_accepts),
		cmocka_unit_test(table_full),	 cmocka_unit_test(firewall_drops_untracked),
		cmocka_unit_test(nothing_known), cmocka_unit_test(order),
		cmocka_unit_test(single),	 cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
