/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What became of the living: kept, waiting, back with the same agent, not to be found. */
#include "node_window.h"

/* ---- kept ---- */

static void nothing_happened(void **state)
{
	static const struct {
		struct node_spec spec;
		const char *want;
	} rows[] = {
		{ { 0 }, "kept" },
		{ { .v1 = true }, "kept" },
		{ { .entry = EW_NO }, "kept" },
		{ { .v1 = true, .unlinked = true, .domain_socket = "/run/a.sock", .unix_links = 2 },
		  "kept" },
		/* there is nothing to keep */
		{ { .half_open = true }, "unknown" },
		{ { .v1 = true, .half_open = true }, "unknown" },
		{ { .unlinked = true }, "waiting" },
		{ { .unlinked = true, .domain_socket = "/run/a.sock" }, "waiting" },
		{ { .v1 = true, .unlinked = true }, "waiting" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		node_baseline(n);
		node_wait(n, 5);
		node_snapshot(n);
		if (strcmp(node_outcome(n, "web"), rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, node_outcome(n, "web"), rows[i].want);
		node_free(n);
	}
}

static void kept_needs_the_same_link(void **state)
{
	one(n, p);

	(void)state;
	node_drops(n, p);
	is(n, "waiting");
	node_wait(n, 1);
	node_link(
		n,
		p); /* whatever it is: a v0 driver does not go back to an agent that did not ask */
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "waiting");
	node_free(n);
}

static void kept_needs_the_same_agent(void **state)
{
	one(n, p, .entry = EW_NO);

	(void)state;
	node_agent_stop(n);
	is(n, "waiting"); /* its link is still ESTABLISHED: it does not know */
	assert_int_equal(p->links[0]->state, TCP_ESTABLISHED);
	node_agent_start(n);
	is(n, "waiting");
	node_wait(n, 2);
	node_agent_serves(n);
	is(n, "waiting");
	node_free(n);
}

/* The agent that was there at the audit had not finished its recovery: it may yet end who is late.
 */
static void kept_needs_an_agent_that_has_recovered(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	n->api_status = 503;
	node_snapshot(n);
	node_baseline(n);
	node_wait(n, 1);
	node_snapshot(n);
	is(n, "waiting");
	n->api_status = 200;
	node_wait(n, 1);
	node_snapshot(n);
	is(n, "kept");
	node_free(n);
}

/* What one log has got in the end is not what another one lost. */
static void results_that_no_log_has(void **state)
{
	static const struct {
		struct fact_audit_log log;
		int code;
	} rows[] = {
		{ { .unwritten = 2, .problem = "no space", .opened = 1 }, 3 },
		{ { .unwritten = 1, .problem = "no space", .opened = 2 }, 3 },
		{ { .unwritten = 0, .problem = "", .opened = 2 }, 3 },
		{ { .unwritten = 0, .problem = "", .opened = 1 }, 0 },
	};
	one(n, p);

	(void)state;
	(void)p;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		node_emit(n, (struct fact){ .type = FACT_AUDIT_LOG, .audit_log = rows[i].log });
		assert_int_equal(node_exit_code(n, REPORT_VERIFY), rows[i].code);
	}
	node_free(n);
}

/* ---- with the same agent ---- */

/* The agent ends it within its grace period, and the link stands until then. */
static void told_to_shut_down(void **state)
{
	one(n, p);

	(void)state;
	is(n, "kept");
	node_tell(n, p, "ShutdownExecutorMessage");
	is(n, "waiting");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 1);
	node_ends(n, p, 0, 0);
	is(n, "killed-by-agent");
	node_free(n);
}

/* Nobody is known to hold the other end: the agent's descriptors could not be read. */
static void an_agents_end_that_is_not_known(void **state)
{
	one(n, p);

	(void)state;
	is(n, "kept");
	p->links[0]->peer->n_holds = 0;
	node_snapshot(n);
	is(n, "unknown");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 3);
	node_free(n);
}

/* One of its two connections is lost: the other one is of no use without it. */
static void v1_loses_one_connection(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	is(n, "kept");
	node_close(n, p->links[1], p->pid, true);
	node_snapshot(n);
	is(n, "unknown");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 3);
	node_free(n);
}

static void v1_subscribes_again(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	node_wait(n, 1);
	node_drops(n, p); /* treated while the agent serves */
	is(n, "waiting");
	node_wait(n, 0.5);
	node_comes_back(n, p);
	is(n, "reregistered by message");
	node_free(n);
}

static void v1_subscribes_again_unseen(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	n->quiet = true;
	n->rereg_timeout = 2;
	node_wait(n, 1);
	node_drops(n, p);
	node_wait(n, 0.5);
	node_comes_back(n, p);
	node_snapshot(n);
	is(n,
	   "waiting"); /* listed all the time, and that it has connected is not that it was taken */
	node_wait(n, 3);
	node_snapshot(n);
	is(n, "waiting"); /* a refused one keeps its connections as long */
	node_wait(n, 15);
	node_snapshot(n);
	is(n, "reregistered by api");
	node_free(n);
}

static void v0_waits_for_a_restart(void **state)
{
	one(n, p, .timeout = 60);
	struct report *report;

	(void)state;
	node_emit(n, (struct fact){ .type = FACT_ACT,
				    .act = { .phase = "result",
					     .action = "shutdown",
					     .pid = p->pid,
					     .start = p->start,
					     .result = "done" } });
	node_drops(n, p);
	node_wait(n, 30);
	node_snapshot(n);
	is(n, "waiting");
	report = node_report(n, REPORT_VERIFY);
	assert_non_null(strstr(report->executors[0].why[0], "made to drop"));
	assert_true(report->executors[0].deadline - report->executors[0].disconnected ==
		    60 * NODE_SECOND);
	report_free(report);
	node_free(n);
}

/* ---- a watch that begins later ---- */

static void verify_afterwards(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_proc *stale = node_executor(n, "stale", .entry = EW_NO);

	(void)state;
	node_snapshot(n);
	n->hooks = false;
	{
		struct report *audit = node_report(n, REPORT_AUDIT);
		struct fact_sink sink = { node_sink_emit, n };

		node_agent_stop(n);
		node_agent_start(n);
		node_link(n, p);
		node_wait(n, 60);
		node_watch_anew(n);
		model_baseline(audit, &sink);
		report_free(audit);
	}
	(void)stale;
	node_snapshot(n);
	is(n, "waiting"); /* 503 */
	node_agent_serves(n);
	node_wait(n, 1.1);
	is(n, "reregistered by api");
	assert_string_equal(node_outcome(n, "stale"), "waiting");
	node_free(n);
}

static void one_that_is_not_found(void **state)
{
	one(n, p);

	(void)state;
	p->unseen = true;
	node_snapshot(n);
	is(n, "unknown"); /* its link is there */
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 3);
	p->unseen = false; /* it was missed once */
	node_snapshot(n);
	is(n, "kept");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_happened),
		cmocka_unit_test(kept_needs_the_same_link),
		cmocka_unit_test(kept_needs_the_same_agent),
		cmocka_unit_test(kept_needs_an_agent_that_has_recovered),
		cmocka_unit_test(told_to_shut_down),
		cmocka_unit_test(results_that_no_log_has),
		cmocka_unit_test(an_agents_end_that_is_not_known),
		cmocka_unit_test(v1_loses_one_connection),
		cmocka_unit_test(v1_subscribes_again),
		cmocka_unit_test(v1_subscribes_again_unseen),
		cmocka_unit_test(v0_waits_for_a_restart),
		cmocka_unit_test(verify_afterwards),
		cmocka_unit_test(one_that_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
