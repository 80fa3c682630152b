/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Owners of accepted connections: listeners share a port, close, and are inherited. */
#include "test_bpf_conns.h"

static struct fixture *fixture;
static struct actor a, b, client;

static void act(const struct actor *actor, enum act what, int port, int family)
{
	assert_true(actor_act(actor, what, port, family) >= 0);
}

struct expected_accept {
	uint16_t port, remote;
};

static bool was_accepted(const struct fact *fact, const void *arg)
{
	const struct expected_accept *e = arg;

	return fact->type == FACT_TCP && fact->tcp.from == TCP_SYN_RECV &&
	       fact->tcp.to == TCP_ESTABLISHED && fact->tcp.local.port == e->port;
}

/* Connects and resets: the owner reported when the connection was accepted; 0: none. */
static int32_t accepts(uint16_t port, int family)
{
	struct expected_accept e = { .port = port };
	int32_t pid = -1;

	fixture_forget(fixture);
	act(&client, ACT_CONNECT, port, family);
	fixture_wait(fixture, was_accepted, &e, 1, "connection accepted");
	for (size_t i = 0; i < fixture->n; i++)
		if (was_accepted(&fixture->facts[i], &e))
			pid = fixture->facts[i].tcp.pid;
	act(&client, ACT_RESET, 0, 0);
	return pid;
}

/* The kernel chooses the listener by the addresses of the connection. */
static void test_one_for_each_family(void **state)
{
	(void)state;
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	act(&b, ACT_SHARE, fixture->port, AF_INET6);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	assert_int_equal(accepts(fixture->port, AF_INET6), b.pid);
	act(&b, ACT_UNLISTEN, 0, 0);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	act(&b, ACT_SHARE, fixture->port, AF_INET6);
	act(&a, ACT_UNLISTEN, 0, 0);
	assert_int_equal(accepts(fixture->port, AF_INET6), b.pid);
}

/* With two listeners of the same address the owner is unknown, unless one process has both. */
static void test_two_at_one_address(void **state)
{
	(void)state;
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	act(&b, ACT_SHARE, fixture->port, AF_INET);
	assert_int_equal(accepts(fixture->port, AF_INET), 0);
	act(&b, ACT_UNLISTEN, 0, 0);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	act(&a, ACT_UNLISTEN, 0, 0);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
}

/* Only the listener shows that the connection matters. */
static void test_executors_own_port(void **state)
{
	uint16_t port = (uint16_t)(fixture->port + 1);

	(void)state;
	assert_int_equal(
		ew_bpf_add_process(fixture->watch, a.pid, a.start, EW_BPF_ROLE_EXECUTOR, NULL), 0);
	act(&a, ACT_SHARE, port, AF_INET);
	act(&a, ACT_SHARE, port, AF_INET6);
	act(&a, ACT_UNLISTEN, 0, 0);
	assert_int_equal(accepts(port, AF_INET), a.pid);
}

static size_t listeners(void)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.listeners);
	struct ew_listen_key key, *last = NULL;
	size_t n = 0;

	for (; bpf_map_get_next_key(fd, last, &key) == 0; last = &key)
		n += key.netns == fixture->netns;
	return n;
}

static void test_no_entry_is_left(void **state)
{
	(void)state;
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	act(&b, ACT_SHARE, fixture->port, AF_INET6);
	assert_int_equal(listeners(), 1);
	act(&a, ACT_UNLISTEN, 0, 0);
	assert_int_equal(listeners(), 1);
	act(&b, ACT_UNLISTEN, 0, 0);
	assert_int_equal(listeners(), 0);
}

/* Removes the entry, as if the hook had been skipped (a recursion miss). */
static void test_a_scan_repairs(void **state)
{
	struct ew_listen_key key = { .netns = (__u32)fixture->netns, .port = fixture->port };
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.listeners);

	(void)state;
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	assert_int_equal(bpf_map_delete_elem(fd, &key), 0);
	assert_int_equal(accepts(fixture->port, AF_INET), 0);
	fixture_scan(fixture);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
}

/* The owner exits, its child has the socket: the exited process must not be named as owner. */
static void test_inherited_listener(void **state)
{
	pid_t new_owner;

	(void)state;
	act(&a, ACT_SHARE, fixture->port, AF_INET);
	new_owner = (pid_t)actor_act(&a, ACT_LEAVE, 0, 0);
	assert_true(new_owner > 0);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	actor_end(&a);
	assert_int_equal(accepts(fixture->port, AF_INET), 0);
	fixture_scan(fixture);
	assert_int_equal(accepts(fixture->port, AF_INET), new_owner);
	kill(new_owner, SIGKILL);
	a = actor_new(); /* for the teardown */
}

static int32_t owner_in_map(int64_t cookie)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	struct ew_conn conn;

	assert_int_equal(bpf_map_lookup_elem(fd, &cookie, &conn), 0);
	return (int32_t)conn.owner.tgid;
}

/* An inherited connection gets the child as its new owner once the owner has exited, not before. */
static void test_new_owner(void **state)
{
	int64_t at_client, at_server;
	pid_t new_owner;

	(void)state;
	act(&a, ACT_LISTEN, fixture->port, AF_INET);
	at_client = actor_act(&client, ACT_CONNECT, fixture->port, AF_INET);
	at_server = actor_act(&a, ACT_ACCEPT, 0, 0);
	new_owner = (pid_t)actor_act(&client, ACT_LEAVE, 0, 0);
	fixture_scan(fixture);
	assert_int_equal(owner_in_map(at_client), client.pid);
	actor_end(&client);
	fixture_scan(fixture);
	assert_int_equal(owner_in_map(at_client), new_owner);
	assert_int_equal(owner_in_map(at_server), a.pid);
	kill(new_owner, SIGKILL);
	client = actor_new(); /* for the teardown */
}

/* With more listeners than fit, the owner is unknown. */
static void test_too_many_listeners(void **state)
{
	(void)state;
	for (int i = 0; i < EW_LISTENERS_MAX; i++)
		act(&a, ACT_SHARE, fixture->port, AF_INET);
	assert_int_equal(accepts(fixture->port, AF_INET), a.pid);
	act(&b, ACT_SHARE, fixture->port, AF_INET);
	assert_int_equal(accepts(fixture->port, AF_INET), 0);
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	assert_int_equal(fixture_lost(fixture, "map-full"),
			 0); /* the owner shows when it uses the socket */
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	a = actor_new();
	b = actor_new();
	client = actor_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	actor_end(&client);
	actor_end(&b);
	actor_end(&a);
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_for_each_family), TEST(test_two_at_one_address),
		TEST(test_executors_own_port),	TEST(test_no_entry_is_left),
		TEST(test_a_scan_repairs),	TEST(test_too_many_listeners),
		TEST(test_inherited_listener),	TEST(test_new_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
