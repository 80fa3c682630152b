/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Proof by message: a whole conversation between this executor and this agent, and nothing less. */
#include "node_window.h"

static void by_message(void **state)
{
	static const struct node_spec specs[] = { { 0 }, { .v1 = true } };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct node *n = node_new();
		struct node_proc *p = node_executor_(n, "web", specs[i]);

		node_snapshot(n);
		node_baseline(n);
		node_agent_stop(n);
		is(n, "waiting");
		node_wait(n, 3);
		node_agent_start(n);
		node_wait(n, 0.3);
		node_comes_back(n, p);
		is(n, "reregistered by message");
		node_wait(n, 2);
		node_agent_serves(n);
		is(n, "reregistered by message");
		node_free(n);
	}
}

/* A scan that showed the new agent before its hook's event came: the agent is as old as the event.
 */
static void agents_hook_comes_late(void **state)
{
	one(n, p);
	struct node_sock *listen;
	int64_t then;

	(void)state;
	node_agent_stop(n);
	n->hooks = false;
	node_agent_start(n);
	then = n->now;
	listen = n->listen;
	n->hooks = true;
	node_comes_back(n, p);
	node_snapshot_of(n, SCAN_SOCKETS | SCAN_PROCESSES);
	node_emit(n, (struct fact){ .type = FACT_TCP,
				    .mono = then,
				    .tcp = { .cookie = listen->cookie,
					     .netns = listen->netns,
					     .local = listen->local,
					     .from = TCP_CLOSE,
					     .to = TCP_LISTEN,
					     .pid = n->agent,
					     .start = node_start_of(n, n->agent) } });
	is(n, "reregistered by message"); /* what it sent before it was known as the agent counts */
	node_free(n);
}

static void registered_before_the_restart(void **state)
{
	one(n, p);

	(void)state;
	node_comes_back(n, p); /* with the agent of the audit */
	node_agent_stop(n);
	node_agent_start(n);
	is(n, "waiting");
	node_link(n, p);
	is(n, "waiting");
	node_free(n);
}

/* The watch was begun anew after the restart, and messages of before it were still in the ring. */
static void registered_with_the_last_agent_but_one(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_comes_back(n, p);
	node_agent_stop(n);
	node_agent_start(n);
	node_wait(n, 1);
	is(n, "waiting");
	node_free(n);
}

/* The same, of a watch that had not seen the new agent begin. */
static void registered_with_an_agent_of_the_ring(void **state)
{
	one(n, p, .entry = EW_NO); /* its link stays when the agent goes */
	struct report *audit = node_report(n, REPORT_AUDIT);
	struct fact_sink sink = { node_sink_emit, n };

	(void)state;
	node_watch_anew(n);
	model_baseline(audit, &sink);
	report_free(audit);
	node_agent_start(n); /* what the ring still held */
	node_emit_process(n, p);
	node_comes_back(n, p);
	n->hooks = false;
	node_agent_stop(n);
	node_agent_start(n);
	node_snapshot(n);
	n->hooks = true;
	is(n, "waiting");
	node_free(n);
}

/* An earlier answer is reported after the link's end: it does not answer a later request. */
static void old_answer_is_told_late(void **state)
{
	one(n, p);
	int64_t then = n->now;
	int old = n->agent;
	struct node_sock *s;
	char to[64];

	(void)state;
	node_wait(n, 1);
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_tell(n, p, "ReconnectExecutorMessage");
	node_says(n, p, "ReregisterExecutorMessage");
	snprintf(to, sizeof(to), "10.0.0.7:%d", p->port);
	s = node_connect(n, n->agent, n->agent_ns, p->pid, NODE_HOST_NS, to);
	node_emit(n, (struct fact){ .type = FACT_MESSAGE,
				    .mono = then,
				    .message = { .cookie = s->cookie,
						 .pid = old,
						 .start = node_start_of(n, old),
						 .local = s->local,
						 .remote = s->remote,
						 .netns = s->netns,
						 .name = "ExecutorReregisteredMessage",
						 .executor_id = "" } });
	node_judge(n);
	{
		struct report *report = node_report(n, REPORT_VERIFY);

		assert_int_equal(report->executors[0].outcome, OUTCOME_WAITING);
		assert_true(report->executors[0].disconnected != 0);
		report_free(report);
	}
	node_free(n);
}

static void half_a_conversation(void **state)
{
	static const struct {
		const char *asks, *answers;
		bool v1;
	} rows[] = {
		{ "ReregisterExecutorMessage", NULL, false },
		{ NULL, "ExecutorReregisteredMessage", false },
		{ "StatusUpdateMessage", "StatusUpdateAcknowledgementMessage", false },
		{ "ReregisterExecutorMessage", "ShutdownExecutorMessage", false },
		{ "SUBSCRIBE", NULL, true },
		{ "SUBSCRIBE", "503 Service Unavailable", true },
		{ NULL, "200 OK", true },
		{ "UPDATE", "200 OK", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node *n = node_new();
		struct node_proc *p = node_executor(n, "web", .v1 = rows[i].v1);

		node_snapshot(n);
		node_baseline(n);
		node_agent_stop(n);
		node_agent_start(n);
		node_link(n, p);
		if (rows[i].asks)
			node_says(n, p, rows[i].asks);
		if (rows[i].answers && rows[i].v1)
			node_answer(n, p, rows[i].answers);
		else if (rows[i].answers)
			node_tell(n, p, rows[i].answers);
		node_judge(n);
		if (strcmp(node_outcome(n, "web"), "waiting") != 0)
			fail_msg("row %zu: %s", i, node_outcome(n, "web"));
		node_free(n);
	}
}

/* The 200 came on the connection for all else than SUBSCRIBE. */
static void answer_on_the_other_connection(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_link(n, p);
	node_says(n, p, "SUBSCRIBE");
	node_send(n, n->agent, p->links[1]->peer, "200 OK", NULL);
	is(n, "waiting");
	node_answer(n, p, "200 OK");
	is(n, "reregistered by message");
	node_free(n);
}

static void message_to_another(void **state)
{
	one(n, p);
	struct node_proc *other = node_executor(n, "db");

	(void)state;
	node_snapshot(n);
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_link(n, other);
	node_says(n, other, "ReregisterExecutorMessage");
	node_tell(n, other, "ExecutorReregisteredMessage");
	is(n, "waiting");
	node_free(n);
}

/* The body says for whom it is. */
static void message_for_another_id(void **state)
{
	one(n, p);
	struct node_sock *s;
	char to[64];

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "RegisterExecutorMessage");
	snprintf(to, sizeof(to), "10.0.0.7:%d", p->port);
	s = node_connect(n, n->agent, n->agent_ns, p->pid, NODE_HOST_NS, to);
	node_send(n, n->agent, s, "ExecutorRegisteredMessage", "web2");
	is(n, "waiting");
	node_send(n, n->agent, s, "ExecutorRegisteredMessage", "web");
	is(n, "reregistered by message");
	node_free(n);
}

/* The same port number is another executor's in another namespace. */
static void message_to_the_same_port_elsewhere(void **state)
{
	one(n, p, .netns = 77, .pid = 2000);
	struct node_sock here = { .cookie = 5,
				  .netns = NODE_HOST_NS,
				  .local = node_addr("10.0.0.7:45000"),
				  .remote = node_addr("10.0.0.7:32000") };

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_send(n, n->agent, &here, "ExecutorReregisteredMessage", NULL);
	is(n, "waiting");
	node_free(n);
}

static void message_from_nobody(void **state)
{
	one(n, p);
	struct node_sock *s;
	char to[64];

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	snprintf(to, sizeof(to), "10.0.0.7:%d", p->port);
	s = node_connect(n, 4711, NODE_HOST_NS, p->pid, NODE_HOST_NS, to);
	node_send(n, 4711, s, "ExecutorReregisteredMessage", NULL);
	is(n, "waiting");
	node_free(n);
}

static void link_ends_after_the_answer(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_comes_back(n, p);
	is(n, "reregistered by message");
	node_wait(n, 1);
	node_drops(n, p);
	is(n, "waiting");
	node_free(n);
}

/* Connections and messages arrive in two rings: the link's end may come after the registration. */
static void roads_reversed(void **state)
{
	one(n, p);
	struct node_sock *old = p->links[0];
	int64_t then;
	int64_t next;

	(void)state;
	n->hooks = false;
	node_agent_stop(n);
	then = n->now + 1;
	n->hooks = true;
	node_agent_start(n);
	node_wait(n, 1);
	p->links[0] = NULL;
	node_comes_back(n, p);
	node_emit(n, (struct fact){ .type = FACT_TCP,
				    .mono = then,
				    .tcp = { .cookie = old->cookie,
					     .netns = old->netns,
					     .local = old->local,
					     .remote = old->remote,
					     .from = TCP_ESTABLISHED,
					     .to = TCP_CLOSE_WAIT } });
	node_drops(n, p); /* the second end, now: it must be a first one */
	is(n, "waiting");
	assert_false(model_done(n->model, UNTIL_SETTLED, &next));
	node_free(n);
}

/* Address and port of the agent's end and of its peer differ from those of the executor's end. */
static void translate(struct node_sock *s, const char *peer)
{
	s->peer->local = node_addr("10.0.0.8:5051");
	s->peer->remote = node_addr(peer);
	s->translated = true;
}

/* The agent restarts, and the executor connects to it anew from behind translation. */
static void comes_back_translated(struct node *n, struct node_proc *p)
{
	translate(p->links[0], "10.0.0.9:20001");
	translate(p->links[1], "10.0.0.9:20002");
	node_snapshot(n);
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_link(n, p);
	translate(p->links[0], "10.0.0.9:20003");
	translate(p->links[1], "10.0.0.9:20004");
}

/* Only an entry of connection tracking tells whose link the agent's answer is on. */
static void an_answer_behind_translation_waits_for_the_entry(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	comes_back_translated(n, p);
	node_says(n, p, "SUBSCRIBE");
	node_answer(n, p, "200 OK");
	is(n, "waiting");
	node_snapshot_of(n, SCAN_SOCKETS | SCAN_PROCESSES);
	is(n, "waiting");
	node_snapshot(n);
	is(n, "reregistered by message");
	node_free(n);
}

/* Before its entry is read it was answered 503, and has asked again on the same connection. */
static void the_last_of_several_answers_behind_translation_counts(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	comes_back_translated(n, p);
	node_says(n, p, "SUBSCRIBE");
	node_answer(n, p, "503 Service Unavailable");
	node_wait(n, 1);
	node_says(n, p, "SUBSCRIBE");
	node_answer(n, p, "200 OK");
	node_snapshot(n);
	is(n, "reregistered by message");
	node_free(n);
}

/* The entry is another link's. */
static void an_answer_to_somebody_else_proves_nothing(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	comes_back_translated(n, p);
	node_says(n, p, "SUBSCRIBE");
	node_answer(n, p, "200 OK");
	translate(p->links[0], "10.0.0.9:20005");
	node_snapshot_of(n, SCAN_SOCKETS | SCAN_PROCESSES | SCAN_TRACKING);
	is(n, "waiting");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_message),
		cmocka_unit_test(an_answer_behind_translation_waits_for_the_entry),
		cmocka_unit_test(the_last_of_several_answers_behind_translation_counts),
		cmocka_unit_test(an_answer_to_somebody_else_proves_nothing),
		cmocka_unit_test(agents_hook_comes_late),
		cmocka_unit_test(registered_before_the_restart),
		cmocka_unit_test(registered_with_the_last_agent_but_one),
		cmocka_unit_test(registered_with_an_agent_of_the_ring),
		cmocka_unit_test(old_answer_is_told_late),
		cmocka_unit_test(half_a_conversation),
		cmocka_unit_test(answer_on_the_other_connection),
		cmocka_unit_test(message_to_another),
		cmocka_unit_test(message_for_another_id),
		cmocka_unit_test(message_to_the_same_port_elsewhere),
		cmocka_unit_test(message_from_nobody),
		cmocka_unit_test(link_ends_after_the_answer),
		cmocka_unit_test(roads_reversed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
