/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which executors may be held, and what a hold does to their clocks. */
#include "node.h"

/* "web act; http refused v1; …" */
static const char *holds(struct node *n, struct model_choice choice)
{
	static char text[4096];
	struct report *report = node_report(n, REPORT_AUDIT);
	struct model_hold *h;
	size_t count, at = 0;

	assert_int_equal(model_holds(report, &choice, &h, &count), 0);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s%s%s", i ? "; " : "",
				       h[i].executor_id,
				       h[i].refused    ? "refused"
				       : h[i].needless ? "keep"
						       : "act",
				       h[i].reason_id ? " " : "",
				       h[i].reason_id ? h[i].reason_id : "");
	free(h);
	report_free(report);
	return text;
}

static const char *all_of(struct node *n)
{
	return holds(n, (struct model_choice){ 0 });
}

static const char *one_of(struct node *n, const struct node_proc *p)
{
	return holds(n, (struct model_choice){ .pid = p->pid });
}

static void held(struct node *n, const struct node_proc *p, int64_t mono)
{
	node_emit(n, (struct fact){ .type = FACT_ACT,
				    .mono = mono,
				    .act = { .phase = "result",
					     .action = "hold",
					     .executor_id = p->id,
					     .pid = p->pid,
					     .start = p->start,
					     .result = "held" } });
}

/* What a report says of it: its deadline and when it was held, in seconds from now; 0: none. */
static void clock_is(struct node *n, const char *id, int deadline, bool is_held)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	const struct report_executor *e = node_find(report, id);
	int64_t left = e->deadline ? e->deadline - report->generated : 0;

	assert_int_equal((left + NODE_SECOND / 2) / NODE_SECOND, deadline);
	assert_int_equal(e->held != 0, is_held);
	report_free(report);
}

static void only_who_waits_without_an_agent(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	assert_string_equal(all_of(n), "");
	assert_string_equal(one_of(n, web), "web refused agent-answers");
	node_agent_stop(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web act");
	node_agent_start(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web refused agent-answers");
	node_free(n);
}

static void each_kind(void **state)
{
	struct node *n = node_new();
	struct node_proc *stale = node_executor(n, "stale", .entry = EW_NO);

	(void)state;
	node_executor(n, "http", .v1 = true);
	node_executor(n, "late", .timeout = 30);
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	node_agent_stop(n);
	node_wait(n, 40);
	node_snapshot(n);
	/* The FIN met no entry: it has not noticed. */
	assert_string_equal(one_of(n, stale), "stale refused not-disconnected");
	assert_string_equal(all_of(n), "web act; late refused too-late; http refused v1");
	node_free(n);
}

static void who_ends_first_is_held_first(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "long", .timeout = 900);
	node_executor(n, "short", .timeout = 60);
	node_snapshot(n);
	node_agent_stop(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "short act; long act");
	node_free(n);
}

static void asked_and_not_back(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	node_agent_start(n);
	node_snapshot(n);
	node_tell(n, web, "ReconnectExecutorMessage");
	node_agent_stop(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web refused asked");
	node_free(n);
}

/* Its link has ended; its driver will know of that when it runs again. */
static void one_that_is_stopped(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	web->spec.state = "T";
	node_snapshot(n);
	assert_string_equal(one_of(n, web), "web refused agent-answers");
	node_agent_stop(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web refused unresponsive");
	node_agent_start(n);
	node_snapshot(n);
	node_tell(n, web, "ReconnectExecutorMessage");
	node_agent_stop(n);
	node_snapshot(n);
	assert_string_equal(all_of(n), "web refused asked");
	node_free(n);
}

static void its_clock_stops(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	node_wait(n, 100);
	node_snapshot(n);
	clock_is(n, "web", 800, false);
	held(n, web, 0);
	node_snapshot(n);
	clock_is(n, "web", 0, true);
	assert_string_equal(all_of(n), "web keep held");
	node_wait(n, 2000); /* it would have ended itself long since */
	node_snapshot(n);
	clock_is(n, "web", 0, true);
	assert_string_equal(node_verdict(n, "web"), "disconnected");
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 1);
	node_free(n);
}

/* Sent, refused and failed are no holds. */
static void only_what_was_held(void **state)
{
	static const char *const results[] = { "sent", "failed", "refused", "skipped", "done" };
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		node_emit(n, (struct fact){ .type = FACT_ACT,
					    .act = { .phase = "result",
						     .action = "hold",
						     .pid = web->pid,
						     .start = web->start,
						     .result = results[i] } });
	node_snapshot(n);
	clock_is(n, "web", 900, false);
	node_free(n);
}

/* Registered by the next agent, it is an executor like any other. */
static void until_it_loses_a_link_again(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	held(n, web, 0);
	node_wait(n, 2000);
	node_agent_start(n);
	node_comes_back(n, web);
	node_agent_serves(n);
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	clock_is(n, "web", 0, false);
	node_agent_stop(n);
	node_snapshot(n);
	clock_is(n, "web", 900, false);
	node_free(n);
}

/* What came after a hold of an earlier session was not observed: no clock counts as stopped. */
static void of_an_earlier_session(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);
	struct report *report;

	(void)state;
	held(n, web, 1);
	node_snapshot(n);
	node_agent_stop(n);
	node_snapshot(n);
	clock_is(n, "web", 900, false);
	report = node_report(n, REPORT_AUDIT);
	assert_string_equal(node_find(report, "web")->why[0],
			    "It was held before: unless it has registered since, its clock does "
			    "not run.");
	report_free(report);
	node_free(n);
}

/* In a window: it waits, and is not ending itself when its timeout has run out. */
static void outcome_of_a_held_one(void **state)
{
	struct node *n = node_new();
	struct node_proc *web = node_executor(n, "web", .v1 = false);
	struct report *report;

	(void)state;
	node_executor(n, "control", .v1 = false);
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	held(n, web, 0);
	node_wait(n, 901);
	node_snapshot(n);
	report = node_report(n, REPORT_RUN);
	assert_int_equal(node_find(report, "web")->outcome, OUTCOME_WAITING);
	assert_int_equal(node_find(report, "web")->deadline, 0);
	assert_int_equal(node_find(report, "web")->ends_by, 0);
	assert_true(node_find(report, "control")->ends_by);
	report_free(report);
	node_agent_start(n);
	node_comes_back(n, web);
	node_snapshot(n);
	assert_string_equal(node_outcome(n, "web"), "reregistered by message");
	node_free(n);
}

static void plan_again(void **state)
{
	struct node *n = node_new();
	struct model_choice all = { 0 };
	struct model_hold *plan, *later;
	struct report *was, *is;
	size_t n_plan, n_later;

	(void)state;
	node_executor(n, "web", .v1 = false);
	node_snapshot(n);
	node_agent_stop(n);
	node_snapshot(n);
	was = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_holds(was, &all, &plan, &n_plan), 0);
	is = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_holds(is, &all, &later, &n_later), 0);
	model_holds_check(plan, n_plan, later, n_later);
	assert_null(plan[0].changed);
	free(later);
	report_free(is);
	node_agent_start(n);
	node_snapshot(n);
	is = node_report(n, REPORT_AUDIT);
	assert_int_equal(model_holds(is, &all, &later, &n_later), 0);
	model_holds_check(plan, n_plan, later, n_later);
	assert_non_null(strstr(plan[0].changed, "an agent listens on the port"));
	model_holds_check(plan, n_plan, later, 0);
	assert_string_equal(plan[0].changed, "it has ended, or waits no longer");
	free(later);
	free(plan);
	report_free(was);
	report_free(is);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_waits_without_an_agent),
		cmocka_unit_test(each_kind),
		cmocka_unit_test(who_ends_first_is_held_first),
		cmocka_unit_test(asked_and_not_back),
		cmocka_unit_test(one_that_is_stopped),
		cmocka_unit_test(its_clock_stops),
		cmocka_unit_test(only_what_was_held),
		cmocka_unit_test(until_it_loses_a_link_again),
		cmocka_unit_test(of_an_earlier_session),
		cmocka_unit_test(outcome_of_a_held_one),
		cmocka_unit_test(plan_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
