/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Births, new programs, signals and ends of watched processes. */
#include <pthread.h>

#include "test_bpf_fixture.h"

static struct fixture *fixture;
static struct actor actor;

static bool is_exit_of(const struct fact *fact, const void *pid)
{
	return fact->type == FACT_EXIT && fact->exit.pid == *(const pid_t *)pid;
}

static const struct fact_exit *wait_exit(pid_t pid)
{
	fixture_wait(fixture, is_exit_of, &pid, 1, "end of a process");
	for (size_t i = 0; i < fixture->n; i++)
		if (is_exit_of(&fixture->facts[i], &pid))
			return &fixture->facts[i].exit;
	return NULL;
}

static size_t count(enum fact_type type)
{
	size_t n = 0;

	bpf_watch_drain(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++)
		n += fixture->facts[i].type == type;
	return n;
}

static const struct fact *nth(enum fact_type type, size_t skip)
{
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == type && !skip--)
			return &fixture->facts[i];
	fail_msg("no fact of type %d", type);
	return NULL;
}

static void watch_actor(enum bpf_role role)
{
	actor = actor_new();
	assert_int_equal(bpf_watch_add_process(fixture->watch, actor.pid, actor.start, role, NULL),
			 0);
}

static void test_exit_code(void **state)
{
	const struct fact_exit *end;
	int status;

	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	actor_act(&actor, ACT_EXIT, 7, 0);
	status = actor_end(&actor);
	end = wait_exit(actor.pid);
	assert_int_equal(end->status, status);
	assert_int_equal(end->status, 7 << 8);
	assert_int_equal(end->start, actor.start);
	assert_int_equal(end->signal, 0);
	assert_int_equal(end->killer, 0);
	assert_int_equal(count(FACT_EXIT), 1);
}

static void test_killed_by(void **state)
{
	const struct fact_signal *signal;
	const struct fact_exit *end;
	struct actor killer;
	int status;

	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	killer = actor_new();
	assert_int_equal(actor_act(&killer, ACT_KILL, actor.pid, SIGKILL), 0);
	status = actor_end(&actor);
	end = wait_exit(actor.pid);
	assert_int_equal(end->status, status);
	assert_int_equal(end->signal, SIGKILL);
	assert_int_equal(end->killer, killer.pid);
	assert_int_equal(end->killer_start, killer.start);
	assert_string_equal(end->killer_comm, end->comm); /* the same program, forked */
	assert_int_equal(count(FACT_SIGNAL), 1);
	signal = &nth(FACT_SIGNAL, 0)->signal;
	assert_int_equal(signal->pid, actor.pid);
	assert_int_equal(signal->start, actor.start);
	assert_int_equal(signal->signal, SIGKILL);
	assert_int_equal(signal->sender, killer.pid);
	actor_end(&killer);
}

/* A signal that did not end it is no cause of its end. */
static void test_earlier_signal_is_not_blamed(void **state)
{
	const struct fact_exit *end;

	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_act(&actor, ACT_KILL, actor.pid, SIGWINCH), 0);
	assert_int_equal(count(FACT_SIGNAL), 0); /* not deadly: filtered */
	actor_act(&actor, ACT_EXIT, 15, 0);
	actor_end(&actor);
	end = wait_exit(actor.pid);
	assert_int_equal(end->status, 15 << 8);
	assert_int_equal(end->signal, 0);
}

static void test_fork_exec_exit_of_child(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "exec /bin/true" };
	const struct fact_exec *second;
	const struct fact_fork *born;

	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_order(&actor, &run), 0);
	assert_int_equal(count(FACT_FORK), 1);
	born = &nth(FACT_FORK, 0)->fork;
	assert_int_equal(born->parent, actor.pid);
	assert_int_not_equal(born->start, 0);
	assert_int_equal(count(FACT_EXEC), 2);
	assert_string_equal(nth(FACT_EXEC, 0)->exec.filename, "/bin/sh");
	second = &nth(FACT_EXEC, 1)->exec;
	assert_string_equal(second->filename, "/bin/true");
	assert_string_equal(second->comm, "true");
	assert_int_equal(second->pid, born->pid);
	assert_int_equal(second->start, born->start);
	assert_int_equal(wait_exit(born->pid)->status, 0);
	actor_end(&actor);
}

/* Generations: an executor's children are followed, their children are not. */
static void test_grandchildren_are_not_followed(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "/bin/true; /bin/true; exit 3" };

	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_order(&actor, &run), 3 << 8);
	assert_int_equal(count(FACT_FORK), 1);
	assert_int_equal(wait_exit(nth(FACT_FORK, 0)->fork.pid)->status, 3 << 8);
	assert_int_equal(count(FACT_EXEC), 1);
	actor_end(&actor);
}

/* Whoever listens on the agent port is followed without being named. */
static void test_agent_is_learnt(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "/bin/true; exit 0" };

	(void)state;
	actor = actor_new();
	assert_true(actor_act(&actor, ACT_LISTEN, fixture->port, AF_INET) > 0);
	assert_int_equal(actor_order(&actor, &run), 0);
	assert_int_equal(count(FACT_FORK), 2); /* the shell, and what it started */
	actor_act(&actor, ACT_EXIT, 0, 0);
	actor_end(&actor);
	assert_int_equal(wait_exit(actor.pid)->status, 0);
}

static void test_others_are_not_followed(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "exec /bin/true" };

	(void)state;
	actor = actor_new();
	assert_int_equal(actor_order(&actor, &run), 0);
	actor_act(&actor, ACT_EXIT, 0, 0);
	actor_end(&actor);
	assert_int_equal(count(FACT_FORK) + count(FACT_EXEC) + count(FACT_EXIT), 0);
}

static void test_removed_is_not_followed(void **state)
{
	(void)state;
	watch_actor(BPF_ROLE_EXECUTOR);
	bpf_watch_remove_process(fixture->watch, actor.pid);
	actor_act(&actor, ACT_EXIT, 0, 0);
	actor_end(&actor);
	assert_int_equal(count(FACT_EXIT), 0);
}

static void *pause_thread(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A process with threads, whose leader ends first (leader) or whose worker ends all. */
static void *end_thread(void *arg)
{
	int *ready = arg;
	char byte;

	if (read(ready[0], &byte, 1) == 1)
		_exit(5); /* all threads: exit_group(2) */
	return NULL;
}

static pid_t threaded_child(int ready[2], bool leader_first)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid)
		return pid;
	pthread_create(&thread, NULL, end_thread, ready);
	if (leader_first)
		pthread_exit(NULL);
	pause_thread(NULL);
	return 0;
}

static void check_threaded(bool leader_first)
{
	int ready[2], status;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = threaded_child(ready, leader_first);
	bpf_watch_add_process(fixture->watch, pid, start_of(pid), BPF_ROLE_EXECUTOR, NULL);
	if (leader_first) { /* until the leader is a zombie with a live thread */
		char path[64], line[256] = "";
		int64_t end = mono_ms() + PATIENCE_MS;

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		while (!strstr(line, ") Z") && mono_ms() < end) {
			FILE *file = fopen(path, "re");

			assert_non_null(file);
			assert_non_null(fgets(line, sizeof(line), file));
			fclose(file);
			sched_yield();
		}
		assert_int_equal(count(FACT_EXIT), 0); /* its end is not the process' */
	}
	assert_int_equal(write(ready[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(wait_exit(pid)->status, status);
	assert_int_equal(status, 5 << 8);
	assert_int_equal(count(FACT_EXIT), 1);
	close(ready[0]);
	close(ready[1]);
}

static void test_exit_by_thread(void **state)
{
	(void)state;
	check_threaded(false);
}

static void test_leader_ends_first(void **state)
{
	(void)state;
	check_threaded(true);
}

static void test_fault_has_no_sender(void **state)
{
	const struct fact_exit *end;
	int go[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler */
		if (read(go[0], &byte, 1) == 1)
			*(volatile int *)8 = 1;
		_exit(0);
	}
	bpf_watch_add_process(fixture->watch, pid, start_of(pid), BPF_ROLE_EXECUTOR, NULL);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	end = wait_exit(pid);
	assert_int_equal(end->status & 0x7f, SIGSEGV);
	assert_int_equal(end->status, status);
	assert_int_equal(end->signal, SIGSEGV);
	assert_int_equal(end->killer, 0);
	close(go[0]);
	close(go[1]);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exit_code),
		TEST(test_killed_by),
		TEST(test_earlier_signal_is_not_blamed),
		TEST(test_fork_exec_exit_of_child),
		TEST(test_grandchildren_are_not_followed),
		TEST(test_agent_is_learnt),
		TEST(test_others_are_not_followed),
		TEST(test_removed_is_not_followed),
		TEST(test_exit_by_thread),
		TEST(test_leader_ends_first),
		TEST(test_fault_has_no_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
