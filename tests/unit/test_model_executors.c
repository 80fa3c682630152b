/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which process of those that carry an executor's environment is the executor. */
#include <sys/wait.h>

#include "node.h"

/* The report has one executor of this id: this process. */
static void is_executor(struct node *n, const struct node_proc *p)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	size_t of_id = 0;

	for (size_t i = 0; i < report->n_executors; i++)
		of_id += strcmp(report->executors[i].executor_id, p->id) == 0;
	assert_int_equal(of_id, 1);
	assert_int_equal(node_find(report, p->id)->pid, p->pid);
	report_free(report);
}

static void task_inherits_environment(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .pid = 3000);

	(void)state;
	node_helper(n, p, .pid = 2000); /* older by its number */
	node_helper(n, p);
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

static void curl_in_a_task(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_proc *curl = node_helper(n, p, .comm = "curl");

	(void)state;
	node_connect(n, curl->pid, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
	node_snapshot(n);
	is_executor(n, p);
	{
		struct report *report = node_report(n, REPORT_AUDIT);

		assert_int_equal(node_find(report, "web")->n_links, 1);
		assert_int_equal(report->n_others, 1);
		assert_string_equal(report->others[0].comm, "curl");
		report_free(report);
	}
	node_free(n);
}

/* Its executor is dead; what is left of the run is no executor, whatever it is connected to. */
static void task_outlives_executor(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_proc *task = node_helper(n, p);
	struct node_sock *port =
		node_socket(n, "0.0.0.0:8080", "0.0.0.0:0", NODE_HOST_NS, task->pid);

	(void)state;
	port->state = TCP_LISTEN;
	node_connect(n, task->pid, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
	node_snapshot(n);
	is_executor(n, p);
	node_ends(n, p, SIGKILL, 0);
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "none");
	node_free(n);
}

/* A framework's scheduler as a task: libprocess too, with a port of its own. */
static void task_is_libprocess(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true);
	struct node_proc *task =
		node_process_(n, "web", (struct node_spec){ .pid = 900, .ppid = p->pid });
	struct node_sock *port =
		node_socket(n, "10.0.0.7:9999", "0.0.0.0:0", NODE_HOST_NS, task->pid);

	(void)state;
	port->state = TCP_LISTEN;
	node_connect(n, task->pid, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "disconnected");
	node_free(n);
}

static void health_check_helper(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_proc *check = node_process_(
		n, "web", (struct node_spec){ .comm = "mesos-health-ch", .ppid = p->pid });
	char to[64];

	(void)state;
	snprintf(to, sizeof(to), "10.0.0.7:%d", p->port);
	node_connect(n, check->pid, NODE_HOST_NS, p->pid, NODE_HOST_NS, to); /* to the executor */
	node_snapshot(n);
	is_executor(n, p);
	node_free(n);
}

/* forked.pid is the wrapper's or mesos-containerizer's; the executor is its child. */
static void wrapped(void **state)
{
	static const struct node_spec wrappers[] = {
		{ .comm = "sh", .no_library = true, .helper = true },
		{ .comm = "mesos-container" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		struct node *n = node_new();
		struct node_proc *wrapper = node_process_(n, "web", wrappers[i]);
		struct node_proc *p = node_executor(n, "web", .ppid = wrapper->pid);
		const char *task = "web";
		char upid[64];

		node_snapshot(n);
		snprintf(upid, sizeof(upid), "executor(1)@10.0.0.7:%d", p->port);
		node_emit(n, (struct fact){ .type = FACT_CHECKPOINT,
					    .checkpoint = { .slave_id = NODE_AGENT_ID,
							    .framework_id = "fw-0000",
							    .executor_id = "web",
							    .container_id = "web",
							    .forked_pid = wrapper->pid,
							    .upid = upid,
							    .tasks = &task,
							    .n_tasks = 1 } });
		is_executor(n, p);
		assert_string_equal(node_verdict(n, "web"), "healthy");
		node_free(n);
	}
}

/* A copy that the executor forked holds the same link and the same listener. */
static void forked_copy(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .pid = 3000);
	struct node_proc *copy =
		node_process_(n, "web", (struct node_spec){ .pid = 2000, .ppid = 3000 });

	(void)state;
	p->start = copy->start = 777; /* forked within the same tick, its number after a wrap */
	node_hold_too(p->links[0], copy->pid, 5);
	node_hold_too(p->listener, copy->pid, 4);
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* Its child still holds the link that the executor has given up: the executor has none. */
static void link_left_to_a_child(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true);
	struct node_proc *task;

	(void)state;
	node_snapshot(n);
	node_link(n, p); /* a hook saw who connected */
	task = node_helper(n, p);
	node_hold_too(p->links[0], task->pid, 5);
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_unhold(p->links[0], p->pid);
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "disconnected");
	node_free(n);
}

static void two_descriptors_of_one_link(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct report *report;

	(void)state;
	node_hold_too(p->links[0], p->pid, 99);
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(node_find(report, "web")->n_links, 1);
	assert_int_equal(node_find(report, "web")->links[0].fd, p->links[0]->holds[0].fd);
	report_free(report);
	node_free(n);
}

/* Not root: it talks to the agent, and who it is cannot be read. */
static void dark(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "web", .dark = true);
	node_executor(n, "mute", .dark = true, .unlinked = true); /* anybody */
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->n_executors, 1);
	assert_int_equal(report->executors[0].verdict, VERDICT_UNKNOWN);
	assert_non_null(report->executors[0].forbidden);
	assert_int_equal(report->exit_code, 3);
	report_free(report);
	node_free(n);
}

static void went_dark(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");

	(void)state;
	node_snapshot(n);
	p->spec.dark = true;
	node_snapshot_of(n, SCAN_SOCKETS | SCAN_PROCESSES);
	node_judge(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* The same executor id in two runs: the old one's process still dies, the new one's has begun. */
static void two_runs(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "web", .container = "run1", .unlinked = true);
	node_executor(n, "web", .container = "run2");
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->n_executors, 2);
	assert_int_equal(report->verdicts[VERDICT_DISCONNECTED], 1);
	assert_int_equal(report->verdicts[VERDICT_HEALTHY], 1);
	report_free(report);
	node_free(n);
}

static void two_frameworks(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "web", .framework = "fw-a");
	node_executor(n, "web", .framework = "fw-b", .half_open = true);
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->n_executors, 2);
	assert_int_equal(report->verdicts[VERDICT_HALF_OPEN], 1);
	report_free(report);
	node_free(n);
}

/* A library of its own (mesos-go): it listens where its checkpoint says. */
static void no_library(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .no_library = true, .comm = "go-executor");

	(void)state;
	node_helper(n, p);
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* A scan that walks descriptors may show no listeners: then its library and link tell. */
static void listeners_not_shown(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");

	(void)state;
	p->listener->unseen = true;
	node_helper(n, p);
	node_snapshot(n);
	is_executor(n, p);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* The number of an executor that ended, given to another process. */
static void pid_is_reused(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");

	(void)state;
	node_snapshot(n);
	node_baseline(n);
	n->hooks = false;
	node_ends(n, p, 0, 0);
	p->pid = 99999;
	n->hooks = true;
	node_executor(n, "db", .pid = 1002)->start = 424242;
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "none");
	assert_string_equal(node_outcome(n, "web"), "lost");
	node_free(n);
}

/* Without the variables, forked.pid leads to it, unless the process is younger than that. */
static void forked_pid_is_older(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .overwritten = true, .forked_late = 110);
	struct report *report;

	(void)state;
	n->latest_runs = true;
	node_snapshot(n);
	is_executor(n, p);
	p->spec.forked_late = 0;
	node_snapshot(n);
	is_executor(n, p);
	node_free(n);
	n = node_new();
	n->latest_runs = true;
	node_executor(n, "web", .overwritten = true, .forked_late = 130);
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(node_find(report, "web")->pid, 0);
	report_free(report);
	node_free(n);
}

/* A claim of a run is not backed by a reused pid, but by the address where it listens. */
static void a_claim_of_a_reused_pid(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .forked_late = 130);

	(void)state;
	node_snapshot(n);
	is_executor(n, p);
	node_free(n);
}

/* Odd names are names. */
static void odd_ids(void **state)
{
	static const char *const ids[] = { "a b",	  "a\"b'c",    "a\nb",
					   "caf\xc3\xa9", "$(reboot)", "5051" };
	struct node *n = node_new();

	(void)state;
	for (size_t i = 0; i < 6; i++)
		node_executor_(n, ids[i], (struct node_spec){ .half_open = i % 2 });
	node_snapshot(n);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(node_verdict(n, ids[i]), i % 2 ? "half-open" : "healthy");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(task_inherits_environment),
		cmocka_unit_test(curl_in_a_task),
		cmocka_unit_test(task_outlives_executor),
		cmocka_unit_test(task_is_libprocess),
		cmocka_unit_test(health_check_helper),
		cmocka_unit_test(wrapped),
		cmocka_unit_test(forked_copy),
		cmocka_unit_test(link_left_to_a_child),
		cmocka_unit_test(two_descriptors_of_one_link),
		cmocka_unit_test(dark),
		cmocka_unit_test(went_dark),
		cmocka_unit_test(two_runs),
		cmocka_unit_test(two_frameworks),
		cmocka_unit_test(no_library),
		cmocka_unit_test(listeners_not_shown),
		cmocka_unit_test(pid_is_reused),
		cmocka_unit_test(forked_pid_is_older),
		cmocka_unit_test(a_claim_of_a_reused_pid),
		cmocka_unit_test(odd_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
