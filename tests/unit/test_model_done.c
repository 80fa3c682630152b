/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When watching may end, the clocks that bound it, deadlines and exit codes. */
#include <signal.h>

#include "node_window.h"

/* From its timer to its end at most: the grace period of 5 s, and one second for late timers. */
#define ENDING 6

static void done(struct node *n, bool settled, bool deadline)
{
	node_judge(n);
	if (node_done(n, UNTIL_SETTLED) != settled || node_done(n, UNTIL_DEADLINE) != deadline)
		fail_msg("settled %d, deadline %d; web %s", node_done(n, UNTIL_SETTLED),
			 node_done(n, UNTIL_DEADLINE), node_outcome(n, "web"));
}

static int64_t next_of(struct node *n)
{
	int64_t next;

	model_done(n->model, UNTIL_DEADLINE, &next);
	return next;
}

static int64_t clock_of(struct node *n, const char *name)
{
	struct report *report = node_report(n, REPORT_RUN);
	int64_t at = -1;

	for (size_t i = 0; i < 3; i++)
		if (strcmp(report->clocks[i].name, name) == 0)
			at = report->clocks[i].deadline;
	report_free(report);
	return at ? at - NODE_WALL : 0;
}

/* To the second: facts take some microseconds. */
static void about(int64_t got, int64_t want)
{
	if (got < want - NODE_SECOND / 10 || got > want + NODE_SECOND / 10)
		fail_msg("%.3f s off", (double)(got - want) / 1e9);
}

static void nothing_to_wait_for(void **state)
{
	one(n, p);

	(void)state;
	(void)p;
	done(n, true, true);
	node_free(n);
}

static void restart_and_back(void **state)
{
	one(n, p, .timeout = 60);
	int64_t down;

	(void)state;
	node_agent_stop(n);
	down = n->now;
	done(n, false, false);
	about(clock_of(n, "executors"), down + 60 * NODE_SECOND);
	about(clock_of(n, "master"), down + 75 * NODE_SECOND);
	assert_int_equal(clock_of(n, "agent"), 0);
	about(next_of(n), down + 60 * NODE_SECOND);
	node_wait(n, 5);
	node_agent_start(n);
	node_snapshot(n);
	assert_int_equal(clock_of(n, "master"), 0);
	about(clock_of(n, "agent"), down + 7 * NODE_SECOND);
	node_comes_back(n, p);
	assert_int_equal(clock_of(n, "executors"), 0);
	done(n, false, false); /* the agent does not serve yet */
	node_wait(n, 2);
	node_agent_serves(n);
	assert_int_equal(clock_of(n, "agent"), 0);
	done(n, true, false);
	/* Proven when its timeout has run out, and it has had the time to end and lives. */
	about(next_of(n), down + (60 + ENDING) * NODE_SECOND);
	node_wait(n, 52 + ENDING);
	done(n, true, false);
	node_wait(n, 2);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 0);
	node_free(n);
}

/* A timer that has fired shows by the executor's end, and that takes its own grace period. */
static void grace_period_of_its_own(void **state)
{
	one(n, p, .timeout = 60, .grace = 20);
	int64_t down;

	(void)state;
	node_agent_stop(n);
	down = n->now;
	node_agent_start(n);
	node_comes_back(n, p);
	node_agent_serves(n);
	done(n, true, false);
	about(next_of(n), down + 81 * NODE_SECOND);
	node_wait(n, 79);
	done(n, true, false);
	node_wait(n, 2);
	done(n, true, true);
	node_free(n);
}

/* The dead prove nothing by waiting. */
static void dead_are_not_waited_for(void **state)
{
	one(n, p, .timeout = 600);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_wait(n, 2);
	node_ends(n, p, SIGKILL, n->agent);
	node_agent_serves(n);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
	node_free(n);
}

/* When the last of the baseline has ended, nobody is left for the master's clock to matter to. */
static void nobody_is_left(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	done(n, false, false);
	node_ends(n, p, 0, 0);
	done(n, true, true);
	node_free(n);
}

/* A `verify` that begins now, compared with the audit. */
static void verify_begins(struct node *n, struct report *audit)
{
	struct fact_sink sink = { node_sink_emit, n };

	node_watch_anew(n);
	model_baseline(audit, &sink);
	report_free(audit);
	node_snapshot(n);
}

/* They ended, and the agent too, before this verify began: there is nothing to wait for. */
static void all_dead_and_no_agent(void **state)
{
	one(n, p);
	struct report *audit = node_report(n, REPORT_AUDIT);

	(void)state;
	node_agent_stop(n);
	node_ends(n, p, SIGKILL, 0);
	n->no_work_dir = true;
	verify_begins(n, audit);
	done(n, true, true);
	assert_string_equal(node_outcome(n, "web"), "lost");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
	node_free(n);
}

/* It has not noticed, and no clock runs that was seen to begin: not for ever either. */
static void no_agent_from_the_beginning(void **state)
{
	one(n, p, .entry = EW_NO);
	struct report *audit = node_report(n, REPORT_AUDIT);
	int64_t began;

	(void)state;
	(void)p;
	node_agent_stop(n);
	verify_begins(n, audit);
	began = n->now;
	done(n, false, false);
	about(next_of(n), began + 75 * NODE_SECOND);
	assert_int_equal(clock_of(n, "master"), 0); /* since when it is away is not known */
	node_wait(n, 76);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 1);
	node_free(n);
}

static void agent_stays_away(void **state)
{
	struct node *n = node_new();
	int64_t down;

	(void)state;
	node_executor(n, "web", .timeout = 60);
	node_executor(n, "db", .timeout = 300);
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	down = n->now;
	done(n, false, false);
	about(clock_of(n, "executors"), down + 60 * NODE_SECOND); /* the first */
	about(next_of(n), down + 60 * NODE_SECOND);
	node_wait(n, 61);
	node_ends(n, n->procs[0], 0, 0);
	done(n, false, false);
	assert_string_equal(node_outcome(n, "web"), "self-terminated");
	about(clock_of(n, "executors"), down + 300 * NODE_SECOND);
	node_wait(n, 100);
	done(n, false, false); /* the last counts */
	node_wait(n, 140);
	done(n, false, false); /* at its deadline it begins to end */
	about(next_of(n), down + (300 + ENDING) * NODE_SECOND);
	node_wait(n, ENDING);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
	node_free(n);
}

/* Half-open, and no agent: no executor's clock runs; the master's does. */
static void nobody_noticed(void **state)
{
	one(n, p, .entry = EW_NO);
	int64_t down;

	(void)state;
	(void)p;
	node_agent_stop(n);
	down = n->now;
	assert_int_equal(clock_of(n, "executors"), 0);
	about(next_of(n), down + 75 * NODE_SECOND);
	done(n, false, false);
	node_wait(n, 76);
	done(n, true, true);
	assert_string_equal(node_outcome(n, "web"), "waiting");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 1);
	node_free(n);
}

static void executor_never_comes_back(void **state)
{
	one(n, p, .timeout = 60);

	(void)state;
	(void)p;
	node_agent_stop(n);
	node_agent_start(n);
	node_wait(n, 2);
	node_agent_serves(n);
	done(n, false, false);
	assert_true(next_of(n) > n->now);
	node_wait(n, 60 + ENDING);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2); /* it should have ended itself */
	node_free(n);
}

/* It had no link at the audit, and nobody knows since when: until its timeout after the audit at
 * most. */
static void baseline_without_link(void **state)
{
	static const struct node_spec specs[] = {
		{ .unlinked = true, .timeout = 60 },
		{ .v1 = true, .unlinked = true, .timeout = 60 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct node *n = node_new();

		node_executor_(n, "web", specs[i]);
		node_snapshot(n);
		node_baseline(n);
		done(n, false, false);
		about(next_of(n), n->now + NODE_SECOND); /* a link may grow old enough */
		node_wait(n, 61 + ENDING);
		done(n, true, true);
		node_free(n);
	}
}

static void api_that_cannot_be_asked(void **state)
{
	static const int statuses[] = { 401, 0 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p, .timeout = 10);

		node_agent_stop(n);
		node_agent_start(n);
		n->api_status = statuses[i];
		node_snapshot(n);
		node_comes_back(n, p);
		done(n, false, false);
		assert_true(next_of(n) > 0); /* and no event will tell */
		node_wait(n, 16);
		done(n, false, false);
		node_wait(n, 2);
		done(n, true, true);
		node_free(n);
	}
}

/* An agent writes boot_id when its recovery is over: one that has not is waited for. */
static void boot_id_of_the_agent_before(void **state)
{
	one(n, p, .timeout = 10);

	(void)state;
	node_wait(n, 110);
	node_agent_stop(n);
	n->boot_written = NODE_WALL + 99 * NODE_SECOND; /* the agent began 100 s after boot */
	node_agent_start(n);
	n->api_status = 401;
	node_snapshot(n);
	node_comes_back(n, p);
	assert_false(model_wants_checkpoints(n->model));
	node_wait(n, 18);
	done(n, false, false); /* what was read before tells nothing of now */
	assert_true(model_wants_checkpoints(n->model));
	node_snapshot(n);
	assert_true(model_wants_checkpoints(n->model));
	done(n, false, false);
	n->boot_written = NODE_WALL + n->now;
	node_snapshot(n);
	assert_false(model_wants_checkpoints(n->model));
	done(n, true, true);
	node_free(n);
}

static void api_that_was_never_asked(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	node_watch_anew(n);
	n->scope = SCAN_ALL & ~SCAN_API;
	node_agent_start(n);
	node_snapshot(n);
	node_comes_back(n, p);
	done(n, false, false);
	node_wait(n, 18);
	done(n, true, true);
	node_free(n);
}

/* An agent whose recovery never ends: not for ever either. */
static void recovery_never_ends(void **state)
{
	one(n, p, .timeout = 10);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_comes_back(n, p);
	node_snapshot(n);
	done(n, false, false);
	node_wait(n, 100);
	node_snapshot(n);
	done(n, false, false);
	node_wait(n, 900);
	node_snapshot(n);
	done(n, true, true);
	node_free(n);
}

static void nobody_in_the_baseline(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_snapshot(n);
	node_baseline(n);
	done(n, true, true);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 0);
	node_free(n);
}

/* ---- exit codes ---- */

static void worst_wins(void **state)
{
	static const struct node_spec ok = { 0 }, treatable = { .entry = EW_NO },
				      unknown = { .entry = EW_UNKNOWN,
						  .v1 = true,
						  .unlinked = true },
				      lost = { .no_checkpoint = true };
	static const struct {
		const struct node_spec *specs[4];
		int want;
	} rows[] = {
		{ { &ok }, 0 },
		{ { &ok, &treatable }, 1 },
		{ { &ok, &treatable, &unknown }, 3 },
		{ { &unknown, &lost }, 2 },
		{ { &ok, &treatable, &unknown, &lost }, 2 },
		{ { &lost, &ok }, 2 },
		{ { NULL }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		static const char *const ids[] = { "a", "b", "c", "d" };

		for (size_t j = 0; j < 4 && rows[i].specs[j]; j++)
			node_executor_(n, ids[j], *rows[i].specs[j]);
		node_snapshot(n);
		if (node_exit_code(n, REPORT_AUDIT) != rows[i].want)
			fail_msg("row %zu: %d", i, node_exit_code(n, REPORT_AUDIT));
		node_emit(n, (struct fact){ .type = FACT_NOW, .now = { .interrupted = true } });
		/* A known loss is not hidden by an interruption. */
		assert_int_equal(node_exit_code(n, REPORT_AUDIT), rows[i].want == 2 ? 2 : 3);
		node_free(n);
	}
}

static void acts_count(void **state)
{
	static const struct {
		const char *result;
		int want;
	} rows[] = { { "done", 0 }, { "skipped", 0 }, { "failed", 1 }, { "refused", 1 } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		one(n, p);

		(void)p;
		node_emit(n, (struct fact){ .type = FACT_ACT,
					    .act = { .phase = "intent", .result = "failed" } });
		assert_int_equal(node_exit_code(n, REPORT_AUDIT), 0);
		node_emit(n,
			  (struct fact){ .type = FACT_ACT,
					 .act = { .phase = "result", .result = rows[i].result } });
		assert_int_equal(node_exit_code(n, REPORT_AUDIT), rows[i].want);
		node_free(n);
	}
}

/* An earlier treatment is none to rely on any more once its deadline has passed. */
static void treated_earlier(void **state)
{
	static const struct {
		int after, want;
	} rows[] = { { 30, 0 }, { 61, 2 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p, .timeout = 60);

		node_drops(n, p);
		node_wait(n, rows[i].after);
		node_watch_anew(n);
		node_emit(n, (struct fact){ .type = FACT_ACT,
					    .mono = n->now - rows[i].after * NODE_SECOND,
					    .act = { .phase = "result",
						     .action = "shutdown",
						     .pid = p->pid,
						     .start = p->start,
						     .result = "done" } });
		node_snapshot(n);
		node_baseline(n);
		assert_string_equal(node_verdict(n, "web"), "disconnected");
		assert_int_equal(node_exit_code(n, REPORT_SHUTDOWN), rows[i].want);
		node_free(n);
	}
}

static void worst_first(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "d");
	node_executor(n, "c", .no_checkpoint = true);
	node_executor(n, "b", .entry = EW_NO);
	node_executor(n, "a", .entry = EW_NO);
	node_executor(n, "e", .unlinked = true, .v1 = true);
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(report->executors[i].executor_id[0], "ceabd"[i]);
	report_free(report);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_wait_for),
		cmocka_unit_test(restart_and_back),
		cmocka_unit_test(grace_period_of_its_own),
		cmocka_unit_test(dead_are_not_waited_for),
		cmocka_unit_test(nobody_is_left),
		cmocka_unit_test(all_dead_and_no_agent),
		cmocka_unit_test(no_agent_from_the_beginning),
		cmocka_unit_test(agent_stays_away),
		cmocka_unit_test(nobody_noticed),
		cmocka_unit_test(executor_never_comes_back),
		cmocka_unit_test(baseline_without_link),
		cmocka_unit_test(api_that_cannot_be_asked),
		cmocka_unit_test(boot_id_of_the_agent_before),
		cmocka_unit_test(api_that_was_never_asked),
		cmocka_unit_test(recovery_never_ends),
		cmocka_unit_test(nobody_in_the_baseline),
		cmocka_unit_test(worst_wins),
		cmocka_unit_test(acts_count),
		cmocka_unit_test(treated_earlier),
		cmocka_unit_test(worst_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
