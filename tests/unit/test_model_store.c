/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scans and hooks folded together; replay; memory that does not grow with time. */
#include <malloc.h>
#include <signal.h>

#include "node.h"

#define SOCKETS_AND_PROCESSES (SCAN_SOCKETS | SCAN_PROCESSES)

static void begin(struct node *n, uint32_t scope)
{
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", scope } });
}

static void end(struct node *n, uint32_t scope)
{
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", scope } });
	node_judge(n);
}

static size_t links(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	const struct report_executor *e = node_find(report, id);
	size_t count = e ? e->n_links : 0;

	report_free(report);
	return count;
}

static int64_t cut_off(struct node *n, const char *id)
{
	struct report *report = node_report(n, REPORT_AUDIT);
	int64_t at = node_find(report, id)->disconnected;

	report_free(report);
	return at;
}

static void what_a_scan_does_not_show_is_gone(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_proc *db = node_executor(n, "db");

	(void)state;
	node_snapshot(n);
	n->hooks = false;
	node_drops(n, p);
	db->unseen = true;
	node_snapshot_of(n, SOCKETS_AND_PROCESSES);
	node_judge(n);
	assert_int_equal(links(n, "web"), 0);
	assert_string_equal(node_verdict(n, "web"), "disconnected");
	assert_true(cut_off(n, "web") != 0);
	assert_string_equal(node_verdict(n, "db"), "none");
	node_free(n);
}

/* A scan that failed half way shows nothing to be gone. */
static void a_scan_that_was_not_completed(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	node_snapshot(n);
	begin(n, SOCKETS_AND_PROCESSES);
	end(n, 0);
	assert_string_equal(node_verdict(n, "web"), "unknown");
	assert_int_equal(links(n, "web"), 1);
	begin(n, SOCKETS_AND_PROCESSES);
	node_emit_process(n, n->procs[0]);
	node_emit_sockets(n);
	end(n, SOCKETS_AND_PROCESSES);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

static void a_scan_of_processes_leaves_sockets(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	node_snapshot(n);
	begin(n, SCAN_PROCESSES);
	node_emit_process(n, n->procs[0]);
	end(n, SCAN_PROCESSES);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	begin(n, SCAN_API);
	end(n, 0);
	begin(n, SCAN_CHECKPOINTS);
	node_emit_checkpoints(n);
	end(n, SCAN_CHECKPOINTS);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* It was made after the scan had read its place: the hook saw it, the scan could not. */
static void a_link_is_made_during_a_scan(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true);

	(void)state;
	node_snapshot(n);
	begin(n, SOCKETS_AND_PROCESSES);
	node_emit_process(n, p);
	node_emit_sockets(n);
	node_link(n, p);
	end(n, SOCKETS_AND_PROCESSES);
	assert_int_equal(links(n, "web"), 1);
	node_snapshot(n);
	assert_string_equal(node_verdict(n, "web"), "healthy");
	node_free(n);
}

/* The row was read, then the link ended, then the row was emitted. */
static void a_hook_is_newer_than_a_row(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");
	struct node_sock row;
	int64_t then;

	(void)state;
	node_snapshot(n);
	row = *p->links[0];
	begin(n, SOCKETS_AND_PROCESSES);
	then = n->now;
	node_wait(n, 1);
	node_drops(n, p);
	node_emit_process(n, p);
	node_emit_sock(n, &row, then);
	node_emit_sockets(n);
	end(n, SOCKETS_AND_PROCESSES);
	assert_int_equal(links(n, "web"), 0);
	node_free(n);
}

/* The other way about: read while it connected, emitted when it was established. */
static void a_row_of_a_connection_that_was_not_made_yet(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true);
	struct node_sock row;
	int64_t then;

	(void)state;
	node_snapshot(n);
	begin(n, SOCKETS_AND_PROCESSES);
	then = n->now;
	node_wait(n, 0.001);
	node_link(n, p);
	row = *p->links[0];
	row.state = TCP_SYN_SENT;
	node_emit_process(n, p);
	node_emit_sock(n, &row, then);
	node_emit_sock(n, n->listen, then);
	node_emit_agent(n);
	end(n, SOCKETS_AND_PROCESSES);
	assert_int_equal(links(n, "web"), 1);
	assert_int_equal(cut_off(n, "web"), 0);
	node_free(n);
}

static void who_listens_is_seen_before_and_after(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	node_judge(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->agent.pid, 0);
	assert_string_equal(report->agent.api, "down");
	report_free(report);
	node_agent_start(n); /* a hook knows no name */
	node_judge(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->agent.pid, n->agent);
	assert_false(report->agent.serving);
	report_free(report);
	node_agent_serves(n);
	report = node_report(n, REPORT_AUDIT);
	assert_string_equal(report->agent.comm, "mesos-agent");
	assert_true(report->agent.serving);
	report_free(report);
	n->hooks = false;
	node_agent_stop(n);
	node_snapshot_of(n, SOCKETS_AND_PROCESSES);
	node_judge(n);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->agent.pid, 0);
	report_free(report);
	node_free(n);
}

/* What one scan could not read and the next one could is no more a note. */
static void notes_are_of_the_last_scan(void **state)
{
	static const struct {
		struct fact_unread unread;
		uint32_t scope; /* of the scan that takes it back */
	} rows[] = {
		{ { "/proc/7/fd", "Permission denied", 7, 0 }, SOCKETS_AND_PROCESSES },
		{ { "entry of a link", "timeout", 0, 7001 }, SCAN_ALL & ~SCAN_API },
		{ { "the agent's HTTP API", "401", 0, 0 }, SCAN_ALL },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct node *n = node_new();
		struct report *report;

		node_snapshot(n);
		for (int j = 0; j < 3; j++)
			node_emit(n,
				  (struct fact){ .type = FACT_UNREAD, .unread = rows[i].unread });
		report = node_report(n, REPORT_AUDIT);
		assert_int_equal(report->n_notes, 1);
		assert_int_equal(report->exit_code, 3);
		report_free(report);
		node_snapshot_of(n, rows[i].scope);
		report = node_report(n, REPORT_AUDIT);
		assert_int_equal(report->n_notes, 0);
		assert_int_equal(report->exit_code, 0);
		report_free(report);
		node_free(n);
	}
}

/* ---- replay ---- */

static void text_of(const struct report *r, char *buf, size_t size)
{
	size_t at = 0;

#define SAY(...) (at += (size_t)snprintf(buf + at, size - at, __VA_ARGS__), assert_true(at < size))
	SAY("%d %s %lld %d %s %d", r->kind, r->host, (long long)r->generated, r->agent.pid,
	    r->agent.api, r->exit_code);
	for (size_t i = 0; i < r->n_executors; i++) {
		const struct report_executor *e = &r->executors[i];

		SAY("\n%s %s %d %d %d %d %d %lld %lld %s", e->executor_id, e->container_id, e->pid,
		    e->verdict, e->outcome, e->proof, e->protocol, (long long)e->deadline,
		    (long long)e->ended, e->forbidden ? e->forbidden : "");
		for (size_t j = 0; j < e->n_links; j++)
			SAY(" %d/%llu/%d/%d", e->links[j].fd,
			    (unsigned long long)e->links[j].cookie, e->links[j].agent_end,
			    e->links[j].conntrack);
		for (size_t j = 0; j < e->n_why; j++)
			SAY(" %s", e->why[j]);
	}
	for (size_t i = 0; i < r->n_others; i++)
		SAY("\n%d %u %s", r->others[i].pid, r->others[i].connections, r->others[i].comm);
	for (size_t i = 0; i < 3; i++)
		SAY("\n%s %lld", r->clocks[i].name, (long long)r->clocks[i].deadline);
#undef SAY
}

static void same_in_both(struct node *n)
{
	static char a[65536], b[65536];

	for (int kind = REPORT_AUDIT; kind <= REPORT_WATCH; kind++) {
		struct report *x = model_report(n->model, (enum report_kind)kind);
		struct report *y = model_report(n->twin, (enum report_kind)kind);

		text_of(x, a, sizeof(a));
		text_of(y, b, sizeof(b));
		assert_string_equal(a, b);
		report_free(x);
		report_free(y);
	}
}

/* The same facts give the same reports, wherever memory lies. */
static void replay(void **state)
{
	struct node *n = node_new();
	void *holes[64];

	(void)state;
	n->twin = model_new();
	model_free(n->model);
	for (size_t i = 0; i < 64; i++)
		holes[i] = malloc(100 + 37 * i);
	n->model = model_new();
	node_window(n);
	for (size_t i = 0; i < 64; i += 2)
		free(holes[i]);
	for (int i = 0; i < 30; i++) {
		char id[32];

		snprintf(id, sizeof(id), "task.%d", (i * 7) % 30);
		node_executor(n, id, .v1 = i % 3 == 0, .entry = i % 4 ? EW_YES : EW_NO,
			      .half_open = i % 5 == 0);
		if (i % 6 == 0)
			node_helper(n, n->procs[n->n_procs - 1]);
	}
	node_connect(n, 500, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
	node_snapshot(n);
	same_in_both(n);
	node_baseline(n);
	node_agent_stop(n);
	node_judge(n);
	same_in_both(n);
	node_wait(n, 1);
	node_agent_start(n);
	for (size_t i = 0; i < n->n_procs; i++) {
		if (n->procs[i]->is_executor && i % 2)
			node_comes_back(n, n->procs[i]);
		else if (n->procs[i]->is_executor && i % 3 == 0)
			node_ends(n, n->procs[i], SIGKILL, n->agent);
	}
	node_wait(n, 2);
	node_agent_serves(n);
	same_in_both(n);
	for (size_t i = 1; i < 64; i += 2)
		free(holes[i]);
	node_free(n);
}

/* A report stays as it is when the model goes on, and ends. */
static void report_outlives_the_model(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "web", .half_open = true);
	node_snapshot(n);
	report = node_report(n, REPORT_AUDIT);
	node_ends(n, n->procs[0], 0, 0);
	node_free(n);
	assert_string_equal(report->executors[0].executor_id, "web");
	assert_string_equal(report->executors[0].tasks[0], "web");
	assert_string_equal(report->host, "node7");
	assert_true(report->executors[0].n_why > 0 && strlen(report->executors[0].why[0]) > 10);
	report_free(report);
}

/* ---- memory ---- */

/* The sanitizer's allocator knows nothing of mallinfo2(); its own header is not everywhere. */
extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t in_use(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes()
						       : mallinfo2().uordblks;
}

static void passes_again(void **state)
{
	struct node *n = node_new();
	size_t before;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char id[32];

		snprintf(id, sizeof(id), "task.%d", i);
		node_executor_(n, id, (struct node_spec){ .v1 = i % 2 });
	}
	node_snapshot(n);
	node_snapshot(n);
	before = in_use();
	for (int i = 0; i < 200; i++) {
		node_wait(n, 10);
		node_snapshot(n);
	}
	assert_true(in_use() <= before + 4096);
	node_free(n);
}

/* A node that lives: tasks come and go, health checks fork, monitors ask, and all of it ends. */
static void come_and_go_each(double seconds)
{
	struct node *n = node_new();
	size_t before = 0;

	node_executor(n, "web");
	for (int i = 0; i < 600; i++) {
		int pid = 100000 + i;
		struct node_sock *s;

		node_emit(n, (struct fact){ .type = FACT_FORK,
					    .fork = { .pid = pid,
						      .start = (uint64_t)pid,
						      .parent = n->agent } });
		node_emit(n, (struct fact){ .type = FACT_PROCESS,
					    .process = { .pid = pid,
							 .start = (uint64_t)pid,
							 .comm = "curl",
							 .environ_read = EW_YES } });
		s = node_connect(n, pid, NODE_HOST_NS, n->agent, NODE_HOST_NS, "10.0.0.7:5051");
		node_close(n, s, pid, true);
		node_emit(n, (struct fact){ .type = FACT_UNREAD,
					    .unread = { .object = "/proc/1/fd",
							.reason = "gone",
							.pid = pid } });
		node_emit(n, (struct fact){ .type = FACT_EXIT,
					    .exit = { .pid = pid, .start = (uint64_t)pid } });
		node_emit(n,
			  (struct fact){ .type = FACT_EXIT,
					 .exit = { .pid = pid + 50000, .start = (uint64_t)pid } });
		node_wait(n, seconds);
		node_snapshot(n);
		free(s->peer);
		free(s);
		n->n_socks -= 2;
		if (i == 200)
			before = in_use();
	}
	assert_true(in_use() <= before + 8192);
	node_free(n);
}

static void things_come_and_go(void **state)
{
	(void)state;
	come_and_go_each(60);
}

static void a_monitor_asks_each_second(void **state)
{
	(void)state;
	come_and_go_each(1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_scan_does_not_show_is_gone),
		cmocka_unit_test(a_scan_that_was_not_completed),
		cmocka_unit_test(a_scan_of_processes_leaves_sockets),
		cmocka_unit_test(a_link_is_made_during_a_scan),
		cmocka_unit_test(a_hook_is_newer_than_a_row),
		cmocka_unit_test(a_row_of_a_connection_that_was_not_made_yet),
		cmocka_unit_test(who_listens_is_seen_before_and_after),
		cmocka_unit_test(notes_are_of_the_last_scan),
		cmocka_unit_test(replay),
		cmocka_unit_test(report_outlives_the_model),
		cmocka_unit_test(passes_again),
		cmocka_unit_test(things_come_and_go),
		cmocka_unit_test(a_monitor_asks_each_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
