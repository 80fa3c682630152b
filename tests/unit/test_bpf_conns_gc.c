/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Entries of connections whose end was missed, with their owner in another namespace. */
#include "test_bpf_conns.h"

static struct fixture *fixture;
static struct actor server, client;

static bool is_known(uint64_t cookie)
{
	struct ew_conn conn;

	return bpf_map_lookup_elem(bpf_map__fd(fixture->watch->programs.skel->maps.conns), &cookie,
				   &conn) == 0;
}

/* Adds an entry, of an unknown owner, or for a cookie that no socket has (a missed end). */
static void enter(uint64_t cookie, uint64_t netns, uint32_t owner)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	struct ew_conn conn = { .state = TCP_ESTABLISHED,
				.ends = { .netns = (uint32_t)netns },
				.owner = { .tgid = owner } };

	assert_int_equal(bpf_map_update_elem(fd, &cookie, &conn, BPF_ANY), 0);
}

static bool was_accepted(const struct fact *fact, const void *arg)
{
	(void)arg;
	return fact->type == FACT_TCP && fact->tcp.from == TCP_SYN_RECV &&
	       fact->tcp.to == TCP_ESTABLISHED;
}

static void test_owner_in_another_namespace(void **state)
{
	uint64_t waiting = 0, ended = 1ULL << 40;

	(void)state;
	fixture = fixture_new(NULL);
	server = actor_new();
	client = actor_new();
	assert_true(actor_act(&server, ACT_LISTEN, fixture->port, AF_INET) > 0);
	assert_true(actor_act(&client, ACT_CONNECT, fixture->port, AF_INET) > 0);
	fixture_wait(fixture, was_accepted, NULL, 1, "connection that nobody has taken yet");
	for (size_t i = 0; i < fixture->n; i++)
		if (was_accepted(&fixture->facts[i], NULL))
			waiting = fixture->facts[i].tcp.cookie;
	netns_enter();
	enter(waiting, fixture->netns, 0);
	enter(ended, fixture->netns, 0);
	enter(ended + 1, fixture->netns, (uint32_t)getpid()); /* in another namespace */
	fixture_scan(fixture);
	assert_true(is_known(waiting));
	assert_false(is_known(ended));
	assert_false(is_known(ended + 1));
	actor_end(&client);
	actor_end(&server);
	fixture_free(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_owner_in_another_namespace) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
