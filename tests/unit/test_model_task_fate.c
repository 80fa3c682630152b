/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the tasks' own ends say of executors, whatever exit status those have. */
#include <signal.h>

#include "node_window.h"

static void cause_is(struct node *n, enum cause cause, const char *why)
{
	struct report *report = node_report(n, REPORT_VERIFY);
	const struct report_executor *e = node_find(report, "web");

	assert_int_equal(e->cause, cause);
	if (!strstr(e->why[0], why))
		fail_msg("'%s' is not in '%s'", why, e->why[0]);
	report_free(report);
}

static void hook(struct node *n)
{
	node_emit(n, (struct fact){ .type = FACT_HOOK,
				    .hook = { "messages", "tp_btf/x", "", false } });
}

/* By the last update on its link, and the agent's answer to it. */
static void by_message(void **state)
{
	static const struct {
		const char *task, *want;
		int code;
	} rows[] = {
		{ "TASK_FINISHED", "finished", 0 },  { "TASK_FAILED", "task-failed", 2 },
		{ "TASK_KILLED", "task-killed", 0 }, { "TASK_ERROR", "task-failed", 2 },
		{ "TASK_RUNNING", "unknown", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int v1 = 0; v1 < 2; v1++) {
			one(n, p, .v1 = v1);

			hook(n);
			node_task_ends(n, p, rows[i].task);
			node_wait(n, 1);
			node_ends(n, p, EXIT_WITH(0), 0);
			is(n, rows[i].want);
			assert_int_equal(node_exit_code(n, REPORT_VERIFY), rows[i].code);
			if (rows[i].code != 3)
				cause_is(n, CAUSE_EVENT, rows[i].task);
			node_free(n);
		}
	}
}

/* What it sent on a link that the agent has no end of got to nobody. */
static void sent_to_nobody(void **state)
{
	one(n, p, .half_open = true);

	(void)state;
	p->links[0]->peer = NULL;
	node_task_ends(n, p, "TASK_FINISHED");
	node_wait(n, 1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "unknown");
	node_wait(n, 1);
	node_task_recorded(n, p, "disk", "TASK_FAILED", "agent", "REASON_EXECUTOR_TERMINATED");
	node_snapshot(n);
	is(n, "task-failed");
	cause_is(n, CAUSE_DISK, "its framework was told TASK_FAILED");
	node_free(n);
}

/* By what the agent wrote down and answers: nothing shows messages here. */
static void by_record(void **state)
{
	static const struct {
		const char *source, *task, *by, *reason, *want;
		enum cause cause;
	} rows[] = {
		{ "disk", "TASK_FINISHED", "executor", "", "finished", CAUSE_DISK },
		{ "api", "TASK_FINISHED", "", "", "finished", CAUSE_API },
		{ "disk", "TASK_FAILED", "executor", "", "task-failed", CAUSE_DISK },
		{ "disk", "TASK_KILLED", "executor", "", "task-killed", CAUSE_DISK },
		{ "disk", "TASK_LOST", "agent", "REASON_EXECUTOR_TERMINATED", "task-failed",
		  CAUSE_DISK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		n->quiet = true;
		node_task_recorded(n, p, rows[i].source, rows[i].task, rows[i].by, rows[i].reason);
		node_wait(n, 1);
		node_ends(n, p, EXIT_WITH(0), 0);
		node_snapshot(n);
		is(n, rows[i].want);
		cause_is(n, rows[i].cause, "");
		node_free(n);
	}
}

/* The worst end of its tasks counts, whichever was written first: failed, killed, finished. */
static void worst_of_two(void **state)
{
	static const struct {
		const char *first, *second, *want;
	} rows[] = {
		{ "TASK_KILLED", "TASK_FAILED", "task-failed" },
		{ "TASK_FAILED", "TASK_KILLED", "task-failed" },
		{ "TASK_FINISHED", "TASK_FAILED", "task-failed" },
		{ "TASK_FAILED", "TASK_FINISHED", "task-failed" },
		{ "TASK_FINISHED", "TASK_KILLED", "task-killed" },
		{ "TASK_KILLED", "TASK_FINISHED", "task-killed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		n->quiet = true;
		node_task_recorded(n, p, "disk", rows[i].first, "executor", "");
		node_emit(n, (struct fact){ .type = FACT_TASK,
					    .task = { .framework_id = p->spec.framework,
						      .executor_id = p->id,
						      .container_id = p->spec.container,
						      .task_id = "second",
						      .state = rows[i].second,
						      .reason = "",
						      .source = "disk",
						      .wall = n->now + NODE_WALL,
						      .by = "executor" } });
		node_wait(n, 1);
		node_ends(n, p, EXIT_WITH(0), 0);
		node_snapshot(n);
		is(n, rows[i].want);
		cause_is(n, CAUSE_DISK, "");
		node_free(n);
	}
}

/* Its end was not seen: what is written decides, and without that it is lost. */
static void afterwards(void **state)
{
	static const struct {
		const char *task, *by, *reason, *want, *why;
	} rows[] = {
		{ "TASK_FINISHED", "executor", "", "finished", "checkpoints" },
		{ "TASK_FAILED", "executor", "", "task-failed", "by its own executor" },
		{ "TASK_LOST", "agent", "REASON_EXECUTOR_REREGISTRATION_TIMEOUT", "killed-by-agent",
		  "had not registered again in time" },
		{ "TASK_FAILED", "agent", "REASON_EXECUTOR_TERMINATED", "lost",
		  "the cause was not observed" },
		{ "TASK_KILLED", "agent", "REASON_FRAMEWORK_REMOVED", "killed-by-agent",
		  "its framework was removed" },
		{ NULL, NULL, NULL, "lost", "It has exited; the cause was not observed." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		n->hooks = false;
		if (rows[i].task)
			node_task_recorded(n, p, "disk", rows[i].task, rows[i].by, rows[i].reason);
		node_ends(n, p, EXIT_WITH(0), 0);
		node_snapshot(n);
		is(n, rows[i].want);
		cause_is(n, rows[i].task ? CAUSE_DISK : CAUSE_NONE, rows[i].why);
		node_free(n);
	}
}

/* A log is a hint: what it says is shown as such, and never as good news. */
static void by_log(void **state)
{
	static const struct {
		const char *cause, *source, *want;
		enum cause proof;
	} rows[] = {
		{ "self-terminated", "log", "self-terminated", CAUSE_LOG },
		{ "killed-by-agent", "disk", "killed-by-agent", CAUSE_DISK },
		{ "finished", "log", "lost", CAUSE_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		n->hooks = false;
		node_ends(n, p, EXIT_WITH(0), 0);
		node_emit(n, (struct fact){ .type = FACT_END,
					    .end = { .framework_id = p->spec.framework,
						     .executor_id = "web",
						     .container_id = "web",
						     .cause = rows[i].cause,
						     .source = rows[i].source,
						     .text = "stderr: Recovery timeout" } });
		node_snapshot(n);
		is(n, rows[i].want);
		cause_is(n, rows[i].proof, "It has exited");
		node_free(n);
	}
}

/* Ordered to shut down: the state its task gets then is not its own end. */
static void told_first(void **state)
{
	static const char *const orders[] = { "ShutdownExecutorMessage", "SHUTDOWN" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p, .v1 = i);

		hook(n);
		if (i)
			node_answer(n, p, orders[i]);
		else
			node_tell(n, p, orders[i]);
		node_wait(n, 0.5);
		node_task_ends(n, p, "TASK_KILLED");
		node_wait(n, 1);
		node_ends(n, p, i ? SIGKILL : EXIT_WITH(0), i ? p->pid : 0);
		is(n, "killed-by-agent");
		cause_is(n, CAUSE_EVENT, "told it to shut down");
		node_free(n);
	}
}

/* Its recovery timeout has run out: so has its task, by its own doing, over a temporary connection.
 */
static void timer_first(void **state)
{
	one(n, p, .timeout = 60);

	(void)state;
	hook(n);
	node_agent_stop(n);
	node_wait(n, 61);
	node_agent_start(n);
	node_link(n, p);
	node_task_ends(n, p, "TASK_FINISHED");
	node_drops(n, p);
	node_wait(n, 0.1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "self-terminated");
	node_free(n);
}

/* Its framework's kill or the cleanup of an agent: without messages nothing tells them apart. */
static void killed_by_whom_is_not_seen(void **state)
{
	static const bool agent_came[] = { true, false }; /* false: it has exited already */

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p);

		n->quiet = true;
		node_agent_stop(n);
		if (agent_came[i]) {
			node_agent_start(n);
			node_comes_back(n, p);
		}
		node_wait(n, 5);
		node_task_recorded(n, p, "disk", "TASK_KILLED", "executor", "");
		node_wait(n, 1);
		node_ends(n, p, EXIT_WITH(0), 0);
		is(n, "unknown");
		node_free(n);
	}
}

/* By killpg: never "killed by mesos-executor". */
static void kills_its_own_group(void **state)
{
	one(n, p, .v1 = true);
	struct report *report;

	(void)state;
	node_ends(n, p, SIGKILL, p->pid);
	is(n, "self-terminated");
	report = node_report(n, REPORT_VERIFY);
	assert_int_equal(report->executors[0].killer, 0);
	report_free(report);
	node_free(n);
}

static void late_is_said_of_the_late_alone(void **state)
{
	one(n, p);

	(void)state;
	node_ends(n, p, SIGKILL, n->agent);
	is(n, "killed-by-agent");
	cause_is(n, CAUSE_EVENT, "with signal 9.");
	node_free(n);
}

/* ---- the living ---- */

static void refused(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_link(n, p);
	for (int i = 0; i < 3; i++) {
		node_says(n, p, "SUBSCRIBE");
		node_answer(n, p, "400 Bad Request");
		node_wait(n, 1);
	}
	n->lists_nobody = true;
	node_agent_serves(n);
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "unknown");
	cause_is(n, CAUSE_NONE, "SUBSCRIBE with 400");
	node_says(n, p, "SUBSCRIBE");
	node_answer(n, p, "200 OK");
	is(n, "reregistered by message");
	node_free(n);
}

static void of_another_agent_id(void **state)
{
	static const bool v1[] = { false, true };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p, .v1 = v1[i]);

		n->quiet = true;
		node_agent_stop(n);
		n->work_dir_id = n->api_id = "b3a1-S9";
		node_agent_start(n);
		node_link(n, p);
		node_agent_serves(n);
		node_wait(n, 100);
		node_snapshot(n);
		is(n, "orphaned");
		assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
		node_free(n);
	}
}

static void came_after_the_audit(void **state)
{
	one(n, p);
	struct node_proc *late = node_executor(n, "late");
	struct report *report;

	(void)p;
	(void)state;
	node_snapshot(n);
	report = node_report(n, REPORT_RUN);
	assert_int_equal(report->n_executors, 2);
	assert_true(node_find(report, "late")->appeared);
	assert_false(node_find(report, "web")->appeared);
	assert_string_equal(outcome_name(node_find(report, "late")->outcome), "kept");
	report_free(report);
	node_ends(n, late, SIGKILL, 4711);
	node_judge(n);
	assert_string_equal(node_outcome(n, "late"), "killed");
	assert_int_equal(node_exit_code(n, REPORT_RUN), 2);
	node_free(n);
}

/* Its state comes before its links in the order of verdicts: the links count all the same. */
static void came_and_has_no_link(void **state)
{
	static const struct {
		struct node_spec spec;
		const char *want;
		int code;
	} rows[] = {
		{ { .state = "T" }, "kept", 0 },
		{ { .state = "T", .unlinked = true }, "unknown", 3 },
		{ { .state = "T", .half_open = true }, "unknown", 3 },
		{ { .version = "1.11.0", .half_open = true }, "unknown", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		(void)p;
		node_executor_(n, "late", rows[i].spec);
		node_snapshot(n);
		assert_string_equal(node_outcome(n, "late"), rows[i].want);
		assert_int_equal(node_exit_code(n, REPORT_VERIFY), rows[i].code);
		node_free(n);
	}
}

/* A run that is over on disk, of which nobody ever saw a process or a socket. */
static struct node_proc *run_over(struct node *n, const char *id)
{
	struct node_proc *p;

	n->quiet = true;
	p = node_executor(n, id);
	p->alive = false;
	p->spec.completed = p->task_over = true;
	p->listener->unseen = p->links[0]->unseen = p->links[0]->peer->unseen = true;
	return p;
}

static void came_and_ended_unseen(void **state)
{
	static const struct {
		const char *source, *task, *by, *reason, *want;
		int code;
	} rows[] = {
		{ "disk", "TASK_FAILED", "agent", "REASON_EXECUTOR_TERMINATED", "lost", 2 },
		{ "api", "TASK_FAILED", "", "", "lost", 2 },
		{ "disk", "TASK_FAILED", "agent", "REASON_EXECUTOR_REREGISTRATION_TIMEOUT",
		  "killed-by-agent", 2 },
		{ "disk", "TASK_FINISHED", "executor", "", "finished", 0 },
		{ "disk", NULL, "", "", "unknown", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);
		struct node_proc *late = run_over(n, "late");
		struct report *report;

		(void)p;
		if (rows[i].task)
			node_task_recorded(n, late, rows[i].source, rows[i].task, rows[i].by,
					   rows[i].reason);
		node_snapshot(n);
		assert_string_equal(node_outcome(n, "late"), rows[i].want);
		assert_int_equal(node_exit_code(n, REPORT_VERIFY), rows[i].code);
		report = node_report(n, REPORT_VERIFY);
		assert_int_equal(report->n_executors, 2);
		assert_true(node_find(report, "late")->appeared);
		report_free(report);
		node_free(n);
	}
}

static void ended_before_the_audit(void **state)
{
	struct node *n = node_new();
	struct node_proc *early;

	(void)state;
	node_executor(n, "web");
	early = run_over(n, "early");
	run_over(n, "early-without-tasks");
	node_task_recorded(n, early, "disk", "TASK_FAILED", "agent", "REASON_EXECUTOR_TERMINATED");
	node_wait(n, 1);
	node_snapshot(n);
	node_baseline(n);
	node_wait(n, 1);
	node_snapshot(n);
	assert_string_equal(node_outcome(n, "web"), "kept");
	assert_string_equal(node_outcome(n, "early"), "none");
	assert_string_equal(node_outcome(n, "early-without-tasks"), "none");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 0);
	node_free(n);
}

static void away_for_too_long(void **state)
{
	static const struct {
		int away;
		size_t findings;
	} rows[] = { { 70, 0 }, { 80, 1 } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p);
		struct report *report;

		node_agent_stop(n);
		node_wait(n, rows[i].away);
		node_agent_start(n);
		node_comes_back(n, p);
		node_agent_serves(n);
		is(n, "reregistered by message");
		report = node_report(n, REPORT_RUN);
		assert_int_equal(report->n_findings, rows[i].findings);
		if (report->n_findings) {
			assert_string_equal(report->findings[0].id, "master-timeout");
			assert_non_null(strstr(report->findings[0].evidence, "away for 80 s"));
		}
		assert_int_equal(report->exit_code, (int)rows[i].findings);
		report_free(report);
		node_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_message),
		cmocka_unit_test(sent_to_nobody),
		cmocka_unit_test(by_record),
		cmocka_unit_test(worst_of_two),
		cmocka_unit_test(afterwards),
		cmocka_unit_test(by_log),
		cmocka_unit_test(told_first),
		cmocka_unit_test(timer_first),
		cmocka_unit_test(killed_by_whom_is_not_seen),
		cmocka_unit_test(kills_its_own_group),
		cmocka_unit_test(late_is_said_of_the_late_alone),
		cmocka_unit_test(refused),
		cmocka_unit_test(of_another_agent_id),
		cmocka_unit_test(came_after_the_audit),
		cmocka_unit_test(came_and_has_no_link),
		cmocka_unit_test(came_and_ended_unseen),
		cmocka_unit_test(ended_before_the_audit),
		cmocka_unit_test(away_for_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
