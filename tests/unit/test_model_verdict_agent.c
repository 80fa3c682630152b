/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdicts that turn on the agent: its end of a link, which process it is, whose an executor is. */
#include "node_audit.h"

/* ---- the agent's end ---- */

static void agents_end_is_ownerless(void **state)
{
	one(n, 0);

	(void)state;
	p->links[0]->peer->state = TCP_FIN_WAIT1;
	p->links[0]->peer->n_holds = 0;
	p->links[0]->peer->inode = 0;
	node_snapshot(n);
	check(n, "web", "half-open");
	node_free(n);
}

/* The agent's child has its end, and the agent that is gone or new has not. */
static void agents_end_was_inherited(void **state)
{
	one(n, 0);
	struct node_sock *end = p->links[0]->peer;

	(void)state;
	node_hold_too(end, 4711, 9);
	node_snapshot(n);
	check(n, "web", "healthy");
	node_agent_stop(n);
	assert_int_equal(end->state, TCP_ESTABLISHED);
	node_unhold(end, end->holds[0].pid);
	node_agent_start(n);
	node_agent_serves(n);
	check(n, "web", "half-open");
	node_free(n);
}

/* Accepted while a hook watched: the acceptor's word does not outlive a pass that shows who holds
 * it. */
static void agents_end_was_accepted_by_one_that_is_gone(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true);

	(void)state;
	node_snapshot(n);
	node_link(n, p);
	node_snapshot(n);
	check(n, "web", "healthy");
	node_hold_too(p->links[0]->peer, 4711, 9);
	node_agent_stop(n);
	node_unhold(p->links[0]->peer, p->links[0]->peer->holds[0].pid);
	node_agent_start(n);
	node_agent_serves(n);
	check(n, "web", "half-open");
	node_free(n);
}

static void agents_end_is_not_accepted_yet(void **state)
{
	one(n, 0);

	(void)state;
	p->links[0]->peer->n_holds = 0;
	p->links[0]->peer->inode = 0;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

static void agent_down(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "knows");
	node_executor(n, "stale", .entry = EW_NO);
	node_executor(n, "v1", .v1 = true, .entry = EW_NO);
	node_executor(n, "relinks", .version = "1.4.3", .entry = EW_NO);
	node_snapshot(n);
	node_agent_stop(n);
	node_snapshot(n);
	check(n, "knows", "disconnected");
	check(n, "stale", "half-open");
	check(n, "v1", "half-open");
	check(n, "relinks", "self-healing");
	node_free(n);
}

/* Without the right to read who listens, the agent's end cannot be called missing. */
static void agent_of_another_user(void **state)
{
	one(n, 0);

	(void)state;
	n->listen->n_holds = 0;
	p->links[0]->peer->n_holds = 0;
	n->agent = 0;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

/* A child that the agent has just forked holds the listener too: it is no second agent. */
static void agent_forks(void **state)
{
	struct fact_agent child = other_agent("10.0.0.7:5051", NODE_HOST_NS);
	one(n, 0);
	struct report *report;

	(void)state;
	node_snapshot(n);
	node_baseline(n);
	child.cookie = n->listen->cookie;
	scan_with(n, child);
	report = node_report(n, REPORT_VERIFY);
	assert_int_equal(report->agent.pid, n->agent);
	assert_false(report->agent.restarted);
	report_free(report);
	assert_string_equal(node_outcome(n, "web"), "kept");
	node_free(n);
}

/* A task that listens on the same port in its own namespace is no agent. */
static void task_listens_on_agents_port(void **state)
{
	struct fact_agent task = other_agent("0.0.0.0:5051", 99);
	one(n, 0);

	(void)state;
	node_snapshot(n);
	task.comm = "nginx";
	scan_with(n, task);
	check(n, "web", "healthy");
	node_agent_stop(n);
	node_judge(n);
	{
		struct report *report = node_report(n, REPORT_AUDIT);

		assert_int_equal(report->agent.pid, 0);
		report_free(report);
	}
	node_free(n);
}

/* ---- it recovers ---- */

/* Who was asked to reconnect and has not registered again must not lose its link: nobody knows who
 * that is. */
static void agent_recovers(void **state)
{
	one(n, 0);

	(void)state;
	node_executor(n, "relinks", .version = "1.11.0");
	node_executor(n, "http", .v1 = true);
	n->api_status = 503;
	node_snapshot(n);
	check(n, "web", "unknown");
	check(n, "relinks", "unknown");
	why_has(n, "web", "not finished its recovery");
	check(n, "http", "healthy"); /* it subscribes whenever it likes */
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 3);
	n->api_status = 200;
	node_snapshot(n);
	check(n, "web", "healthy");
	check(n, "relinks", "healthy");
	node_free(n);
}

static void seen_to_register_while_the_agent_recovers(void **state)
{
	one(n, 0);

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_link(n, p);
	node_snapshot(n);
	check(n, "web", "unknown");
	node_says(n, p, "ReregisterExecutorMessage");
	node_tell(n, p, "ExecutorReregisteredMessage");
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

/* ---- whose ---- */

static void agent_on_any_address(void **state)
{
	one(n, 0);

	(void)state;
	n->listen->local = n->agent_addr = node_addr("0.0.0.0:5051");
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

/* Two agents on one host, each on an address of its own: foreign while the other is there. */
static void foreign_by_address(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	node_executor(n, "theirs", .slave_pid = "slave(1)@10.0.0.8:5051", .unlinked = true);
	node_executor(n, "lost", .slave_pid = "slave(1)@10.0.0.9:5051", .slave_id = "other-S1",
		      .unlinked = true);
	n->procs[1]->spec.slave_id = "other-S9";
	node_snapshot(n);
	check(n, "theirs", "unknown");
	node_emit(n, (struct fact){ .type = FACT_AGENT,
				    .agent = other_agent("10.0.0.8:5051", NODE_HOST_NS) });
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", 0 } });
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", 0 } });
	check(n, "theirs", "foreign");
	check(n, "lost", "unknown");
	check(n, "web", "healthy");
	node_free(n);
}

/* A loopback address means the agent of the executor's own namespace, whoever else has that
 * address. */
static void a_loopback_address_is_not_another_namespaces(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	node_executor(n, "lost", .slave_pid = "slave(1)@127.0.0.1:5051", .slave_id = "other-S1",
		      .unlinked = true);
	n->procs[1]->spec.slave_id = "other-S9";
	node_snapshot(n);
	node_emit(n, (struct fact){ .type = FACT_AGENT,
				    .agent = other_agent("127.0.0.1:5051", NODE_HOST_NS + 7) });
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", 0 } });
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", 0 } });
	check(n, "lost", "unknown");
	node_free(n);
}

/* An executor that also talks to an agent of another host: that is no link of it. */
static void connection_to_another_hosts_agent(void **state)
{
	one(n, 0);

	(void)state;
	node_connect(n, p->pid, NODE_HOST_NS, 0, NODE_HOST_NS, "10.9.9.9:5051");
	node_snapshot(n);
	check(n, "web", "healthy");
	{
		struct report *report = node_report(n, REPORT_AUDIT);

		assert_int_equal(node_find(report, "web")->n_links, 1);
		assert_int_equal(report->n_others, 1);
		report_free(report);
	}
	node_free(n);
}

static void others_are_named(void **state)
{
	one(n, 0);
	struct report *report;

	(void)state;
	node_emit(n, (struct fact){ .type = FACT_PROCESS,
				    .process = { .pid = 500,
						 .start = 5000,
						 .comm = "mesos-master",
						 .environ_read = EW_YES } });
	for (int i = 0; i < 2; i++)
		node_connect(n, 500, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->n_executors, 1);
	assert_int_equal(report->n_others, 1);
	assert_int_equal(report->others[0].pid, 500);
	assert_int_equal(report->others[0].connections, 2);
	report_free(report);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agents_end_is_ownerless),
		cmocka_unit_test(agents_end_was_inherited),
		cmocka_unit_test(agents_end_was_accepted_by_one_that_is_gone),
		cmocka_unit_test(agents_end_is_not_accepted_yet),
		cmocka_unit_test(agent_down),
		cmocka_unit_test(agent_of_another_user),
		cmocka_unit_test(agent_forks),
		cmocka_unit_test(task_listens_on_agents_port),
		cmocka_unit_test(agent_on_any_address),
		cmocka_unit_test(foreign_by_address),
		cmocka_unit_test(a_loopback_address_is_not_another_namespaces),
		cmocka_unit_test(connection_to_another_hosts_agent),
		cmocka_unit_test(others_are_named),
		cmocka_unit_test(agent_recovers),
		cmocka_unit_test(seen_to_register_while_the_agent_recovers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
