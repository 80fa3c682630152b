/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors that cannot answer, those with the agent's fate, and what goes over domain sockets. */
#include "node_audit.h"

#include "model/report.h"

#define SECONDS(n) ((n)*NODE_SECOND)

static void who_cannot_answer(void **state)
{
	static const struct {
		const char *what;
		struct node_spec spec;
		const char *want, *why;
	} rows[] = {
		{ "runs", { .state = "S", .frozen = EW_NO }, "healthy", "Both ends" },
		{ "stopped", { .state = "T" }, "unresponsive", "A signal has stopped it" },
		{ "at a tracer's stop",
		  { .state = "t", .tracer = 77 },
		  "unresponsive",
		  "Process 77 traces it and has stopped it" },
		{ "traced, runs",
		  { .state = "S", .tracer = 77 },
		  "healthy",
		  "Process 77 traces it and lets it run" },
		{ "frozen", { .state = "S", .frozen = EW_YES }, "unresponsive", "is frozen" },
		{ "asleep for a moment", { .state = "D", .in_state = SECONDS(1) }, "healthy", "" },
		{ "asleep for seconds",
		  { .state = "D", .in_state = SECONDS(2) },
		  "unresponsive",
		  "at least 2 s" },
		{ "stopped and would relink",
		  { .state = "T", .half_open = true, .version = "1.11.0" },
		  "unresponsive",
		  "" },
		{ "stopped, half-open", { .state = "T", .half_open = true }, "unresponsive", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		if (*rows[i].why)
			why_has(n, "web", rows[i].why);
		node_free(n);
	}
}

/* A row, after a file below /proc/PID of the executor could not be read. */
static void check_unread(const char *file, const char *want, const char *why)
{
	struct node *n = node_new();
	char text[64];
	struct node_proc *web =
		node_executor_(n, "web", (struct node_spec){ .state = "S", .frozen = EW_NO });

	node_snapshot(n);
	snprintf(text, sizeof(text), "/proc/%d/%s", web->pid, file);
	node_emit(n, (struct fact){ .type = FACT_UNREAD,
				    .unread = { .object = text,
						.reason = "Input/output error",
						.pid = web->pid } });
	check_row(n, file, want);
	why_has(n, "web", why);
	node_free(n);
}

static void a_thread_that_was_not_looked_at_may_be_stopped(void **state)
{
	(void)state;
	check_unread("task", "unknown", "whether it is stopped is not known");
	check_unread("wchan", "unknown", "whether it is frozen is not known");
	check_unread("exe", "healthy", "Both ends");
}

#define UNIT	"mesos-slave.service"
#define IN_UNIT "/system.slice/" UNIT

static void what_stops_the_unit_stops_what_is_in_it(void **state)
{
	static const struct {
		const char *what, *unit, *kill_mode, *cgroup, *want;
	} rows[] = {
		{ "in it", UNIT, "control-group", IN_UNIT, "same-fate" },
		{ "below it", UNIT, "control-group", IN_UNIT "/sub/c1", "same-fate" },
		{ "KillMode mixed", UNIT, "mixed", IN_UNIT, "same-fate" },
		{ "KillMode not known", UNIT, "", IN_UNIT, "same-fate" },
		{ "KillMode process", UNIT, "process", IN_UNIT, "healthy" },
		{ "KillMode none", UNIT, "none", IN_UNIT, "healthy" },
		{ "Mesos' own slice", UNIT, "control-group", "/mesos_executors.slice", "healthy" },
		{ "a longer name", UNIT, "control-group", IN_UNIT "2", "healthy" },
		{ "the agent has no unit", "", "", IN_UNIT, "healthy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, .cgroup = rows[i].cgroup);

		(void)p;
		n->unit = rows[i].unit;
		n->kill_mode = rows[i].kill_mode;
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		node_free(n);
	}
}

static void an_unread_cgroup_may_be_the_units(void **state)
{
	static const struct {
		bool agents;
		const char *unit, *kill_mode, *want;
	} rows[] = {
		{ false, UNIT, "control-group", "unknown" },
		{ false, UNIT, "process", "healthy" },
		{ false, "", "", "healthy" },
		{ true, "", "", "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n);

		n->unit = rows[i].unit;
		n->kill_mode = rows[i].kill_mode;
		node_snapshot(n);
		node_emit(n,
			  (struct fact){ .type = FACT_UNREAD,
					 .unread = { .object = "/proc/7/cgroup",
						     .reason = "Too many open files",
						     .pid = rows[i].agents ? n->agent : p->pid } });
		check(n, "web", rows[i].want);
		node_free(n);
	}
}

/* An agent that has ended has spared it; the one that starts next kills nobody. */
static void without_an_agent_a_unit_says_nothing(void **state)
{
	one(n, .cgroup = IN_UNIT);

	(void)state;
	(void)p;
	n->unit = UNIT;
	n->kill_mode = "control-group";
	node_snapshot(n);
	check(n, "web", "same-fate");
	node_agent_stop(n);
	node_snapshot(n);
	check(n, "web", "disconnected");
	node_free(n);
}

#define HOST_PIDNS 0xeffffffcULL

static void what_ends_a_pid_namespace_ends_what_is_in_it(void **state)
{
	enum { AGENT, PARENT, OTHER };
	static const struct {
		const char *what;
		uint64_t agents, its;
		int init;
		const char *want;
	} rows[] = {
		{ "the agent is its first process", 9, 9, AGENT, "same-fate" },
		{ "the agent's parent is", 9, 9, PARENT, "same-fate" },
		{ "another is", 9, 9, OTHER, "healthy" },
		{ "it is in the host's", 9, HOST_PIDNS, AGENT, "healthy" },
		{ "all are in the host's", HOST_PIDNS, HOST_PIDNS, PARENT, "healthy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, .pidns = rows[i].its);

		(void)p;
		n->unit = "";
		n->kill_mode = "";
		n->agent_ppid = 4000;
		n->agent_pidns = rows[i].agents;
		n->agent_pidns_init = rows[i].init == AGENT    ? n->agent
				      : rows[i].init == PARENT ? 4000
							       : 4001;
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		node_free(n);
	}
}

/* A service manager that is the first process of a container outlives the agent that it runs. */
static void a_service_manager_outlives_its_agent(void **state)
{
	one(n, .pidns = 9);

	(void)state;
	(void)p;
	n->unit = "";
	n->kill_mode = "";
	n->agent_ppid = n->agent_pidns_init = 4000;
	n->agent_pidns = 9;
	node_snapshot(n);
	check(n, "web", "same-fate");
	node_emit(n, (struct fact){ .type = FACT_PROCESS,
				    .process = { .pid = 4000,
						 .start = 1,
						 .comm = "systemd",
						 .environ_read = EW_YES } });
	node_judge(n);
	check(n, "web", "healthy");
	node_free(n);
}

static void a_domain_socket_counts_when_it_was_seen(void **state)
{
	static const struct {
		const char *what;
		struct node_spec spec;
		bool down;
		const char *want;
	} rows[] = {
		{ "both connections", { .unix_links = 2 }, false, "self-healing" },
		{ "one of two", { .unix_links = 1 }, false, "unknown" },
		{ "the variable alone", { 0 }, false, "unknown" },
		{ "no agent", { .unix_links = 2 }, true, "disconnected" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node_spec spec = rows[i].spec;
		struct node *n = node_new();

		spec.v1 = spec.unlinked = true;
		spec.domain_socket = "/run/mesos/agent.sock";
		node_executor_(n, "web", spec);
		if (rows[i].down)
			node_agent_stop(n);
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		node_free(n);
	}
}

static void a_v1_executor_with_one_of_its_two_connections_is_half_open(void **state)
{
	one(n, .v1 = true);

	(void)state;
	node_snapshot(n);
	check(n, "web", "healthy");
	p->links[1]->state = TCP_CLOSE;
	node_snapshot(n);
	check(n, "web", "half-open");
	why_has(n, "web", "one of its two connections");
	node_free(n);
}

static const struct report_finding *finding(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, id) == 0)
			return &report->findings[i];
	return NULL;
}

static void a_backoff_above_the_agents_timeout_is_a_finding(void **state)
{
	static const struct {
		int backoff, timeout;
		bool v1;
		int want;
	} rows[] = {
		{ 3, 2, true, 1 }, { 2, 2, true, 0 }, { 3, 2, false, 0 },
		{ 0, 2, true, 0 }, { 3, 4, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, .v1 = rows[i].v1, .backoff = rows[i].backoff);
		struct report *report;

		(void)p;
		n->rereg_timeout = rows[i].timeout;
		node_snapshot(n);
		report = model_report(n->model, REPORT_AUDIT);
		assert_int_equal(finding(report, "v1-backoff") != NULL, rows[i].want);
		assert_int_equal(report->exit_code, rows[i].want);
		report_free(report);
		node_free(n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_cannot_answer),
		cmocka_unit_test(a_thread_that_was_not_looked_at_may_be_stopped),
		cmocka_unit_test(a_thread_that_was_not_looked_at_may_be_stopped),
		cmocka_unit_test(what_stops_the_unit_stops_what_is_in_it),
		cmocka_unit_test(an_unread_cgroup_may_be_the_units),
		cmocka_unit_test(without_an_agent_a_unit_says_nothing),
		cmocka_unit_test(what_ends_a_pid_namespace_ends_what_is_in_it),
		cmocka_unit_test(a_service_manager_outlives_its_agent),
		cmocka_unit_test(a_domain_socket_counts_when_it_was_seen),
		cmocka_unit_test(a_v1_executor_with_one_of_its_two_connections_is_half_open),
		cmocka_unit_test(a_backoff_above_the_agents_timeout_is_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
