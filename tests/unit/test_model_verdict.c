/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whole nodes, and the verdict that an audit gives: each test a node that differs from a healthy
 * one. */
#include "node_audit.h"

static void healthy_and_its_negations(void **state)
{
	static const struct {
		const char *what;
		struct node_spec spec;
		const char *want;
	} rows[] = {
		{ "healthy", { 0 }, "healthy" },
		{ "v1", { .v1 = true }, "healthy" },
		{ "half-open", { .half_open = true }, "half-open" },
		{ "v1 half-open", { .v1 = true, .half_open = true }, "half-open" },
		{ "no entry", { .entry = EW_NO }, "at-risk" },
		{ "v1, no entry", { .v1 = true, .entry = EW_NO }, "at-risk" },
		{ "half-open without entry", { .half_open = true, .entry = EW_NO }, "half-open" },
		{ "half-open, relinks", { .half_open = true, .version = "1.1.2" }, "self-healing" },
		{ "half-open, relinks not yet",
		  { .half_open = true, .version = "1.1.1" },
		  "half-open" },
		{ "half-open, release candidate",
		  { .half_open = true, .version = "1.2.0-rc1" },
		  "half-open" },
		{ "half-open, version unknown", { .half_open = true, .version = "" }, "half-open" },
		{ "v1 half-open, new library",
		  { .v1 = true, .half_open = true, .version = "1.11.0" },
		  "half-open" },
		{ "no entry, relinks", { .entry = EW_NO, .version = "1.4.3" }, "self-healing" },
		{ "no link", { .unlinked = true }, "disconnected" },
		{ "no link, relinks", { .unlinked = true, .version = "1.11.0" }, "disconnected" },
		{ "v0 with a domain socket's name",
		  { .unlinked = true, .domain_socket = "/run/a.sock" },
		  "disconnected" },
		{ "v1 over a domain socket",
		  { .v1 = true, .unlinked = true, .domain_socket = "/run/a.sock", .unix_links = 2 },
		  "self-healing" },
		{ "v1 without any link", { .v1 = true, .unlinked = true }, "unknown" },
		{ "never registered", { .unregistered = true }, "unregistered" },
		{ "its run is over", { .completed = true }, "unregistered" },
		{ "no checkpoint", { .no_checkpoint = true }, "no-checkpoint" },
		{ "no checkpoint, half-open",
		  { .no_checkpoint = true, .half_open = true },
		  "no-checkpoint" },
		{ "no checkpoint, unregistered",
		  { .no_checkpoint = true, .unregistered = true },
		  "no-checkpoint" },
		{ "another port, another id",
		  { .slave_pid = "slave(1)@10.0.0.7:5052", .slave_id = "other-S9" },
		  "foreign" },
		{ "another port, another id, no checkpoint",
		  { .slave_pid = "slave(1)@10.0.0.7:5052",
		    .slave_id = "other-S9",
		    .no_checkpoint = true },
		  "foreign" },
		{ "another id at our address", { .slave_id = "other-S9" }, "orphaned" },
		{ "another id at nobody's address",
		  { .slave_pid = "slave(1)@10.0.0.8:5051", .slave_id = "other-S9" },
		  "unknown" },
		{ "port that contains 5051, another id",
		  { .slave_pid = "slave(1)@10.0.0.7:15051", .slave_id = "other-S9" },
		  "foreign" },
		{ "advertised port", { .slave_pid = "slave(1)@10.0.0.7:5052" }, "healthy" },
		{ "advertised port, no checkpoint",
		  { .slave_pid = "slave(1)@10.0.0.7:5052", .no_checkpoint = true },
		  "no-checkpoint" },
		{ "advertised address", { .slave_pid = "slave(1)@203.0.113.9:5051" }, "healthy" },
		{ "damaged MESOS_SLAVE_PID, on disk", { .slave_pid = "slave(1)" }, "healthy" },
		{ "damaged MESOS_SLAVE_PID, another id",
		  { .slave_pid = "slave(1)", .slave_id = "other-S9" },
		  "unknown" },
		{ "half-open, an old library",
		  { .half_open = true, .version = "0.28.3" },
		  "half-open" },
		{ "no library mapped", { .no_library = true, .half_open = true }, "half-open" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();

		node_executor_(n, "web", rows[i].spec);
		node_snapshot(n);
		check_row(n, rows[i].what, rows[i].want);
		node_free(n);
	}
}

static void tracking_off(void **state)
{
	one(n, .entry = EW_NO);

	(void)state;
	n->tracking = EW_NO;
	node_snapshot(n);
	check(n, "web", "healthy");
	n->tracking = EW_UNKNOWN;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

static void entry_unreadable(void **state)
{
	one(n, .entry = EW_UNKNOWN);

	(void)state;
	p->links[0]->entry = EW_UNKNOWN;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

/* An entry that was there yesterday says nothing of today. */
static void entry_is_of_the_last_scan(void **state)
{
	one(n, 0);

	(void)state;
	node_snapshot(n);
	check(n, "web", "healthy");
	n->fails = SCAN_TRACKING;
	node_snapshot(n);
	check(n, "web", "unknown");
	n->fails = 0;
	p->links[0]->entry = EW_NO;
	node_snapshot(n);
	check(n, "web", "at-risk");
	/* a scan of sockets alone asks no conntrack, and takes nothing back */
	node_snapshot_of(n, SCAN_SOCKETS | SCAN_PROCESSES);
	check(n, "web", "at-risk");
	node_free(n);
}

static void v1_two_links_worst_counts(void **state)
{
	one(n, .v1 = true);

	(void)state;
	p->links[1]->entry = EW_NO;
	node_snapshot(n);
	check(n, "web", "at-risk");
	p->links[0]->peer->state = TCP_CLOSE;
	node_snapshot(n);
	check(n, "web", "half-open");
	node_free(n);
}

/* ---- namespaces ---- */

static void own_namespace(void **state)
{
	static const struct {
		enum ew_tri there, here, entry;
		bool mirrored;
		const char *want;
	} rows[] = {
		{ EW_YES, EW_YES, EW_YES, true, "healthy" },
		{ EW_NO, EW_NO, EW_NO, true, "healthy" },
		{ EW_YES, EW_NO, EW_NO, true, "at-risk" },
		{ EW_NO, EW_YES, EW_NO, true, "at-risk" },
		{ EW_NO, EW_YES, EW_YES, true, "healthy" },
		{ EW_UNKNOWN, EW_YES, EW_YES, true, "unknown" },
		{ EW_NO, EW_UNKNOWN, EW_YES, true, "unknown" },
		/* translated on its way: what is not seen there may be there */
		{ EW_NO, EW_NO, EW_NO, false, "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		one(n, .netns = 77, .entry = rows[i].entry);

		n->tracking_there = rows[i].there;
		n->tracking = rows[i].here;
		p->links[0]->peer->unseen = !rows[i].mirrored;
		node_snapshot(n);
		if (strcmp(node_verdict(n, "web"), rows[i].want) != 0)
			fail_msg("row %zu: %s, not %s", i, node_verdict(n, "web"), rows[i].want);
		node_free(n);
	}
}

/* Two namespaces with the same addresses: a connection inside one has its other end there. */
static void same_addresses_elsewhere(void **state)
{
	one(n, 0);

	(void)state;
	p->links[0]->peer->netns = 77;
	node_executor(n, "other", .netns = 77, .unlinked = true);
	node_snapshot(n);
	check(n, "web", "half-open");
	node_free(n);
}

/* ---- what could not be read ---- */

static void work_dir(void **state)
{
	one(n, 0);

	(void)state;
	n->no_work_dir = true;
	n->fails = SCAN_CHECKPOINTS;
	node_snapshot(n);
	check(n, "web", "unknown");
	node_free(n);
}

static void work_dir_of_another_agent(void **state)
{
	one(n, 0);

	(void)state;
	n->work_dir_id = "other-S9";
	node_snapshot(n);
	check(n, "web", "unknown");
	why_has(n, "web", "latest names other-S9");
	node_free(n);
}

static void run_without_checkpoint(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web");
	node_snapshot(n);
	/* its own agent's tree, and no such run in it */
	n->procs[0]->spec.dark = true; /* hides it from the checkpoints only */
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", SCAN_CHECKPOINTS } });
	node_emit_checkpoints(n);
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", SCAN_CHECKPOINTS } });
	node_judge(n);
	check(n, "web", "unregistered");
	node_free(n);
}

static void sockets_not_read(void **state)
{
	one(n, 0);

	(void)state;
	n->fails = SCAN_SOCKETS;
	node_snapshot(n);
	check(n, "web", "unknown");
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 3);
	node_free(n);
}

/* Whose descriptors could not be read has links or not: nobody knows. */
static void descriptors_not_read(void **state)
{
	one(n, .unlinked = true);

	(void)state;
	p->listener->n_holds = 0;
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "begin", SCAN_ALL } });
	node_emit(n, (struct fact){ .type = FACT_UNREAD,
				    .unread = { .object = "/proc/1002/fd",
						.reason = "Permission denied",
						.pid = p->pid } });
	node_emit_process(n, p);
	node_emit_sockets(n);
	node_emit_checkpoints(n);
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", SCAN_ALL } });
	node_judge(n);
	check(n, "web", "unknown");
	node_snapshot(n);
	check(n, "web", "disconnected");
	node_free(n);
}

static void processes_not_read(void **state)
{
	one(n, 0);

	(void)state;
	n->fails = SCAN_PROCESSES;
	node_snapshot(n);
	assert_int_equal(node_exit_code(n, REPORT_AUDIT), 3);
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_and_its_negations),
		cmocka_unit_test(tracking_off),
		cmocka_unit_test(entry_unreadable),
		cmocka_unit_test(entry_is_of_the_last_scan),
		cmocka_unit_test(v1_two_links_worst_counts),
		cmocka_unit_test(own_namespace),
		cmocka_unit_test(same_addresses_elsewhere),
		cmocka_unit_test(work_dir),
		cmocka_unit_test(work_dir_of_another_agent),
		cmocka_unit_test(run_without_checkpoint),
		cmocka_unit_test(sockets_not_read),
		cmocka_unit_test(descriptors_not_read),
		cmocka_unit_test(processes_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
