/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The weaker proofs that an executor is registered again, api and link, and what must not count as
 * one. */
#include "node_window.h"

/* ---- api ---- */

/* No messages are seen (TLS, no hook). */
#define quiet_restart(n, p, ...)                                                                   \
	one(n, p, __VA_ARGS__);                                                                    \
	n->quiet = true;                                                                           \
	node_agent_stop(n);                                                                        \
	node_wait(n, 1);                                                                           \
	node_agent_start(n)

static void by_api(void **state)
{
	quiet_restart(n, p);

	(void)state;
	node_wait(n, 0.2);
	node_link(n, p);
	node_wait(n, 2);
	is(n, "waiting");
	node_agent_serves(n);
	is(n, "reregistered by api");
	node_free(n);
}

static void listed_by_the_old_agent(void **state)
{
	one(n, p);

	(void)state;
	n->quiet = true;
	node_api(n); /* 200: the old one */
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	node_link(n, p);
	node_wait(n, 2);
	node_snapshot(n); /* 503 */
	is(n, "waiting");
	node_free(n);
}

/* The old agent's answer is emitted after the new one was seen. */
static void old_answer_comes_late(void **state)
{
	one(n, p);
	struct fact late = {
		.type = FACT_API,
		.mono = n->now,
		.api = { .http_status = 200, .slave_id = NODE_AGENT_ID, .answer_nr = 99 }
	};

	(void)state;
	n->quiet = true;
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	node_link(n, p);
	node_wait(n, 2);
	node_emit(n, (struct fact){ .type = FACT_API_EXECUTOR,
				    .mono = late.mono,
				    .api_executor = { .answer_nr = 99,
						      .framework_id = "fw-0000",
						      .executor_id = "web",
						      .container_id = "web" } });
	node_emit(n, late);
	is(n, "waiting");
	assert_false(node_done(n, UNTIL_SETTLED));
	node_agent_serves(n); /* and the new one's is not missed for that */
	is(n, "reregistered by api");
	node_free(n);
}

static void listed_without_agents_end(void **state)
{
	quiet_restart(n, p, .entry = EW_NO);

	(void)state;
	assert_int_equal(p->links[0]->state, TCP_ESTABLISHED); /* half-open */
	node_wait(n, 2);
	node_agent_serves(n); /* it is listed for as long as it takes to kill it */
	is(n, "waiting");
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "unknown"); /* neither killed in time nor seen to register */
	node_free(n);
}

static void linked_and_not_listed(void **state)
{
	quiet_restart(n, p);

	(void)state;
	node_link(n, p);
	node_wait(n, 2);
	n->lists_nobody = true;
	node_agent_serves(n);
	is(n, "waiting");
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "waiting"); /* what the agent says outweighs a link */
	node_free(n);
}

/* It came too late: the agent has a link with it and lists it while its container is stopped. */
static void late_link_is_listed(void **state)
{
	quiet_restart(n, p, .v1 = true);

	(void)state;
	node_wait(n, 2);
	node_agent_serves(n);
	node_wait(n, 0.5);
	node_link(n, p);
	node_link(n, p);
	node_wait(n, 2);
	node_snapshot(n);
	is(n, "waiting");
	node_wait(n, 61); /* it has outlived the longest stop */
	node_snapshot(n);
	is(n, "reregistered by api");
	node_free(n);
}

/* It asked in time or not: it was not answered. */
static void unanswered_is_listed(void **state)
{
	one(n, p);

	(void)state;
	node_agent_stop(n);
	node_agent_start(n);
	node_link(n, p);
	node_says(n, p, "ReregisterExecutorMessage");
	node_wait(n, 2);
	node_agent_serves(n);
	is(n, "waiting");
	node_tell(n, p, "ShutdownExecutorMessage");
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "waiting");
	node_free(n);
}

/* A driver without a link sends a status update: a connection for milliseconds. */
static void temporary_connection_is_listed(void **state)
{
	quiet_restart(n, p);

	(void)state;
	node_wait(n, 2);
	node_link(n, p);
	node_agent_serves(n);
	is(n, "waiting");
	node_free(n);
}

static void over_a_domain_socket(void **state)
{
	quiet_restart(n, p, .v1 = true, .unlinked = true, .domain_socket = "/run/a.sock",
		      .unix_links = 2);

	(void)state;
	(void)p;
	node_wait(n, 2);
	node_agent_serves(n);
	is(n, "waiting"); /* an agent lists those that it is killing */
	node_wait(n, 61);
	node_snapshot(n);
	is(n, "reregistered by api");
	node_free(n);
}

/* v0 executors get the domain socket in their environment and do not use it. */
static void v0_with_a_domain_sockets_name(void **state)
{
	quiet_restart(n, p, .domain_socket = "/run/a.sock");

	(void)state;
	(void)p;
	node_wait(n, 2);
	node_agent_serves(n);
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "waiting");
	node_free(n);
}

/* ---- link ---- */

static void by_link(void **state)
{
	quiet_restart(n, p);

	(void)state;
	n->api_status = 401;
	node_wait(n, 0.2);
	node_link(n, p);
	node_wait(n, 14);
	node_snapshot(n);
	is(n, "waiting");
	node_wait(n, 4); /* the timeout is not known: it may be 15 s */
	node_snapshot(n);
	is(n, "reregistered by link");
	node_free(n);
}

static void link_by_passes_alone(void **state)
{
	one(n, p);

	(void)state;
	n->hooks = false;
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	n->api_status = 401;
	node_link(n, p);
	node_snapshot(n); /* the link's row comes before the agent's */
	is(n, "waiting");
	node_wait(n, 19);
	node_snapshot(n);
	is(n, "reregistered by link");
	node_free(n);
}

static void link_without_agents_end(void **state)
{
	quiet_restart(n, p, .entry = EW_NO);

	(void)state;
	(void)p;
	n->api_status = 401;
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "unknown");
	node_free(n);
}

static void link_held_by_agents_child(void **state)
{
	one(n, p);

	(void)state;
	n->quiet = true;
	node_hold_too(p->links[0]->peer, 4711, 5);
	node_snapshot(n);
	node_agent_stop(n);
	node_unhold(p->links[0]->peer, p->links[0]->peer->holds[0].pid);
	node_agent_start(n);
	n->api_status = 401;
	node_wait(n, 100);
	node_snapshot(n);
	is(n, "unknown");
	node_free(n);
}

/* Its links prove nothing, and no clock of its own runs: it is not waited for until a deadline. */
static void linked_v1_under_a_mute_agent(void **state)
{
	one(n, p, .v1 = true);

	(void)state;
	node_agent_stop(n);
	node_wait(n, 1);
	node_agent_start(n);
	n->api_status = 401;
	n->quiet = true;
	node_wait(n, 0.5);
	node_link(n, p);
	node_link(n, p);
	node_snapshot(n);
	is(n, "waiting");
	node_wait(n, 16 + 61);
	node_snapshot(n);
	is(n, "unknown");
	node_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_api),
		cmocka_unit_test(listed_by_the_old_agent),
		cmocka_unit_test(old_answer_comes_late),
		cmocka_unit_test(listed_without_agents_end),
		cmocka_unit_test(linked_and_not_listed),
		cmocka_unit_test(late_link_is_listed),
		cmocka_unit_test(unanswered_is_listed),
		cmocka_unit_test(temporary_connection_is_listed),
		cmocka_unit_test(over_a_domain_socket),
		cmocka_unit_test(v0_with_a_domain_sockets_name),
		cmocka_unit_test(by_link),
		cmocka_unit_test(link_by_passes_alone),
		cmocka_unit_test(link_without_agents_end),
		cmocka_unit_test(link_held_by_agents_child),
		cmocka_unit_test(linked_v1_under_a_mute_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
