/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an acting verb may touch, in which order, and what it must never touch whatever is asked. */
#include "node.h"

/* The targets as "web half-open; db healthy: why it is forbidden; …". */
static const char *targets(struct node *n, struct model_choice choice)
{
	static char text[4096];
	struct report *report = node_report(n, REPORT_AUDIT);
	struct model_target *t;
	size_t count, at = 0;

	assert_int_equal(model_select(report, &choice, &t, &count), 0);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		if (!t[i].forbidden)
			assert_true(t[i].fd >= 0 && t[i].inode && t[i].cookie && t[i].pid &&
				    t[i].start);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s %s%s%s", i ? "; " : "",
				       t[i].executor_id, verdict_name(t[i].verdict),
				       t[i].forbidden ? ": " : "",
				       t[i].forbidden ? t[i].forbidden : "");
	}
	free(t);
	report_free(report);
	return text;
}

/* One executor of this kind; asked for by each way of asking. */
static void each_kind(void **state)
{
	static const struct {
		struct node_spec spec;
		bool by_default, by_all; /* touched */
		const char *forbidden;	 /* a word of the reason */
	} rows[] = {
		{ { 0 }, false, true, NULL },
		{ { .version = "1.4.3", .half_open = true }, false, true, NULL },
		{ { .half_open = true }, true, true, NULL },
		{ { .entry = EW_NO }, true, true, NULL },
		{ { .v1 = true, .half_open = true }, true, true, NULL },
		{ { .slave_id = "other", .slave_pid = "slave(1)@10.0.0.7:5052" },
		  false,
		  false,
		  "another agent" },
		{ { .slave_id = "other" }, false, false, "no agent will take it back" },
		{ { .no_checkpoint = true }, false, false, "checkpoint" },
		{ { .no_checkpoint = true, .half_open = true }, false, false, "checkpoint" },
		{ { .unregistered = true, .half_open = true }, false, false, "never registered" },
		{ { .completed = true, .half_open = true }, false, false, "never registered" },
		{ { .unlinked = true }, false, false, "disconnected" },
		{ { .dark = true, .half_open = true }, false, false, "could not be read" },
		{ { .v1 = true, .unlinked = true, .domain_socket = "/s", .unix_links = 2 },
		  false,
		  false,
		  "no link" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		struct node_proc *p = node_executor_(n, "web", rows[i].spec);
		bool touched;

		node_snapshot(n);
		if ((strlen(targets(n, (struct model_choice){ 0 })) > 0) != rows[i].by_default)
			fail_msg("row %zu by default: '%s'", i,
				 targets(n, (struct model_choice){ 0 }));
		touched = *targets(n, (struct model_choice){ .all = true }) &&
			  !strchr(targets(n, (struct model_choice){ .all = true }), ':');
		if (touched != rows[i].by_all)
			fail_msg("row %zu by --all: '%s'", i,
				 targets(n, (struct model_choice){ .all = true }));
		if (rows[i].forbidden &&
		    !strstr(targets(n, (struct model_choice){ .pid = p->pid }), rows[i].forbidden))
			fail_msg("row %zu by --pid: '%s'", i,
				 targets(n, (struct model_choice){ .pid = p->pid }));
		if (rows[i].forbidden &&
		    !strstr(targets(n, (struct model_choice){ .verdicts = ~0u }),
			    rows[i].forbidden))
			fail_msg("row %zu by --select: '%s'", i,
				 targets(n, (struct model_choice){ .verdicts = ~0u }));
		node_free(n);
	}
}

/* "All" is all of this agent's: another agent's executors are not even refused. */
static void all_leaves_strangers_out(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "theirs", .slave_id = "other", .slave_pid = "slave(1)@10.0.0.7:5052");
	node_executor(n, "web", .half_open = true);
	node_snapshot(n);
	assert_string_equal(targets(n, (struct model_choice){ .all = true }), "web half-open");
	node_free(n);
}

static void second_agent(struct node *n, uint64_t netns, uint64_t own)
{
	n->own_netns = own;
	node_window(n);
	node_emit(n, (struct fact){ .type = FACT_SCAN,
				    .scan = { "begin", SCAN_SOCKETS | SCAN_PROCESSES } });
	for (size_t i = 0; i < n->n_procs; i++)
		node_emit_process(n, n->procs[i]);
	node_emit_sockets(n);
	node_emit(n, (struct fact){ .type = FACT_AGENT,
				    .agent = { .pid = 8888,
					       .start = 88880,
					       .comm = "mesos-agent",
					       .listen = n->agent_addr,
					       .netns = netns,
					       .cookie = 31337 } });
	node_emit(n, (struct fact){ .type = FACT_SCAN,
				    .scan = { "end", SCAN_SOCKETS | SCAN_PROCESSES } });
	node_judge(n);
}

/* Two nodes' agents on one host, both elsewhere: nobody can say which is meant. */
static void two_agents_elsewhere(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .half_open = true);
	node_snapshot(n);
	assert_string_equal(targets(n, (struct model_choice){ 0 }), "web half-open");
	second_agent(n, 99, 1);
	assert_non_null(strstr(targets(n, (struct model_choice){ .pid = n->procs[0]->pid }),
			       "either may be the agent"));
	node_free(n);
}

/* The one in execwatch's own namespace is meant, even when the other is newer. */
static void two_agents_one_here(void **state)
{
	struct node *n = node_new();
	struct report *report;

	(void)state;
	node_executor(n, "web", .half_open = true);
	node_snapshot(n);
	second_agent(n, 99, n->agent_ns);
	report = node_report(n, REPORT_AUDIT);
	assert_int_equal(report->agent.pid, n->agent);
	report_free(report);
	assert_string_equal(targets(n, (struct model_choice){ .all = true }), "web half-open");
	node_free(n);
}

static void selections(void **state)
{
	struct node *n = node_new();
	struct node_proc *web;

	(void)state;
	web = node_executor(n, "web", .half_open = true, .timeout = 900);
	node_executor(n, "db", .entry = EW_NO, .timeout = 60);
	node_executor(n, "ok", .timeout = 30);
	node_executor(n, "gone", .unlinked = true, .timeout = 10);
	node_snapshot(n);
	/* the shortest deadline first, what is refused last */
	assert_string_equal(targets(n, (struct model_choice){ 0 }), "db at-risk; web half-open");
	assert_string_equal(
		targets(n, (struct model_choice){ .verdicts = 1u << VERDICT_HALF_OPEN }),
		"web half-open");
	assert_string_equal(targets(n, (struct model_choice){ .verdicts = 1u << VERDICT_HEALTHY }),
			    "ok healthy");
	assert_string_equal(targets(n, (struct model_choice){ .pid = web->pid }), "web half-open");
	assert_string_equal(targets(n, (struct model_choice){ .pid = 1 }), "");
	assert_string_equal(targets(n, (struct model_choice){ .all = true }),
			    "ok healthy; db at-risk; web half-open; gone disconnected: it is "
			    "disconnected: a second disconnect would end it at once");
	node_free(n);
}

static void both_links_of_v1(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .v1 = true, .half_open = true);
	node_snapshot(n);
	assert_string_equal(targets(n, (struct model_choice){ 0 }), "web half-open; web half-open");
	node_free(n);
}

/* Seen to connect, and no scan of descriptors since. */
static void descriptor_not_known(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .unlinked = true, .entry = EW_NO);

	(void)state;
	node_snapshot(n);
	node_link(n, p);
	node_judge(n);
	assert_non_null(strstr(targets(n, (struct model_choice){ .all = true }), ": "));
	node_free(n);
}

static void never_while_it_comes_back(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .half_open = true);
	const struct model_choice all = { .all = true };

	(void)state;
	node_snapshot(n);
	assert_string_equal(targets(n, all), "web half-open");
	node_agent_stop(n);
	node_judge(n);
	assert_string_equal(targets(n, all),
			    "web half-open"); /* before the new agent asks is the time */
	node_agent_start(n);
	node_judge(n);
	assert_non_null(strstr(targets(n, all), "recovering"));
	node_snapshot(n); /* 503 */
	assert_non_null(strstr(targets(n, all), "recovering"));
	node_tell(n, p, "ReconnectExecutorMessage");
	node_agent_serves(n);
	assert_non_null(strstr(targets(n, all), "asked it to reconnect"));
	node_tell(n, p, "ExecutorReregisteredMessage");
	node_snapshot(n);
	assert_string_equal(targets(n, all), "web half-open");
	node_free(n);
}

/* Cut off, and connected for a moment or for good: it has not registered. */
static void never_after_its_link_ended(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .entry = EW_NO);

	(void)state;
	node_snapshot(n);
	node_drops(n, p);
	node_link(n, p);
	node_snapshot(n);
	assert_non_null(
		strstr(targets(n, (struct model_choice){ .all = true }), "second disconnect"));
	node_free(n);
}

/* An agent that was there before execwatch, and cannot be asked: acting is not refused for that. */
static void agent_that_cannot_be_asked(void **state)
{
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .half_open = true);
	n->api_status = 401;
	node_snapshot(n);
	assert_string_equal(targets(n, (struct model_choice){ 0 }), "web half-open");
	node_free(n);
}

/* Unless it has begun just now: the executors it has asked may not have registered again. */
static void young_agent_that_cannot_be_asked(void **state)
{
	const struct model_choice all = { .all = true };
	struct node *n = node_new();

	(void)state;
	node_executor(n, "web", .half_open = true);
	node_executor(n, "http", .v1 = true);
	n->now = 110 * NODE_SECOND; /* the agent, pid 1001, began 100.1 s after boot */
	node_watch_anew(n);
	n->api_status = 401;
	node_snapshot(n);
	assert_string_equal(targets(n, all),
			    "web unknown: the agent may be recovering, its API does not tell: a "
			    "second disconnect would end it at once; try again in 8 s; "
			    "http healthy: the agent may be recovering, its API does not tell: it "
			    "may not subscribe again in time; try again in 8 s");
	node_wait(n, 8);
	node_judge(n);
	assert_string_equal(targets(n, (struct model_choice){ 0 }), "web half-open");
	node_free(n);
}

/* What is chosen of an agent whose API cannot be asked, at a time, by when boot_id was written. The
 * agent, pid 1001, began 100.1 s after boot; its recovery is usually over 17 s later. */
static const char *chosen_at(double at, double boot_written)
{
	static char text[512];
	struct node *n = node_new();

	node_executor(n, "web", .half_open = true);
	n->now = (int64_t)(at * NODE_SECOND);
	n->boot_written = NODE_WALL + (int64_t)(boot_written * NODE_SECOND);
	node_watch_anew(n);
	n->api_status = 401;
	node_snapshot(n);
	snprintf(text, sizeof(text), "%s", targets(n, (struct model_choice){ .all = true }));
	node_free(n);
	return text;
}

/* An agent writes boot_id when its recovery is over. */
static void boot_id_of_the_agent_before(void **state)
{
	static const char late[] = "web unknown: the agent may be recovering: its API does not "
				   "tell, and meta/boot_id, which it writes when its recovery is "
				   "over, is older than the agent: a second disconnect would end "
				   "it at once; try again when it has written it";

	(void)state;
	assert_string_equal(chosen_at(130, 99), late);
	assert_string_equal(chosen_at(130, 125), "web half-open");
	assert_string_equal(chosen_at(130, 100.05), "web half-open"); /* clocks are not so exact */
	assert_string_equal(chosen_at(100.1 + 899, 99), late);
	assert_string_equal(chosen_at(100.1 + 901, 99), "web half-open"); /* not for ever */
	/* Read too early to tell: */
	assert_non_null(strstr(chosen_at(110, 99), "try again in 8 s"));
}

static void connection_to_another_host(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web", .half_open = true);

	(void)state;
	node_connect(n, p->pid, NODE_HOST_NS, 0, NODE_HOST_NS, "10.9.9.9:5051");
	node_snapshot(n);
	assert_string_equal(targets(n, (struct model_choice){ .all = true }), "web half-open");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind),
		cmocka_unit_test(all_leaves_strangers_out),
		cmocka_unit_test(two_agents_elsewhere),
		cmocka_unit_test(two_agents_one_here),
		cmocka_unit_test(selections),
		cmocka_unit_test(both_links_of_v1),
		cmocka_unit_test(descriptor_not_known),
		cmocka_unit_test(never_while_it_comes_back),
		cmocka_unit_test(never_after_its_link_ended),
		cmocka_unit_test(agent_that_cannot_be_asked),
		cmocka_unit_test(young_agent_that_cannot_be_asked),
		cmocka_unit_test(boot_id_of_the_agent_before),
		cmocka_unit_test(connection_to_another_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
