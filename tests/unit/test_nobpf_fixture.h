/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the tests of observation without BPF: the observer, and children that follow commands.
 * Included only by those tests, hence static.
 */
#ifndef EW_TEST_NOBPF_FIXTURE_H
#define EW_TEST_NOBPF_FIXTURE_H

#include "test_observe.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/proc.h"
#include "observe/nobpf.h"

#define PORT	    5051
#define PATIENCE_MS 20000

static struct facts facts;
static struct nobpf *watch;

static inline uint64_t start_of(pid_t pid)
{
	struct proc_stat stat;

	return proc_stat_of(pid, &stat) < 0 ? 0 : stat.start;
}

static inline void watch_open(void)
{
	struct nobpf_options options = { .agent_port = PORT, .reason = "the test's" };
	struct error error = { 0 };

	if (nobpf_open(&options, &facts.sink, &watch, &error) < 0)
		fail_msg("%s", error.message);
}

static inline int test_setup(void **state)
{
	(void)state;
	facts_init(&facts);
	watch_open();
	return 0;
}

static inline int test_teardown(void **state)
{
	(void)state;
	nobpf_free(watch);
	facts_free(&facts);
	return 0;
}

static inline int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Dispatches until there is a fact of the type whose field has that value. */
static inline const json_t *await(const char *type, const char *field, int64_t value)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	const json_t *fact;

	while (!(fact = facts_with(&facts, type, field, value))) {
		struct pollfd poller = { .fd = nobpf_fd(watch), .events = POLLIN };
		int64_t left = until - clock_ms();

		if (left <= 0) {
			facts_print(&facts);
			fail_msg("no %s with %s %lld", type, field, (long long)value);
		}
		poll(&poller, 1, left < 500 ? (int)left : 500);
		nobpf_dispatch(watch, &facts.sink);
	}
	return fact;
}

/* ---- children that follow commands ---- */

struct actor {
	pid_t pid;
	uint64_t start;
	int go, done;
};

static int actor_go, actor_done;

static inline void actor_wait(void)
{
	char byte;

	if (read(actor_go, &byte, 1) != 1)
		_exit(100);
}

static inline void actor_tell(void)
{
	if (write(actor_done, "d", 1) != 1)
		_exit(101);
}

static inline struct actor actor_start(void (*act)(void))
{
	struct actor actor = { 0 };
	int go[2], done[2];

	assert_int_equal(pipe2(go, O_CLOEXEC), 0);
	assert_int_equal(pipe2(done, O_CLOEXEC), 0);
	actor.pid = fork();
	if (actor.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		close(done[0]);
		actor_go = go[0];
		actor_done = done[1];
		actor_wait();
		act();
		_exit(99);
	}
	assert_true(actor.pid > 0);
	close(go[0]);
	close(done[1]);
	actor.go = go[1];
	actor.done = done[0];
	actor.start = start_of(actor.pid);
	assert_int_not_equal(actor.start, 0);
	return actor;
}

static inline void actor_do(const struct actor *actor)
{
	assert_int_equal(write(actor->go, "g", 1), 1);
}

static inline void actor_did(const struct actor *actor)
{
	char byte;

	assert_int_equal(read(actor->done, &byte, 1), 1);
}

static inline void actor_end(struct actor *actor)
{
	close(actor->go);
	close(actor->done);
	kill(actor->pid, SIGKILL);
	waitpid(actor->pid, NULL, 0);
}

static inline void add(const struct actor *actor, enum nobpf_role role)
{
	struct error error = { 0 };

	if (nobpf_add_process(watch, actor->pid, actor->start, role, &error) < 0)
		fail_msg("%s", error.message);
}

static inline void execs_sleep(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* each thread has its own */
	execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, test_setup, test_teardown)

#endif
