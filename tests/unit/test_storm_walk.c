/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a walk over descriptors does to the truth, and for it. */
#include <sys/syscall.h>

#include "observe/bpf_lib.h"
#include "events.h"
#include "test_bpf_fixture.h"
#include "observe/bpf_priv.h"

static struct fixture *fixture;
static struct actor agent, executor;
static uint64_t at_executor;

static void conn_put(uint64_t cookie, uint32_t state)
{
	struct ew_conn conn = { .state = state, .ktime_ns = 1 };

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(fixture->watch->skel->maps.conns), &cookie,
					     &conn, BPF_NOEXIST),
			 0);
}

static bool conn_is_there(uint64_t cookie)
{
	struct ew_conn conn;

	return bpf_map_lookup_elem(bpf_map__fd(fixture->watch->skel->maps.conns), &cookie, &conn) ==
	       0;
}

/*
 * Where the kernel has skipped a change (a softirq on top of the same program), it may have been
 * the last: what no process has any more is swept; what may yet be accepted stays.
 */
static void test_leftovers_are_swept(void **state)
{
	enum { CLOSING = 1, NOT_ACCEPTED = 2 };

	(void)state;
	conn_put(CLOSING, TCP_FIN_WAIT1);
	conn_put(NOT_ACCEPTED, TCP_ESTABLISHED);
	fixture->watch->swept_at = UINT64_MAX; /* another count than the kernel's */
	assert_int_equal(bpf_watch_seed(fixture->watch, &fixture->sink, NULL), 0);
	assert_false(conn_is_there(CLOSING));
	assert_true(conn_is_there(NOT_ACCEPTED));
	assert_true(conn_is_there(at_executor));
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

/* As a walk does that has the descriptor in hand when its owner closes it. */
static void test_the_last_to_let_go_is_not_the_owner(void **state)
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
		TEST(test_leftovers_are_swept),
		TEST(test_the_last_to_let_go_is_not_the_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
