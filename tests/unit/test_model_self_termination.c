/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between its deadline and its end an executor waits for nobody: what is said of it then. */
#include "node_window.h"

/* In the window's report and in an audit: the advice has this word, and it has ended by then (0:
 * not ending). */
static void is_told(struct node *n, enum outcome outcome, const char *advice, int64_t ends_by)
{
	static const enum report_kind kinds[] = { REPORT_VERIFY, REPORT_AUDIT };

	node_judge(n);
	for (size_t i = 0; i < 2; i++) {
		struct report *report = node_report(n, kinds[i]);
		const struct report_executor *e = node_find(report, "web");

		if (kinds[i] == REPORT_VERIFY)
			assert_int_equal(e->outcome, outcome);
		assert_non_null(strstr(e->advice, advice));
		assert_int_equal(report->ending, ends_by != 0);
		assert_int_equal((e->ends_by ? e->ends_by - NODE_WALL : 0) / NODE_SECOND,
				 ends_by / NODE_SECOND);
		assert_int_equal(
			report->exit_code == 2 && e->severity == SEVERITY_CRITICAL,
			ends_by || kinds[i] == REPORT_AUDIT); /* disconnected is critical as well */
		report_free(report);
	}
}

static int64_t executors_clock(struct node *n)
{
	struct report *report = node_report(n, REPORT_RUN);
	int64_t at = report->clocks[0].deadline;

	report_free(report);
	return at;
}

static void timer(void **state)
{
	one(n, p, .timeout = 60, .grace = 20);
	int64_t by;

	(void)state;
	node_agent_stop(n);
	by = n->now + (60 + 20 + 1) * NODE_SECOND;
	node_wait(n, 59);
	is_told(n, OUTCOME_WAITING, "gent", 0);
	assert_true(executors_clock(n) != 0);
	node_wait(n, 2);
	is_told(n, OUTCOME_WAITING, "too late", by);
	assert_true(executors_clock(n) == 0);
	node_agent_start(n); /* it is not asked any more */
	is_told(n, OUTCOME_WAITING, "too late", by);
	node_wait(n, 21);
	is_told(n, OUTCOME_WAITING, "frozen", by);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "self-terminated");
	node_free(n);
}

/* A second disconnect does not wait for the timer. */
static void second_disconnect(void **state)
{
	one(n, p);
	int64_t by;

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_link(n, p);
	node_agent_stop(n);
	by = n->now + 6 * NODE_SECOND;
	node_wait(n, 1);
	is_told(n, OUTCOME_WAITING, "too late", by);
	node_free(n);
}

/* It has a link to the new agent: it may be registered, and nothing shows it. */
static void may_be_back_unseen(void **state)
{
	one(n, p, .timeout = 60);
	struct report *report;

	(void)state;
	n->quiet = true;
	node_agent_stop(n);
	node_wait(n, 59);
	node_agent_start(n);
	node_link(n, p);
	node_wait(n, 2);
	node_judge(n);
	report = node_report(n, REPORT_VERIFY);
	assert_int_equal(report->executors[0].outcome, OUTCOME_WAITING);
	assert_int_equal(report->ending, 0);
	report_free(report);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timer),
		cmocka_unit_test(second_disconnect),
		cmocka_unit_test(may_be_back_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
