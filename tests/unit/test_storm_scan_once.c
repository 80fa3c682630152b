/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a scan of descriptors does to the map of connections. */
#include <sys/syscall.h>

#include "events.h"
#include "test_bpf_conns.h"

static struct fixture *fixture;
static struct actor agent, executor;
static uint64_t at_executor;

static void conn_emit(uint64_t cookie, uint32_t state, const struct actor *owner)
{
	struct ew_conn conn = { .state = state,
				.ktime_ns = 1,
				.ends.netns = (uint32_t)fixture->netns,
				.owner = { .tgid = (uint32_t)owner->pid } };

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(fixture->watch->programs.skel->maps.conns),
					     &cookie, &conn, BPF_NOEXIST),
			 0);
}

static bool conn_is_there(uint64_t cookie)
{
	struct ew_conn conn;

	return bpf_map_lookup_elem(bpf_map__fd(fixture->watch->programs.skel->maps.conns), &cookie,
				   &conn) == 0;
}

static void scan(void)
{
	fixture_scan(fixture);
}

/*
 * The next scan removes entries whose end was missed, in any state; an existing connection that no
 * process has a descriptor of yet (not accepted) stays.
 */
static void test_stale_entries_are_removed(void **state)
{
	static const uint32_t states[] = { TCP_ESTABLISHED, TCP_SYN_SENT, TCP_CLOSE_WAIT,
					   TCP_FIN_WAIT1,   TCP_LAST_ACK, TCP_CLOSE };
	enum { STATES = sizeof(states) / sizeof(states[0]) };
	struct actor waits = actor_new();
	uint64_t not_accepted;

	(void)state;
	not_accepted = (uint64_t)actor_act(&waits, ACT_CONNECT, fixture->port, AF_INET);
	for (uint64_t i = 0; i < STATES; i++)
		conn_emit(i + 1, states[i], &executor);
	assert_int_equal(fixture_conns(fixture),
			 STATES + 5); /* two connections, and the listener */
	scan();
	for (uint64_t i = 0; i < STATES; i++)
		assert_false(conn_is_there(i + 1));
	assert_true(conn_is_there(at_executor));
	assert_true(conn_is_there(not_accepted));
	assert_int_equal(fixture_conns(fixture), 5);
	actor_end(&waits);
}

/* A namespace with only the owner in it, and one that has ended with its owner. */
static void test_stale_entries_of_other_namespaces(void **state)
{
	struct actor gone = actor_new();

	(void)state;
	conn_emit(1, TCP_ESTABLISHED, &executor);
	conn_emit(2, TCP_ESTABLISHED, &gone);
	actor_end(&gone);
	netns_enter();
	scan();
	assert_int_equal(fixture_conns(fixture), 3);
}

static int descriptor_take(pid_t pid)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), fd = -1;

	for (int i = 3; i < 64 && fd < 0; i++) {
		fd = (int)syscall(SYS_pidfd_getfd, process, i, 0);
		if (fd >= 0 && (uint64_t)cookie_of(fd) != at_executor) {
			close(fd);
			fd = -1;
		}
	}
	close(process);
	return fd;
}

/* As a scan that holds the file while its owner closes it. */
static void test_the_last_to_release_is_not_the_owner(void **state)
{
	int fd = descriptor_take(executor.pid);
	size_t ends = 0;

	(void)state;
	assert_true(fd >= 0);
	actor_act(&executor, ACT_CLOSE, 0, 0);
	close(fd);
	fixture_wait_state(fixture, at_executor, TCP_FIN_WAIT1);
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_tcp *change = &fixture->facts[i].tcp;

		if (fixture->facts[i].type != FACT_TCP || change->cookie != at_executor)
			continue;
		assert_int_not_equal(change->pid, getpid());
		ends += change->to == TCP_FIN_WAIT1;
	}
	assert_int_equal(ends, 1);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	agent = actor_new();
	executor = actor_new();
	assert_true(actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET) > 0);
	at_executor = (uint64_t)actor_act(&executor, ACT_CONNECT, fixture->port, AF_INET);
	assert_true(actor_act(&agent, ACT_ACCEPT, 0, 0) > 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	actor_end(&executor);
	actor_end(&agent);
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stale_entries_are_removed),
		TEST(test_stale_entries_of_other_namespaces),
		TEST(test_the_last_to_release_is_not_the_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
