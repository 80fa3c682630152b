/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real processes, observed without BPF. */
#include "test_nobpf_fixture.h"

#include <linux/sched.h>

/* ---- what this host offers ---- */

static void each_hook_is_reported_with_its_program(void **state)
{
	(void)state;
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "exit"), "program"),
			    "proc connector");
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "exec"), "program"),
			    "proc connector");
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "tcp-state"), "program"),
			    "sock_diag destroy");
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "signal"), "program"), "");
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "messages"), "program"), "");
	assert_string_equal(text(facts_find(&facts, "slot", "slot", "messages"), "reason"),
			    "the test's");
}

/* ---- processes ---- */

static void exits_with_7(void)
{
	_exit(7);
}

static void an_exit_is_reported_with_its_status(void **state)
{
	struct actor actor = actor_start(exits_with_7);
	int64_t before = clock_ms(), mono;
	const json_t *end;

	(void)state;
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	end = await("exit", "pid", actor.pid);
	mono = number(end, "mono_ns") / 1000000;
	assert_int_equal(number(end, "status"), 7 << 8);
	assert_int_equal(number(end, "signal"), 0);
	assert_int_equal(number(end, "killer"), 0);
	assert_int_equal(number(end, "start"), (int64_t)actor.start);
	assert_true(mono >= before && mono <= clock_ms());
	assert_int_equal(facts_count(&facts, "exit"), 1);
	actor_end(&actor);
}

static void a_fatal_signal_is_reported_without_its_sender(void **state)
{
	struct actor actor = actor_start(exits_with_7);
	const json_t *end;

	(void)state;
	add(&actor, NOBPF_ROLE_EXECUTOR);
	kill(actor.pid, SIGKILL);
	end = await("exit", "pid", actor.pid);
	assert_int_equal(number(end, "status"), SIGKILL);
	assert_int_equal(number(end, "signal"), SIGKILL);
	assert_int_equal(number(end, "killer"), 0);
	actor_end(&actor);
}

/* Its parent has waited for it before the events are read. */
static void an_exit_is_reported_late_as_well(void **state)
{
	struct actor actor = actor_start(exits_with_7);

	(void)state;
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	waitpid(actor.pid, NULL, 0);
	assert_int_equal(number(await("exit", "pid", actor.pid), "status"), 7 << 8);
	actor_end(&actor);
}

static void other_processes_are_not_reported(void **state)
{
	struct actor watched = actor_start(exits_with_7), other = actor_start(exits_with_7);

	(void)state;
	add(&watched, NOBPF_ROLE_EXECUTOR);
	actor_do(&other);
	waitpid(other.pid, NULL, 0);
	actor_do(&watched);
	await("exit", "pid", watched.pid);
	assert_int_equal(facts_count(&facts, "exit"), 1);
	assert_int_equal(facts_count(&facts, "fork"), 0);
	actor_end(&watched);
	actor_end(&other);
}

static void another_process_of_that_number_is_not_watched(void **state)
{
	struct actor actor = actor_start(exits_with_7), next = actor_start(exits_with_7);

	(void)state;
	assert_int_equal(
		nobpf_add_process(watch, actor.pid, actor.start - 1, NOBPF_ROLE_EXECUTOR, NULL), 0);
	add(&next, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	waitpid(actor.pid, NULL, 0);
	actor_do(&next);
	await("exit", "pid", next.pid);
	assert_null(facts_with(&facts, "exit", "pid", actor.pid));
	actor_end(&actor);
	actor_end(&next);
}

static void forks_a_child_that_forks(void)
{
	pid_t child = fork(), grandchild;

	if (child == 0) {
		grandchild = fork();
		if (grandchild == 0)
			_exit(3);
		waitpid(grandchild, NULL, 0);
		_exit(4);
	}
	waitpid(child, NULL, 0);
	_exit(5);
}

static void an_exec_is_reported_with_the_new_name(void **state)
{
	struct actor actor = actor_start(execs_sleep);
	const json_t *exec;

	(void)state;
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	exec = await("exec", "pid", actor.pid);
	assert_string_equal(text(exec, "comm"), "sleep");
	assert_non_null(strstr(text(exec, "filename"), "/sleep"));
	kill(actor.pid, SIGTERM);
	assert_string_equal(text(await("exit", "pid", actor.pid), "comm"), "sleep");
	actor_end(&actor);
}

static void an_executors_children_and_an_agents_descendants_are_reported(void **state)
{
	struct actor executor = actor_start(forks_a_child_that_forks);
	struct actor agent = actor_start(forks_a_child_that_forks);
	const json_t *child;

	(void)state;
	add(&executor, NOBPF_ROLE_EXECUTOR);
	actor_do(&executor);
	await("exit", "pid", executor.pid);
	child = facts_with(&facts, "fork", "parent", executor.pid);
	assert_non_null(child);
	facts_clear(&facts);
	add(&agent, NOBPF_ROLE_AGENT);
	actor_do(&agent);
	await("exit", "pid", agent.pid);
	child = facts_with(&facts, "fork", "parent", agent.pid);
	assert_non_null(child);
	assert_int_equal(number(facts_with(&facts, "exit", "pid", number(child, "pid")), "status"),
			 4 << 8);
	assert_non_null(facts_with(&facts, "fork", "parent", number(child, "pid")));
	actor_end(&executor);
	actor_end(&agent);
}

static int64_t boot_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(100) + now.tv_nsec / 10000000;
}

static pid_t fork_as(pid_t number)
{
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&number,
				   .set_tid_size = 1 };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void forks_one_number_twice(void)
{
	pid_t self = getpid(), child = fork();
	int64_t ticks;

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
	for (ticks = boot_ticks(); boot_ticks() < ticks + 2;)
		poll(NULL, 0, 1);
	if (fork_as(child) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != self) /* it has ended before that */
			_exit(0);
		pause();
	}
	actor_tell();
	actor_wait();
}

/* Both events are read after the first process is gone: /proc shows only the second. */
static void of_a_number_used_again_each_has_its_own_start(void **state)
{
	struct actor actor = actor_start(forks_one_number_twice);
	const json_t *first, *second;

	(void)state;
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	actor_did(&actor);
	first = await("fork", "parent", actor.pid);
	second = facts_nth(&facts, "fork", NULL, NULL, 1);
	assert_non_null(second);
	assert_int_equal(number(first, "pid"), number(second, "pid"));
	assert_int_equal(number(first, "start"), 0);
	assert_int_equal(number(second, "start"), (int64_t)start_of((pid_t)number(second, "pid")));
	actor_end(&actor);
}

/* ---- losses ---- */

static void forks_much(void)
{
	for (int i = 0; i < 15000; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	actor_tell();
	actor_wait();
}

static void what_found_no_room_is_counted_and_no_end_is_missed(void **state)
{
	struct actor storm = actor_start(forks_much), victim = actor_start(exits_with_7);
	const json_t *lost;

	(void)state;
	assert_false(nobpf_counters(watch, false, &facts.sink));
	assert_null(facts_find(&facts, "lost", NULL, NULL));
	add(&victim, NOBPF_ROLE_EXECUTOR);
	actor_do(&storm);
	actor_did(&storm);
	actor_do(&victim);
	waitpid(victim.pid, NULL, 0);
	nobpf_dispatch(watch, &facts.sink);
	assert_non_null(facts_with(&facts, "exit", "pid", victim.pid));
	assert_true(nobpf_counters(watch, false, &facts.sink));
	lost = facts_find(&facts, "lost", "cause", "proc-connector");
	assert_non_null(lost);
	assert_true(number(lost, "lost") > 0);
	assert_true(number(lost, "seen") >= 30000); /* each fork and each exit, read or lost */
	assert_false(nobpf_counters(watch, false, &facts.sink));
	assert_true(nobpf_counters(watch, true, &facts.sink) == false &&
		    facts_find(&facts, "lost", "cause", "sock-diag"));
	actor_end(&storm);
	actor_end(&victim);
}

/* ---- where the proc connector does not answer ---- */

static int in_user_namespace(void)
{
	struct actor reaped, zombie;

	if (unshare(CLONE_NEWUSER) < 0)
		return 1;
	prctl(PR_SET_DUMPABLE, 1); /* or our children's /proc would be root's */
	facts_init(&facts);
	watch_open();
	if (strcmp(text(facts_find(&facts, "slot", "slot", "exit"), "program"), "pidfd") != 0)
		return 2;
	if (!strstr(text(facts_find(&facts, "slot", "slot", "exec"), "reason"), "proc connector"))
		return 3;
	reaped = actor_start(exits_with_7);
	zombie = actor_start(exits_with_7);
	add(&reaped, NOBPF_ROLE_EXECUTOR);
	add(&zombie, NOBPF_ROLE_EXECUTOR);
	actor_do(&zombie);
	if (number(await("exit", "pid", zombie.pid), "status") != 7 << 8)
		return 4;
	kill(reaped.pid, SIGKILL);
	waitpid(reaped.pid, NULL, 0);
	await("exit", "pid", reaped.pid); /* its status is known from 6.15 on */
	return 0;
}

static void an_end_is_seen_without_the_proc_connector(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(in_user_namespace());
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(each_hook_is_reported_with_its_program),
		TEST(an_exit_is_reported_with_its_status),
		TEST(a_fatal_signal_is_reported_without_its_sender),
		TEST(an_exit_is_reported_late_as_well),
		TEST(other_processes_are_not_reported),
		TEST(another_process_of_that_number_is_not_watched),
		TEST(an_exec_is_reported_with_the_new_name),
		TEST(an_executors_children_and_an_agents_descendants_are_reported),
		TEST(of_a_number_used_again_each_has_its_own_start),
		TEST(what_found_no_room_is_counted_and_no_end_is_missed),
		TEST(an_end_is_seen_without_the_proc_connector),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
