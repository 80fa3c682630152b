/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors that have ended: who caused it, and when the cause is unknown. */
#include <signal.h>

#include "node_window.h"

static void killer_is(struct node *n, int pid)
{
	struct report *report = node_report(n, REPORT_VERIFY);

	assert_int_equal(report->executors[0].killer, pid);
	assert_true(report->executors[0].ended != 0);
	report_free(report);
}

static void with_the_agent_up(void **state)
{
	static const struct {
		int status;
		const char *want;
	} rows[] = {
		{ EXIT_WITH(0), "unknown" },   { EXIT_WITH(1), "crashed" },
		{ EXIT_WITH(255), "crashed" }, { SIGSEGV, "crashed" },
		{ SIGABRT, "crashed" },	       { SIGKILL, "killed" },
		{ SIGTERM, "killed" },	       { -1, "lost" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p);

		node_ends(n, p, rows[i].status, 0);
		node_judge(n);
		if (strcmp(node_outcome(n, "web"), rows[i].want) != 0)
			fail_msg("status %#x: %s, not %s", rows[i].status, node_outcome(n, "web"),
				 rows[i].want);
		node_free(n);
	}
}

static void killed_by_somebody(void **state)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGABRT };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		one(n, p);

		node_ends(n, p, signals[i], 4711);
		is(n, "killed");
		killer_is(n, 4711);
		node_free(n);
	}
}

static void aborts(void **state)
{
	one(n, p);

	(void)state;
	node_ends(n, p, SIGABRT, p->pid);
	is(n, "crashed");
	node_free(n);
}

/* Restarted, asked, no answer: after 2 s the agent kills it, by itself or by a child. */
static void killed_by_the_agent(void **state)
{
	one(n, p, .entry = EW_NO);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_wait(n, 2);
	node_ends(n, p, SIGKILL, n->agent);
	is(n, "killed-by-agent");
	killer_is(n, n->agent);
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
	node_free(n);
}

/* --no-bpf: the exit status is seen, the sender of the signal is not. */
static void killed_by_a_sender_that_was_not_seen(void **state)
{
	static const struct {
		const char *what;
		bool v1;
		int64_t after;		    /* s, from the end of the link to its own */
		const char *cause, *source; /* that is found of its end; NULL: nothing */
		const char *want;
	} rows[] = {
		{ "nothing is found", false, 1, NULL, NULL, "killed" },
		{ "the agent's log", false, 1, "killed-by-agent", "log", "killed-by-agent" },
		{ "its own log", false, 1, "self-terminated", "log", "self-terminated" },
		{ "a log of a crash", false, 1, "crashed", "log", "killed" },
		{ "its recovery timeout", true, 901, NULL, NULL, "self-terminated" },
		{ "before its recovery timeout", true, 600, NULL, NULL, "killed" },
		{ "the log against the timeout", true, 901, "killed-by-agent", "log",
		  "killed-by-agent" },
		{ "v0 ends with a status", false, 901, NULL, NULL, "killed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		one(n, p, .v1 = rows[i].v1);

		node_agent_stop(n);
		node_wait(n, (double)rows[i].after);
		node_ends(n, p, SIGKILL, 0);
		if (rows[i].cause)
			node_emit(n, (struct fact){ .type = FACT_END,
						    .end = { .framework_id = p->spec.framework,
							     .executor_id = "web",
							     .container_id = "web",
							     .cause = rows[i].cause,
							     .source = rows[i].source,
							     .text = "a log says so." } });
		node_snapshot(n);
		if (strcmp(node_outcome(n, "web"), rows[i].want) != 0)
			fail_msg("%s: %s, not %s", rows[i].what, node_outcome(n, "web"),
				 rows[i].want);
		node_free(n);
	}
}

static void killed_by_the_agents_child(void **state)
{
	one(n, p, .entry = EW_NO);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_emit(n, (struct fact){ .type = FACT_FORK,
				    .fork = { .pid = 5555, .start = 55550, .parent = n->agent } });
	node_wait(n, 2);
	node_ends(n, p, SIGKILL, 5555);
	node_emit(n, (struct fact){ .type = FACT_EXIT, .exit = { .pid = 5555, .start = 55550 } });
	is(n, "killed-by-agent");
	for (int i = 0; i < 3; i++) {
		node_wait(n, 3000); /* the child is forgotten, what it did is not */
		node_snapshot(n);
	}
	is(n, "killed-by-agent");
	node_free(n);
}

/* Executors are the agent's children as well. */
static void killed_by_another_executor(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web"), *other;

	(void)state;
	node_snapshot(n);
	node_baseline(n);
	node_emit(n, (struct fact){ .type = FACT_FORK,
				    .fork = { .pid = 6000, .start = 60000, .parent = n->agent } });
	other = node_executor(n, "db", .pid = 6000);
	node_snapshot(n);
	node_ends(n, p, SIGKILL, other->pid);
	is(n, "killed");
	node_free(n);
}

static void shutdown_was_sent(void **state)
{
	static const int statuses[] = { EXIT_WITH(0), SIGKILL };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p);

		node_tell(n, p, "ShutdownExecutorMessage");
		node_wait(n, 5);
		node_ends(n, p, statuses[i], statuses[i] == SIGKILL ? p->pid : 0); /* killpg(0) */
		is(n, "killed-by-agent");
		node_free(n);
	}
}

/* ---- its own clock ---- */

static void recovery_timeout(void **state)
{
	static const struct {
		double after; /* s since it was cut off */
		int status;
		bool by_itself;
		const char *want;
	} rows[] = {
		{ 60, EXIT_WITH(0), false, "self-terminated" },
		{ 61, EXIT_WITH(255), false, "self-terminated" },
		{ 65, SIGKILL, true, "self-terminated" },
		{ 65, SIGKILL, false, "killed" },
		{ 30, EXIT_WITH(0), false, "lost" },
		{ 30, EXIT_WITH(1), false, "crashed" },
		{ 30, SIGKILL, true, "self-terminated" }, /* or the agent's order; never killed */
		{ 30, SIGSEGV, false, "crashed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p, .timeout = 60);

		node_agent_stop(n);
		node_wait(n, rows[i].after);
		node_ends(n, p, rows[i].status, rows[i].by_itself ? p->pid : 0);
		node_judge(n);
		if (strcmp(node_outcome(n, "web"), rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, node_outcome(n, "web"), rows[i].want);
		node_free(n);
	}
}

/* Mesos' clock is the wall's: a step shortens it. It ends its task, and itself with 0. */
static void it_ended_its_task(void **state)
{
	one(n, p, .timeout = 60);
	struct node_proc *task = node_helper(n, p);

	(void)state;
	node_agent_stop(n);
	node_wait(n, 30);
	node_signal(n, p->pid, task->pid, SIGTERM);
	node_wait(n, 1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "self-terminated");
	node_free(n);
}

/*
 * Its timeout runs out while the agent recovers, and the agent takes it back in its grace period:
 * its driver ignores that. What it says of its task is not what its framework wanted.
 */
static void it_registered_while_it_ended_itself(void **state)
{
	static const struct {
		double after, grace;
		const char *living, *ended;
	} rows[] = {
		{ 9.9, 0.5, "reregistered by message", "task-killed" },
		{ 10.1, 0.5, "waiting", "self-terminated" },
		{ 10.1, 6.5, "reregistered by message", "task-killed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, p, .timeout = 10);

		node_agent_stop(n);
		node_agent_start(n);
		node_wait(n, rows[i].after);
		node_comes_back(n, p);
		node_wait(n, rows[i].grace);
		node_snapshot(n);
		is(n, rows[i].living);
		node_tell(n, p, "KillTaskMessage");
		node_task_ends(n, p, "TASK_KILLED");
		node_ends(n, p, EXIT_WITH(0), 0);
		node_judge(n);
		if (strcmp(node_outcome(n, "web"), rows[i].ended) != 0)
			fail_msg("row %zu: %s, not %s", i, node_outcome(n, "web"), rows[i].ended);
		node_free(n);
	}
}

/* Asked to reconnect, it lost its link again: the agent's answer comes too late. */
static void it_registered_after_a_second_end(void **state)
{
	one(n, p, .timeout = 900);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_close(n, p->links[0], p->pid, true);
	node_tell(n, p, "ExecutorReregisteredMessage");
	node_task_ends(n, p, "TASK_KILLED");
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "self-terminated");
	node_free(n);
}

/* A health check that it killed half an hour before is not its task. */
static void it_ended_a_helper(void **state)
{
	one(n, p, .timeout = 7200);
	struct node_proc *check = node_helper(n, p);

	(void)state;
	node_agent_stop(n);
	node_wait(n, 30);
	node_signal(n, p->pid, check->pid, SIGKILL);
	node_wait(n, 1800);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "lost");
	node_free(n);
}

/* ---- causes that are unknown ---- */

/* docker stop ends the container, and the executor ends with 0: as if its task had ended. */
static void stopped_with_status_0(void **state)
{
	one(n, p, .entry = EW_NO);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_wait(n, 2.5);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "unknown");
	node_free(n);
}

static void finished_after_it_had_come_back(void **state)
{
	static const bool quiet[] = { false, true };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p);

		n->quiet = quiet[i];
		node_agent_stop(n);
		node_agent_start(n);
		node_comes_back(n, p);
		node_wait(n, 20);
		node_agent_serves(n);
		node_task_ends(n, p, "TASK_FINISHED");
		if (quiet[i])
			node_task_recorded(n, p, "disk", "TASK_FINISHED", "executor", "");
		node_wait(n, 1);
		node_ends(n, p, EXIT_WITH(0), 0);
		is(n, "finished");
		for (int j = 0; j < 3; j++) {
			node_wait(n, 3000); /* its links are forgotten, that it was linked is not */
			node_snapshot(n);
		}
		is(n, "finished");
		node_free(n);
	}
}

static void events_were_lost(void **state)
{
	static const struct {
		int status, killer;
		uint64_t lost;
		const char *want;
	} rows[] = {
		{ EXIT_WITH(0), 0, 0, "finished" },
		{ EXIT_WITH(0), 0, 1, "unknown" },
		{ SIGKILL, 4711, 1, "killed" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		one(n, p);

		node_emit(n, (struct fact){ .type = FACT_LOST,
					    .lost = { "message-ring", rows[i].lost, 100 } });
		if (!rows[i].killer)
			node_task_ends(n, p, "TASK_FINISHED");
		node_ends(n, p, rows[i].status, rows[i].killer);
		is(n, rows[i].want);
		node_free(n);
	}
}

/* Events lost before the window do not count, however often they are reported. */
static void events_were_lost_before(void **state)
{
	(void)state;
	one(n, p);
	struct fact lost = { .type = FACT_LOST, .mono = 1, .lost = { "history", 7, 0 } };

	node_emit(n, lost);
	lost.mono = 0; /* now */
	node_emit(n, lost);
	node_task_ends(n, p, "TASK_FINISHED");
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "finished");
	lost.lost.lost++;
	node_emit(n, lost);
	is(n, "unknown");
	node_free(n);
}

/* It was cut off before the watch began; its clock was nobody's to see. */
static void clock_that_nobody_saw(void **state)
{
	static const struct {
		double after;
		bool linked;
		const char *want;
	} rows[] = {
		{ 10, false, "unknown" },
		{ 100, false, "self-terminated" },
		{ 100, true, "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		one(n, p, .timeout = 60);
		struct report *audit = node_report(n, REPORT_AUDIT);
		struct fact_sink sink = { node_sink_emit, n };

		n->hooks = false;
		if (!rows[i].linked)
			node_drops(n, p);
		node_wait(n, 5);
		node_watch_anew(n);
		model_baseline(audit, &sink);
		report_free(audit);
		n->hooks = true;
		node_snapshot(n);
		is(n, rows[i].linked ? "kept" : "waiting");
		node_wait(n, rows[i].after);
		node_ends(n, p, EXIT_WITH(0), 0);
		node_judge(n);
		if (strcmp(node_outcome(n, "web"), rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, node_outcome(n, "web"), rows[i].want);
		node_free(n);
	}
}

static void end_that_nobody_saw(void **state)
{
	one(n, p);

	(void)state;
	n->hooks = false;
	node_ends(n, p, EXIT_WITH(0), 0);
	node_snapshot(n);
	is(n, "lost");
	node_free(n);
}

/* A leader's exit is reported twice, and a row read before it arrives after it. */
static void end_is_told_once(void **state)
{
	one(n, p);

	(void)state;
	node_task_ends(n, p, "TASK_FINISHED");
	node_ends(n, p, EXIT_WITH(0), 0);
	node_exit_emit(n, p->pid, p->start, SIGKILL, 0);
	node_emit_process(n, p);
	is(n, "finished");
	node_snapshot(n);
	is(n, "finished");
	assert_string_equal(node_verdict(n, "web"), "none");
	node_free(n);
}

/* What is not checkpointed, or never registered, ends when its link does: lost, and no riddle. */
static void ends_with_its_agent(void **state)
{
	static const struct node_spec specs[] = { { .no_checkpoint = true },
						  { .unregistered = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct node *n = node_new();
		struct node_proc *p = node_executor_(n, "web", specs[i]);

		node_snapshot(n);
		node_baseline(n);
		node_agent_stop(n);
		node_agent_start(n);
		node_wait(n, 0.1);
		node_ends(n, p, 0, 0);
		node_judge(n);
		assert_string_equal(node_outcome(n, "web"), "self-terminated");
		node_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_with_its_agent),
		cmocka_unit_test(with_the_agent_up),
		cmocka_unit_test(killed_by_somebody),
		cmocka_unit_test(aborts),
		cmocka_unit_test(killed_by_the_agent),
		cmocka_unit_test(killed_by_a_sender_that_was_not_seen),
		cmocka_unit_test(killed_by_the_agents_child),
		cmocka_unit_test(killed_by_another_executor),
		cmocka_unit_test(shutdown_was_sent),
		cmocka_unit_test(recovery_timeout),
		cmocka_unit_test(it_ended_its_task),
		cmocka_unit_test(it_registered_while_it_ended_itself),
		cmocka_unit_test(it_registered_after_a_second_end),
		cmocka_unit_test(it_ended_a_helper),
		cmocka_unit_test(stopped_with_status_0),
		cmocka_unit_test(finished_after_it_had_come_back),
		cmocka_unit_test(events_were_lost_before),
		cmocka_unit_test(events_were_lost),
		cmocka_unit_test(clock_that_nobody_saw),
		cmocka_unit_test(end_that_nobody_saw),
		cmocka_unit_test(end_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
