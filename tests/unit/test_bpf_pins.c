/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The programs of a killed observer stay active; the next observer resumes. */
#include <dirent.h>
#include <linux/bpf.h>
#include <sys/ptrace.h>

#include "observe/event_source.h"
#include "test_bpf_actor.h"
#include "test_bpf_pinned.h"

static struct fixture *fixture;
static char dir[] = "/tmp/ew-test-pins-XXXXXX", pins[64];
static struct actor agent, executor;
static uint64_t listening;

static void watch_open(uint32_t message_ring)
{
	struct ew_bpf_options options = { .agent_port = fixture->port,
					  .pins = pins,
					  .life_ring = 8 << 20,
					  .message_ring = message_ring };

	fixture_open(fixture, &options);
}

/* Another process observes, and is killed by SIGKILL. */
static void watch_and_be_killed(uint32_t message_ring)
{
	int ready[2], status;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = child_new();
	if (pid == 0) {
		watch_open(message_ring);
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(ready[0]);
	close(ready[1]);
}

static size_t entries(const char *path)
{
	DIR *stream = opendir(path);
	size_t n = 0;

	if (!stream)
		return 0;
	while (readdir(stream))
		n++;
	closedir(stream);
	return n - 2;
}

/* Changes of one connection, both ends, closed in order. */
#define CHANGES 9

static void talk(int times)
{
	for (int i = 0; i < times; i++) {
		assert_true(actor_act(&executor, ACT_CONNECT, fixture->port, AF_INET) > 0);
		assert_true(actor_act(&agent, ACT_ACCEPT, 0, 0) > 0);
		assert_true(actor_send(&executor, "POST /slave(1)/x.Y HTTP/1.1\r\n\r\n") > 0);
		assert_true(actor_act(&agent, ACT_RECEIVE, 0, 0) > 0);
		actor_act(&executor, ACT_CLOSE, 0, 0);
		assert_int_equal(actor_act(&agent, ACT_RECEIVE, 0, 0), 0);
		actor_act(&agent, ACT_CLOSE, 0, 0);
	}
}

static void test_nothing_is_missed(void **state)
{
	(void)state;
	watch_and_be_killed(0);
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(3);
	watch_open(0);
	assert_true(ew_bpf_resumed(fixture->watch));
	assert_int_equal(fixture_settle(fixture, 1 + 3 * CHANGES), 1 + 3 * CHANGES);
	assert_int_equal(fixture_count(fixture, FACT_MESSAGE), 3);
	/* Only the new programs are active: nothing is reported twice. */
	talk(2);
	assert_int_equal(fixture_settle(fixture, 1 + 5 * CHANGES), 1 + 5 * CHANGES);
	assert_int_equal(fixture_count(fixture, FACT_MESSAGE), 5);
	assert_int_equal(fixture_count(fixture, FACT_LOST), 0);
}

/* Port 1 above ours, by processes that nobody follows. */
static void talk_at_another_port(void)
{
	uint16_t other = (uint16_t)(fixture->port + 1);

	assert_true(actor_act(&agent, ACT_LISTEN, other, AF_INET) > 0);
	assert_true(actor_act(&executor, ACT_CONNECT, other, AF_INET) > 0);
	assert_true(actor_act(&agent, ACT_ACCEPT, 0, 0) > 0);
	actor_act(&executor, ACT_CLOSE, 0, 0);
	assert_int_equal(actor_act(&agent, ACT_RECEIVE, 0, 0), 0);
	actor_act(&agent, ACT_CLOSE, 0, 0);
	actor_act(&agent, ACT_UNLISTEN, 0, 0);
}

/* The programs of the killed observer go on with the port, and the next one is told of it. */
static void test_ports_outlive_the_observer(void **state)
{
	struct agent_ports ports = { { fixture->port, (uint16_t)(fixture->port + 1) } };
	int status;
	pid_t pid = child_new();

	(void)state;
	if (pid == 0) {
		watch_open(0);
		raise(ew_bpf_set_ports(fixture->watch, &ports) ? SIGTERM : SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, SIGKILL);
	talk_at_another_port();
	watch_open(0);
	assert_true(ew_bpf_resumed(fixture->watch));
	memset(&ports, 0, sizeof(ports));
	ew_bpf_ports(fixture->watch, &ports);
	assert_int_equal(ports.v[0], fixture->port);
	assert_int_equal(ports.v[1], fixture->port + 1);
	assert_int_equal(fixture_settle(fixture, 2 + CHANGES), 2 + CHANGES);
	talk_at_another_port();
	assert_int_equal(fixture_settle(fixture, 4 + 2 * CHANGES), 4 + 2 * CHANGES);
}

/* The observer is stopped at the fork of its self-test, and killed with its child. */
static void killed_in_the_selftest(pid_t *self, pid_t *child)
{
	unsigned long born;
	int status;
	pid_t pid = child_new();

	if (pid == 0) {
		raise(SIGSTOP);
		watch_open(0);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_int_equal(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL), 0);
	kill(pid, SIGCONT);
	while (waitpid(pid, &status, __WALL) == pid && status >> 16 != PTRACE_EVENT_FORK)
		assert_int_equal(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	assert_int_equal(ptrace(PTRACE_GETEVENTMSG, pid, 0, &born), 0);
	/* One after the other: from 7.0 on a preempted program misses the exit of the next. */
	kill((pid_t)born, SIGKILL);
	assert_int_equal(waitpid((pid_t)born, &status, __WALL), (pid_t)born);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	*self = pid;
	*child = (pid_t)born;
}

static bool is_followed(uint32_t pid)
{
	struct ew_proc proc;

	return bpf_map_lookup_elem(bpf_map__fd(fixture->watch->programs.skel->maps.procs), &pid,
				   &proc) == 0;
}

/*
 * The next observer resumes and follows neither process. Both exits are reported: the observer that
 * knew that they belong to a self-test is gone.
 */
static void test_killed_in_its_selftest(void **state)
{
	pid_t self, born;

	(void)state;
	killed_in_the_selftest(&self, &born);
	watch_open(0);
	assert_true(ew_bpf_resumed(fixture->watch));
	assert_false(is_followed((uint32_t)self) || is_followed((uint32_t)born));
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(1);
	assert_int_equal(fixture_settle(fixture, 1 + CHANGES), 1 + CHANGES);
	assert_int_equal(fixture_count(fixture, FACT_EXIT), 2);
	assert_int_equal(fixture_count(fixture, FACT_LOST), 0);
}

static void pass_on(void)
{
	fixture_leave(fixture);
	fixture_forget(fixture);
	watch_open(0);
	assert_true(ew_bpf_resumed(fixture->watch));
}

/* Records that a killed observer had read are reported again, once. */
static void test_what_was_read_is_reported_again(void **state)
{
	struct actor ends = actor_new();

	(void)state;
	watch_open(0);
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	ew_bpf_add_process(fixture->watch, ends.pid, ends.start, EW_BPF_ROLE_EXECUTOR, NULL);
	actor_act(&ends, ACT_EXIT, 3, 0);
	actor_end(&ends);
	talk(2);
	assert_int_equal(fixture_settle(fixture, 1 + 2 * CHANGES), 1 + 2 * CHANGES);
	assert_int_equal(fixture_count(fixture, FACT_EXIT), 1);
	for (int i = 0; i < 2; i++) {
		pass_on();
		talk(1);
		assert_int_equal(fixture_settle(fixture, 1 + (3 + i) * CHANGES),
				 1 + (3 + i) * CHANGES);
		assert_int_equal(fixture_count(fixture, FACT_MESSAGE), 3 + i);
		assert_int_equal(fixture_count(fixture, FACT_EXIT), 1);
		assert_int_equal(fixture_count(fixture, FACT_LOST), 0);
	}
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_EXIT)
			assert_int_equal(fixture->facts[i].exit.status, 3 << 8);
}

/*
 * Several takeovers while connections come and go. Each observer reports all events before it. An
 * event during a takeover may be reported by both sets of programs, but must be reported by one.
 */
static void test_takeover_under_load(void **state)
{
	enum { TIMES = 10000, TAKEOVERS = 4, EVENTS = 1 + TIMES * CHANGES };
	struct order order = { .act = ACT_TALK, .number = TIMES };
	size_t seen, shown;

	(void)state;
	watch_open(0);
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	actor_begin(&agent, &order);
	for (int i = 0; i < TAKEOVERS; i++) {
		ew_bpf_dispatch(fixture->watch, &fixture->sink);
		pass_on();
	}
	assert_int_equal(actor_answer(&agent), TIMES);
	seen = fixture_settle(fixture, EVENTS);
	/* Where packets queue on a busy host a connection may make fewer changes than usual: what
	 * the programs counted as shown is what has to arrive; a takeover may tell one twice. */
	assert_true(seen > TIMES * (CHANGES - 1));
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	shown = fixture->watch->reported.sum.life_shown;
	assert_in_range(seen, shown, shown + TAKEOVERS);
	assert_true(fixture_count(fixture, FACT_TCP) > 0);
}

/*
 * Losses before the first stored record are reported as "history", without their cause; their
 * number is exact.
 */
static void test_old_losses_are_history(void **state)
{
	enum { TALKS = 30, TURN = 5000, EVENTS = 1 + (TALKS + TURN) * CHANGES };
	struct order order = { .act = ACT_TALK, .number = TURN };
	const struct fact *history;
	uint64_t reported_from = UINT64_MAX;

	(void)state;
	watch_open(4096);
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(TALKS);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	assert_true(fixture_lost(fixture, "message-ring") > 0);
	assert_int_equal(actor_order(&agent, &order), TURN);
	assert_int_equal(fixture_settle(fixture, EVENTS), EVENTS);
	fixture_leave(fixture);
	fixture_forget(fixture);
	watch_open(4096);
	assert_true(ew_bpf_resumed(fixture->watch));
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	ew_bpf_counters(fixture->watch, true, &fixture->sink);
	assert_int_equal(fixture_lost(fixture, "message-ring"), 0);
	history = fixture_loss(fixture, "history");
	assert_non_null(history);
	assert_int_equal(fixture_count(fixture, FACT_MESSAGE), 0);
	assert_in_range(fixture_count(fixture, FACT_TCP) + history->lost.lost,
			EVENTS + TALKS - fixture_misses(fixture), EVENTS + TALKS);
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_TCP &&
		    (uint64_t)fixture->facts[i].mono < reported_from)
			reported_from = (uint64_t)fixture->facts[i].mono;
	assert_true((uint64_t)history->mono <= reported_from);
}

/* The killed observer has learnt the owner of the listener. */
static void test_what_was_learnt_is_kept(void **state)
{
	(void)state;
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	watch_open(0);
	fixture_scan(fixture);
	pass_on();
	talk(1);
	assert_int_equal(fixture_settle(fixture, CHANGES), CHANGES);
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_TCP &&
		    fixture->facts[i].tcp.from == TCP_SYN_RECV)
			assert_int_equal(fixture->facts[i].tcp.pid, agent.pid);
	/* And its scan reports all sockets again. */
	fixture_forget(fixture);
	fixture_scan(fixture);
	assert_int_equal(fixture_count(fixture, FACT_SOCKET), 1);
}

static void test_loss_between_is_exact(void **state)
{
	enum { MANY = 30 };
	uint64_t lost;

	(void)state;
	watch_and_be_killed(4096);
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(MANY);
	watch_open(4096);
	assert_true(ew_bpf_resumed(fixture->watch));
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	assert_true(ew_bpf_counters(fixture->watch, false, &fixture->sink));
	lost = fixture_lost(fixture, "message-ring");
	assert_true(fixture_count(fixture, FACT_MESSAGE) > 0 && lost > 0);
	assert_int_equal(fixture_count(fixture, FACT_MESSAGE) + lost, MANY);
}

static void test_other_layout_is_not_resumed(void **state)
{
	struct ew_meta meta = { .abi = EW_ABI + 1, .ports = { fixture->port }, .generation = 1 };
	__u32 zero = 0;
	int fd;

	(void)state;
	watch_and_be_killed(0);
	fd = fixture_pins_meta(pins);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_update_elem(fd, &zero, &meta, BPF_ANY), 0);
	close(fd);
	watch_open(0);
	assert_false(ew_bpf_resumed(fixture->watch));
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(1);
	assert_int_equal(fixture_settle(fixture, 1 + CHANGES), 1 + CHANGES);
}

/* Killed after its links were pinned and before they were activated. */
static void test_half_a_takeover_is_completed(void **state)
{
	char from[160], to[160];
	int link;

	(void)state;
	watch_and_be_killed(0);
	snprintf(from, sizeof(from), "%s/link-1-exit", pins);
	snprintf(to, sizeof(to), "%s/link-2-exit", pins);
	link = bpf_obj_get(from);
	assert_true(link >= 0);
	assert_int_equal(bpf_obj_pin(link, to), 0);
	close(link);
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(1);
	watch_open(0);
	assert_true(ew_bpf_resumed(fixture->watch));
	assert_int_equal(fixture_settle(fixture, 1 + CHANGES), 1 + CHANGES);
}

/* Another map with the same name: of an execwatch of another build. */
static void leave_another_map(void)
{
	char path[160];
	int map;

	watch_and_be_killed(0);
	snprintf(path, sizeof(path), "%s/exits", pins);
	assert_int_equal(unlink(path), 0);
	map = bpf_map_create(BPF_MAP_TYPE_HASH, "exits", 4, 4, 1, NULL);
	assert_true(map >= 0);
	assert_int_equal(bpf_obj_pin(map, path), 0);
	close(map);
}

/* The failed first attempt is not reported as an error: the second has succeeded. */
static void test_second_choice_is_no_failure(void **state)
{
	struct ew_bpf_options options = { .agent_port = fixture->port,
					  .pins = pins,
					  .life_ring = 8 << 20 };
	struct event_source *source;
	struct error without, error;

	(void)state;
	leave_another_map();
	assert_int_equal(event_source_open(&options, fixture->port, "", &fixture->sink, &source,
					   &without, &error),
			 0);
	assert_true(event_source_is_bpf(source));
	assert_int_equal(without.code, 0);
	event_source_free(source);
}

static void test_another_map_is_not_used(void **state)
{
	(void)state;
	leave_another_map();
	watch_open(0);
	assert_false(ew_bpf_resumed(fixture->watch));
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	talk(1);
	assert_int_equal(fixture_settle(fixture, 1 + CHANGES), 1 + CHANGES);
}

static void test_orderly_end_leaves_nothing(void **state)
{
	(void)state;
	watch_open(0);
	assert_true(entries(pins) > 10);
	ew_bpf_free(fixture->watch);
	fixture->watch = NULL;
	assert_int_equal(access(pins, F_OK), -1);
}

static void test_unmount_ends_programs_of_a_killed_one(void **state)
{
	(void)state;
	watch_and_be_killed(0);
	assert_true(entries(pins) > 10);
	ew_bpf_pins_unmount(pins);
	assert_int_equal(access(pins, F_OK), -1);
	ew_bpf_pins_unmount(pins); /* nothing there is fine */
}

static void test_without_pins_it_observes(void **state)
{
	struct ew_bpf_options options = { .agent_port = fixture->port,
					  .pins = "/tmp/ew-test-none/none" };

	(void)state;
	fixture_open(fixture, &options);
	assert_false(ew_bpf_resumed(fixture->watch));
	assert_string_equal(fixture->facts[0].hook.hook, "pins");
	assert_string_equal(fixture->facts[0].hook.program, "");
	assert_non_null(strstr(fixture->facts[0].hook.reason, "/tmp/ew-test-none/none"));
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	assert_int_equal(fixture_count(fixture, FACT_TCP), 1);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new_unwatched();
	agent = actor_new();
	executor = actor_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	actor_end(&executor);
	actor_end(&agent);
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
		TEST(test_killed_in_its_selftest),
		TEST(test_nothing_is_missed),
		TEST(test_ports_outlive_the_observer),
		TEST(test_what_was_read_is_reported_again),
		TEST(test_takeover_under_load),
		TEST(test_old_losses_are_history),
		TEST(test_what_was_learnt_is_kept),
		TEST(test_loss_between_is_exact),
		TEST(test_other_layout_is_not_resumed),
		TEST(test_half_a_takeover_is_completed),
		TEST(test_another_map_is_not_used),
		TEST(test_second_choice_is_no_failure),
		TEST(test_orderly_end_leaves_nothing),
		TEST(test_unmount_ends_programs_of_a_killed_one),
		TEST(test_without_pins_it_observes),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
