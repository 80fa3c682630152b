/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Who is the agent, whose an executor is, and what is said when the lists that know it disagree. */
#include "node_audit.h"

static int agent_pid(struct node *n)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	int pid = report->agent.pid;

	report_free(report);
	return pid;
}

static void of_another_user(void **state)
{
	struct fact_agent evil = other_agent("127.0.0.2:5051", NODE_HOST_NS);
	one(n, 0);

	(void)state;
	evil.uid_known = EW_YES;
	evil.uid = 65534;
	node_snapshot(n);
	scan_with(n, evil);
	assert_int_equal(agent_pid(n), n->agent);
	check(n, "web", "healthy");
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 1);
	node_agent_stop(n);
	scan_with(n, evil);
	assert_int_equal(agent_pid(n), 0);
	node_free(n);
}

static void of_another_namespace(void **state)
{
	one(n, 0);

	(void)state;
	n->own_netns = NODE_HOST_NS;
	n->elsewhere = EW_NO;
	node_window(n);
	node_snapshot(n);
	node_agent_stop(n);
	scan_with(n, other_agent("10.0.0.8:5051", 99));
	assert_int_equal(agent_pid(n), 0);
	check(n, "web", "disconnected");
	n->elsewhere = EW_YES; /* --agent-url */
	node_window(n);
	assert_int_equal(agent_pid(n), 8888);
	node_free(n);
}

/* Of another namespace that has the same addresses, and whose agent is down. */
static void an_address_of_another_namespace_is_another(void **state)
{
	one(n, 0);
	struct node_proc *theirs = node_executor(n, "theirs", .slave_id = "other-S9", .netns = 99,
						 .unlinked = true, .unregistered = true);

	(void)state;
	n->own_netns = NODE_HOST_NS;
	n->elsewhere = EW_NO;
	node_window(n);
	node_snapshot(n);
	check(n, "theirs", "orphaned"); /* it listens on every address: nothing tells */
	theirs->listener->local = node_addr("10.0.0.7:31000");
	node_snapshot(n);
	check(n, "theirs", "foreign");
	check(n, "web", "healthy");
	node_free(n);
}

static void ids_contradict_each_other(void **state)
{
	one(n, 0);

	(void)state;
	node_executor(n, "off", .no_checkpoint = true);
	node_executor(n, "disk", .slave_id = "other-S9");
	n->work_dir_id = "other-S9";
	node_snapshot(n);
	check(n, "web", "unknown");
	check(n, "disk", "unknown");	  /* has the other id */
	check(n, "off", "no-checkpoint"); /* whatever its agent is */
	why_has(n, "web", "latest names other-S9");
	node_free(n);
}

static void checkpoints_of_another_boot(void **state)
{
	static const struct {
		enum ew_tri own_boot;
		const char *want;
	} rows[] = { { EW_NO, "orphaned" }, { EW_YES, "healthy" }, { EW_UNKNOWN, "unknown" } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		one(n, 0);

		n->same_boot = EW_NO;
		n->own_boot = rows[i].own_boot;
		node_snapshot(n);
		check(n, "web", rows[i].want);
		node_free(n);
	}
}

static void latest_is_missing(void **state)
{
	one(n, 0);

	(void)state;
	n->latest = EW_NO;
	node_snapshot(n);
	check(n, "web", "orphaned");
	why_has(n, "web", "meta/slaves/latest is missing");
	n->latest = EW_YES;
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

static void run_without_a_process(void **state)
{
	one(n, 0);
	struct report *report;

	(void)state;
	node_executor(n, "stays");
	n->latest_runs = true;
	p->unseen = true;
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(node_find(report, "web")->pid, 0);
	report_free(report);
	check(n, "web", "unknown");
	check(n, "stays", "healthy");
	p->spec.completed = true;
	node_snapshot(n);
	check(n, "web", "none");
	node_free(n);
}

static void not_in_the_api(void **state)
{
	one(n, 0);

	(void)state;
	node_executor(n, "stays");
	p->is_executor = false; /* neither the API nor the disk lists it */
	node_snapshot(n);
	p->is_executor = true; /* the disk does */
	n->scope = SCAN_ALL & ~SCAN_API;
	node_snapshot(n);
	check(n, "web", "healthy"); /* whether access rules have left it out is not known */
	n->api_complete = EW_YES;
	n->scope = SCAN_ALL;
	p->is_executor = false;
	node_snapshot(n);
	p->is_executor = true;
	n->scope = SCAN_ALL & ~SCAN_API;
	node_snapshot(n);
	check(n, "web", "unknown");
	why_has(n, "web", "does not list it");
	n->scope = SCAN_ALL;
	node_snapshot(n);
	check(n, "web", "healthy");
	node_free(n);
}

static void nobody_is_there(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "theirs", .slave_pid = "slave(1)@10.0.0.7:5052", .slave_id = "other");
	node_snapshot(n);
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 0);
	node_agent_stop(n);
	node_snapshot(n);
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 3);
	node_free(n);
}

static void agent_comes_back_with_another_id(void **state)
{
	one(n, 0);

	(void)state;
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	n->work_dir_id = "b3a1-S1";
	node_agent_start(n);
	node_snapshot(n);
	assert_string_equal(node_outcome(n, "web"), "orphaned");
	assert_int_equal(node_exit_code(n, REPORT_VERIFY), 2);
	node_free(n);
}

/*
 * Without an agent and without its id an executor is ours by its address alone, which says nothing
 * in a network namespace that the agent is not in.
 */
static void no_agent_was_ever_seen(void **state)
{
	static const struct {
		const char *what;
		uint64_t own_netns, netns;
		enum ew_tri elsewhere;
		const char *want;
	} rows[] = {
		{ "of the agent's namespace", NODE_HOST_NS, NODE_HOST_NS, EW_NO, "no-checkpoint" },
		{ "of another namespace", NODE_HOST_NS, 99, EW_NO, "unknown" },
		{ "of another, which may be meant", NODE_HOST_NS, 99, EW_YES, "no-checkpoint" },
		{ "of another, in an old recording", NODE_HOST_NS, 99, EW_UNKNOWN,
		  "no-checkpoint" },
		{ "where our namespace is not known", 0, 99, EW_NO, "no-checkpoint" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		one(n, .netns = rows[i].netns, .no_checkpoint = true, .unlinked = true);

		n->own_netns = rows[i].own_netns;
		n->elsewhere = rows[i].elsewhere;
		n->no_work_dir = true;
		node_agent_stop(n);
		node_watch_anew(n);
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		node_free(n);
	}
}

static void listens(struct node *n, const char *address, uint64_t netns)
{
	node_emit(n, (struct fact){ .type = FACT_LISTENER,
				    .listener = { .listen = node_addr(address), .netns = netns } });
}

/*
 * While our agent is down, an executor of another port is another agent's only if that listens:
 * ours may have advertised the port.
 */
static void of_another_port_while_no_agent_runs(void **state)
{
	static const struct {
		const char *what, *slave_pid, *listens; /* NULL: nobody */
		uint64_t netns, there;
		const char *want;
	} rows[] = {
		{ "nobody listens", "slave(1)@10.0.0.7:5052", NULL, NODE_HOST_NS, 0, "unknown" },
		{ "its agent listens", "slave(1)@10.0.0.7:5052", "10.0.0.7:5052", NODE_HOST_NS,
		  NODE_HOST_NS, "foreign" },
		{ "its agent listens on all addresses", "slave(1)@10.0.0.7:5052", "0.0.0.0:5052",
		  NODE_HOST_NS, NODE_HOST_NS, "foreign" },
		{ "another port", "slave(1)@10.0.0.7:5052", "10.0.0.7:5053", NODE_HOST_NS,
		  NODE_HOST_NS, "unknown" },
		{ "another address", "slave(1)@10.0.0.7:5052", "10.0.0.8:5052", NODE_HOST_NS,
		  NODE_HOST_NS, "unknown" },
		{ "the host's agent from a container", "slave(1)@10.0.0.7:5052", "10.0.0.7:5052",
		  99, NODE_HOST_NS, "foreign" },
		{ "the host's loopback from a container", "slave(1)@127.0.0.1:5052", "0.0.0.0:5052",
		  99, NODE_HOST_NS, "foreign" },
		{ "an agent of another namespace", "slave(1)@10.0.0.7:5052", "10.0.0.7:5052",
		  NODE_HOST_NS, 99, "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		one(n, .slave_pid = rows[i].slave_pid, .netns = rows[i].netns, .unlinked = true);

		n->own_netns = NODE_HOST_NS;
		n->elsewhere = EW_NO;
		n->no_work_dir = true;
		node_agent_stop(n);
		node_watch_anew(n);
		node_snapshot(n);
		if (rows[i].listens)
			listens(n, rows[i].listens, rows[i].there);
		check_row(n, rows[i].what, rows[i].want);
		assert_int_equal(node_exit_code(n, REPORT_AUDIT), 3);
		node_free(n);
	}
}

/* Another namespace's agent may be meant: its loopback addresses are its own all the same. */
static void the_loopback_of_another_namespace(void **state)
{
	one(n, .slave_pid = "slave(1)@127.0.0.1:5052", .netns = 99, .unlinked = true);

	(void)state;
	n->own_netns = NODE_HOST_NS;
	n->elsewhere = EW_YES;
	n->no_work_dir = true;
	node_agent_stop(n);
	node_watch_anew(n);
	node_snapshot(n);
	listens(n, "0.0.0.0:5052", NODE_HOST_NS);
	check(n, "web", "unknown");
	listens(n, "127.0.0.1:5052", 99);
	check(n, "web", "foreign");
	node_free(n);
}

/* A later scan does not find the listener any more. */
static void another_agent_that_listens_no_more(void **state)
{
	one(n, .slave_pid = "slave(1)@10.0.0.7:5052", .unlinked = true);

	(void)state;
	n->no_work_dir = true;
	node_agent_stop(n);
	node_watch_anew(n);
	node_snapshot(n);
	listens(n, "10.0.0.7:5052", NODE_HOST_NS);
	check(n, "web", "foreign");
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

/* Its agent's address cannot be read, and its agent id is another: whose it is is not known. */
static void an_agent_that_has_no_address(void **state)
{
	one(n, .no_checkpoint = true, .slave_id = "other-S9", .slave_pid = "no address");

	(void)state;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

/* What was read of the agent before says nothing of one that has come since. */
static void what_was_read_of_the_agent_before(void **state)
{
	one(n, .slave_id = "b3a1-S1");

	(void)state;
	node_snapshot(n);
	check(n, "web", "orphaned");
	node_agent_stop(n);
	node_agent_start(n);
	check(n, "web", "unknown");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_another_user),
		cmocka_unit_test(an_address_of_another_namespace_is_another),
		cmocka_unit_test(of_another_namespace),
		cmocka_unit_test(ids_contradict_each_other),
		cmocka_unit_test(checkpoints_of_another_boot),
		cmocka_unit_test(latest_is_missing),
		cmocka_unit_test(run_without_a_process),
		cmocka_unit_test(not_in_the_api),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(agent_comes_back_with_another_id),
		cmocka_unit_test(no_agent_was_ever_seen),
		cmocka_unit_test(of_another_port_while_no_agent_runs),
		cmocka_unit_test(the_loopback_of_another_namespace),
		cmocka_unit_test(another_agent_that_listens_no_more),
		cmocka_unit_test(an_agent_that_has_no_address),
		cmocka_unit_test(what_was_read_of_the_agent_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
