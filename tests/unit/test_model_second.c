/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An executor that loses its link again: when that is its end, and when it is nothing. */
#include "node_window.h"

#define SOCKETS_AND_PROCESSES (SCAN_PROCESSES | SCAN_SOCKETS)

static void ends_itself_for_the_second(struct node *n, struct node_proc *p)
{
	struct report *report;

	node_wait(n, 1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "self-terminated");
	report = node_report(n, REPORT_VERIFY);
	assert_non_null(strstr(report->executors[0].why[0], "second time"));
	report_free(report);
}

/* Asked, linked, and cut off again before it was registered: it ends itself at once. */
static void second_disconnect(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_agent_stop(n);
	ends_itself_for_the_second(n, p);
	node_free(n);
}

/* The agent asks; only the disk says who listens on the executor's port. */
static void asks_by_the_checkpoint(struct node *n, const struct node_proc *p)
{
	char remote[64];
	struct node_sock *s;

	snprintf(remote, sizeof(remote), "10.0.0.7:%d", p->port);
	s = node_connect(n, n->agent, n->agent_ns, 0, 0, remote);
	node_send(n, n->agent, s, "ReconnectExecutorMessage", NULL);
	node_close(n, s, n->agent, true);
}

/* It connects to an agent that is no more. */
static void is_refused(struct node *n, const struct node_proc *p)
{
	struct node_sock *s =
		node_socket(n, "10.0.0.7:39999", "10.0.0.7:5051", p->spec.netns, p->pid);

	node_state(n, s, TCP_SYN_SENT, p->pid);
	node_state(n, s, TCP_CLOSE, 0);
	s->n_holds = 0;
}

/* The agent that asked is gone before the executor gets there: that is an end of its link too. */
static void refused(void **state)
{
	struct node *n = node_new();
	struct node_proc *p = node_executor(n, "web");

	(void)state;
	p->listener->unseen = true;
	node_snapshot(n);
	node_baseline(n);
	node_agent_stop(n);
	is_refused(n, p); /* a status update; it was not asked */
	node_wait(n, 1);
	node_agent_start(n);
	asks_by_the_checkpoint(n, p);
	node_agent_stop(n);
	is_refused(n, p);
	ends_itself_for_the_second(n, p);
	node_free(n);
}

/* Nothing is counted that it has not lost: it waited, or had its link, when it was refused. */
static void refused_before_it_lost_any(void **state)
{
	static const bool asked[] = { false, true };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		one(n, p, .entry = EW_NO);

		node_agent_stop(n); /* its FIN is lost */
		node_agent_start(n);
		if (asked[i]) {
			node_tell(n, p, "ReconnectExecutorMessage");
			node_drops(n, p); /* a library that relinks */
		} else {
			node_drops(n, p);
		}
		node_agent_stop(n);
		is_refused(n, p);
		node_wait(n, 1);
		node_ends(n, p, EXIT_WITH(0), 0);
		is(n, "lost"); /* not self-terminated */
		node_free(n);
	}
}

/* A scan that takes long does not show its link any more; what the ring has of that comes after. */
static void reported_after_a_long_scan(void **state)
{
	one(n, p);
	struct node_sock *link = p->links[0];
	int64_t then, now;

	(void)state;
	node_tell(n, p, "ReconnectExecutorMessage");
	node_wait(n, 1);
	then = n->now;
	link->unseen = link->peer->unseen = true;
	node_wait(n, 1);
	node_emit(n,
		  (struct fact){ .type = FACT_SCAN, .scan = { "begin", SOCKETS_AND_PROCESSES } });
	node_emit_process(n, p);
	node_emit_sockets(n);
	node_wait(n, 20);
	node_emit(n, (struct fact){ .type = FACT_SCAN, .scan = { "end", SOCKETS_AND_PROCESSES } });
	now = n->now;
	n->now = then;
	node_says(n, p, "StatusUpdateMessage");
	node_drops(n, p);
	n->now = now;
	node_wait(n, 1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "unknown"); /* not self-terminated */
	node_free(n);
}

/* Registered again in between: the second end is a first one. */
static void second_restart(void **state)
{
	one(n, p);

	(void)state;
	for (int i = 0; i < 2; i++) {
		node_agent_stop(n);
		node_wait(n, 1);
		node_agent_start(n);
		node_comes_back(n, p);
		is(n, "reregistered by message");
	}
	node_agent_stop(n);
	node_wait(n, 1);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "lost"); /* not self-terminated */
	node_free(n);
}

/* A status update while it is cut off goes over a connection for itself: no second disconnect. */
static void status_update_while_cut_off(void **state)
{
	one(n, p);
	int64_t down = 0;
	struct report *report;

	(void)state;
	node_agent_stop(n);
	node_wait(n, 1);
	down = n->now;
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "StatusUpdateMessage");
	node_wait(n, 0.002);
	node_drops(n, p);
	node_wait(n, 1);
	report = node_report(n, REPORT_VERIFY);
	assert_int_equal(report->executors[0].outcome, OUTCOME_WAITING);
	assert_true(report->executors[0].disconnected - NODE_WALL < down);
	report_free(report);
	node_agent_stop(n);
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "lost"); /* not self-terminated */
	node_free(n);
}

/* A v1 executor's clock begins anew with each connection that it loses. */
static void v1_clock_begins_anew(void **state)
{
	one(n, p, .v1 = true, .timeout = 60);

	(void)state;
	node_agent_stop(n);
	node_wait(n, 40);
	node_agent_start(n);
	node_link(n, p);
	node_link(n, p);
	node_wait(n, 1);
	node_agent_stop(n);
	node_wait(n, 30); /* 71 s after the first */
	node_ends(n, p, EXIT_WITH(0), 0);
	is(n, "lost"); /* not self-terminated */
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(second_disconnect),
		cmocka_unit_test(refused),
		cmocka_unit_test(refused_before_it_lost_any),
		cmocka_unit_test(reported_after_a_long_scan),
		cmocka_unit_test(second_restart),
		cmocka_unit_test(status_update_while_cut_off),
		cmocka_unit_test(v1_clock_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
