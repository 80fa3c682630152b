/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events for which the kernel skips a program (recursion misses) are reported as lost. */
#include <sys/utsname.h>

#include "test_bpf_actor.h"
#include "test_bpf_pinned.h"

static struct fixture *fixture;
static char dir[] = "/tmp/ew-test-misses-XXXXXX", pins[64];

static void watch_open(void)
{
	struct ew_bpf_options options = { .agent_port = fixture->port, .pins = pins };

	fixture_open(fixture, &options);
}

static void leave(void)
{
	fixture_leave(fixture);
	fixture_forget(fixture);
}

static uint64_t reported(void)
{
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	return fixture_lost(fixture, "recursion");
}

/* ---- misses of earlier observers, on any kernel ---- */

enum { MANY = 1000000 };

/* Leaves pins as if the programs had missed that many events. */
static void leave_with_misses(uint32_t abi, uint64_t misses)
{
	struct ew_meta meta;
	__u32 zero = 0;
	int fd;

	leave();
	fd = fixture_pins_meta(pins);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &zero, &meta), 0);
	meta.abi = abi;
	meta.misses = misses;
	assert_int_equal(bpf_map_update_elem(fd, &zero, &meta, BPF_ANY), 0);
	close(fd);
}

static void test_earlier_misses_are_reported(void **state)
{
	(void)state;
	watch_open();
	leave_with_misses(EW_ABI, MANY);
	for (int i = 0; i < 2; i++) {
		watch_open();
		assert_true(ew_bpf_resumed(fixture->watch));
		assert_true(reported() >= MANY);
		leave();
	}
}

/* Misses of maps with another layout are not reported. */
static void test_new_maps_have_no_misses(void **state)
{
	(void)state;
	watch_open();
	leave_with_misses(EW_ABI + 1, MANY);
	watch_open();
	assert_false(ew_bpf_resumed(fixture->watch));
	assert_true(reported() < MANY);
}

/* ---- misses that the kernel counts ---- */

/* Until killed, or for a minute. */
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

/* Before 7.0 these programs are neither preempted nor interrupted by one another. */
static bool is_preempted(void)
{
	struct utsname kernel;

	assert_int_equal(uname(&kernel), 0);
	return atoi(kernel.release) >= 7;
}

/* Until misses are reported, which must ask for a new scan. */
static void cause_misses(void)
{
	enum { AT_ONCE = 4 };
	uint64_t before = reported();
	bool again = false;
	int64_t end = mono_ms() + PATIENCE_MS;
	pid_t pids[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		pids[i] = child_new();
		if (pids[i] == 0)
			processes_come_and_go();
	}
	while (fixture_lost(fixture, "recursion") == before && mono_ms() < end) {
		poll(NULL, 0, 10);
		again = ew_bpf_counters(fixture->watch, false, &fixture->sink);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		kill(pids[i], SIGKILL);
		assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
	}
	assert_true(fixture_lost(fixture, "recursion") > before);
	assert_true(again);
}

static void test_misses_survive_takeovers(void **state)
{
	uint64_t misses;

	(void)state;
	if (!is_preempted())
		skip();
	watch_open();
	cause_misses();
	misses = reported();
	for (int i = 0; i < 2; i++) {
		leave();
		watch_open();
		assert_true(ew_bpf_resumed(fixture->watch));
		assert_true(reported() >= misses);
	}
	/* Exact, except for other events of this host meanwhile. */
	assert_true(reported() < 2 * misses + 100);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new_unwatched();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_free_pinned(fixture, pins);
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	return fixture_pins_new(dir, pins, sizeof(pins));
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
		TEST(test_earlier_misses_are_reported),
		TEST(test_new_maps_have_no_misses),
		TEST(test_misses_survive_takeovers),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
