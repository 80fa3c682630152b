/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kernel keeps from a program, because it is at work on that CPU already, is told as lost.
 */
#include <sys/utsname.h>

#include "test_bpf_fixture.h"
#include "test_bpf_actor.h"
#include "observe/bpf_lib.h"
#include "observe/bpf_priv.h"

static struct fixture *fixture;
static char dir[] = "/tmp/ew-test-skipped-XXXXXX", pins[64];

static void watch_open(void)
{
	struct bpf_watch_options options = { .agent_port = fixture->port, .pins = pins };

	fixture_open(fixture, &options);
}

/* As one that is killed, without the process. */
static void leave(void)
{
	fixture->watch->pins[0] = '\0';
	bpf_watch_free(fixture->watch);
	fixture->watch = NULL;
	fixture_forget(fixture);
}

static uint64_t told(void)
{
	bpf_watch_counters(fixture->watch, true, &fixture->sink);
	return fixture_lost(fixture, "recursion");
}

/* Until killed, or a minute is over. */
static void processes_come_and_go(void)
{
	for (int64_t end = mono_ms() + 60000; mono_ms() < end;) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

/* Before 7.0 these programs are not preempted, and nothing of their kind comes on top of them. */
static bool is_preempted(void)
{
	struct utsname kernel;

	assert_int_equal(uname(&kernel), 0);
	return atoi(kernel.release) >= 7;
}

static void make_it_skip(void)
{
	enum { AT_ONCE = 4 };
	int64_t end = mono_ms() + PATIENCE_MS;
	pid_t pids[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		pids[i] = child_new();
		if (pids[i] == 0)
			processes_come_and_go();
	}
	while (!told() && mono_ms() < end)
		poll(NULL, 0, 10);
	for (int i = 0; i < AT_ONCE; i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
	assert_true(told() > 0);
}

static void test_it_is_told_and_a_reason_to_look_again(void **state)
{
	uint64_t before;

	(void)state;
	if (!is_preempted())
		skip();
	watch_open();
	before = told();
	make_it_skip();
	assert_true(told() > before);
	fixture->watch->told.skipped =
		before; /* as when it had last been asked before it happened */
	assert_true(bpf_watch_counters(fixture->watch, false, &fixture->sink));
}

static void test_it_is_not_forgotten_when_others_take_over(void **state)
{
	uint64_t skipped;

	(void)state;
	if (!is_preempted())
		skip();
	watch_open();
	make_it_skip();
	skipped = told();
	for (int i = 0; i < 2; i++) {
		leave();
		watch_open();
		assert_true(bpf_watch_resumed(fixture->watch));
		assert_true(told() >= skipped);
	}
	/* Exactly, but for what happens on this host meanwhile. */
	assert_true(told() < 2 * skipped + 100);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	bpf_watch_free(fixture->watch);
	fixture->watch = NULL;
	fixture_forget(fixture);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	bpf_watch_free(fixture->watch);
	fixture->watch = NULL;
	bpf_pins_unmount(pins);
	fixture_free(fixture);
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	if (fixture_dir_new(dir) < 0)
		return -1;
	snprintf(pins, sizeof(pins), "%s/pins", dir);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_is_told_and_a_reason_to_look_again),
		TEST(test_it_is_not_forgotten_when_others_take_over),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
