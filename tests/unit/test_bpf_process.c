/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork, exec, signals and exit of followed processes. */
#include <pthread.h>
#include <sys/syscall.h>

#include "test_bpf_actor.h"

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

static size_t reported(enum fact_type type)
{
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	return fixture_count(fixture, type);
}

static const struct fact *nth(enum fact_type type, size_t skip)
{
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == type && !skip--)
			return &fixture->facts[i];
	fail_msg("no fact of type %d", type);
	return NULL;
}

static void watch_actor(enum ew_bpf_role role)
{
	actor = actor_new();
	assert_int_equal(ew_bpf_add_process(fixture->watch, actor.pid, actor.start, role, NULL), 0);
}

static void test_exit_code(void **state)
{
	const struct fact_exit *end;
	int status;

	(void)state;
	watch_actor(EW_BPF_ROLE_EXECUTOR);
	actor_act(&actor, ACT_EXIT, 7, 0);
	status = actor_end(&actor);
	end = wait_exit(actor.pid);
	assert_int_equal(end->status, status);
	assert_int_equal(end->status, 7 << 8);
	assert_int_equal(end->start, actor.start);
	assert_int_equal(end->signal, 0);
	assert_int_equal(end->killer, 0);
	assert_int_equal(reported(FACT_EXIT), 1);
}

static void test_killed_by(void **state)
{
	const struct fact_signal *signal;
	const struct fact_exit *end;
	struct actor killer;
	int status;

	(void)state;
	watch_actor(EW_BPF_ROLE_EXECUTOR);
	killer = actor_new();
	assert_int_equal(actor_act(&killer, ACT_KILL, actor.pid, SIGKILL), 0);
	status = actor_end(&actor);
	end = wait_exit(actor.pid);
	assert_int_equal(end->status, status);
	assert_int_equal(end->signal, SIGKILL);
	assert_int_equal(end->killer, killer.pid);
	assert_int_equal(end->killer_start, killer.start);
	assert_string_equal(end->killer_comm, end->comm); /* the same program, forked */
	assert_int_equal(reported(FACT_SIGNAL), 1);
	signal = &nth(FACT_SIGNAL, 0)->signal;
	assert_int_equal(signal->pid, actor.pid);
	assert_int_equal(signal->start, actor.start);
	assert_int_equal(signal->signal, SIGKILL);
	assert_int_equal(signal->sender, killer.pid);
	actor_end(&killer);
}

/* A signal that did not kill is not the cause of the exit. */
static void test_earlier_signal_is_not_blamed(void **state)
{
	const struct fact_exit *end;

	(void)state;
	watch_actor(EW_BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_act(&actor, ACT_KILL, actor.pid, SIGWINCH), 0);
	assert_int_equal(reported(FACT_SIGNAL), 0); /* cannot kill: filtered */
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
	watch_actor(EW_BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_order(&actor, &run), 0);
	assert_int_equal(reported(FACT_FORK), 1);
	born = &nth(FACT_FORK, 0)->fork;
	assert_int_equal(born->parent, actor.pid);
	assert_int_not_equal(born->start, 0);
	assert_int_equal(reported(FACT_EXEC), 2);
	assert_string_equal(nth(FACT_EXEC, 0)->exec.filename, "/bin/sh");
	second = &nth(FACT_EXEC, 1)->exec;
	assert_string_equal(second->filename, "/bin/true");
	assert_string_equal(second->comm, "true");
	assert_int_equal(second->pid, born->pid);
	assert_int_equal(second->start, born->start);
	assert_int_equal(wait_exit(born->pid)->status, 0);
	actor_end(&actor);
}

/* An executor's children are followed, their children are not. */
static void test_grandchildren_are_not_followed(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "/bin/true; /bin/true; exit 3" };

	(void)state;
	watch_actor(EW_BPF_ROLE_EXECUTOR);
	assert_int_equal(actor_order(&actor, &run), 3 << 8);
	assert_int_equal(reported(FACT_FORK), 1);
	assert_int_equal(wait_exit(nth(FACT_FORK, 0)->fork.pid)->status, 3 << 8);
	assert_int_equal(reported(FACT_EXEC), 1);
	actor_end(&actor);
}

/* A process that listens on the agent port is followed without being added. */
static void test_listener_is_an_agent(void **state)
{
	struct order run = { .act = ACT_RUN, .bytes = "/bin/true; exit 0" };

	(void)state;
	actor = actor_new();
	assert_true(actor_act(&actor, ACT_LISTEN, fixture->port, AF_INET) > 0);
	assert_int_equal(actor_order(&actor, &run), 0);
	assert_int_equal(reported(FACT_FORK), 2); /* the shell, and what it started */
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
	assert_int_equal(reported(FACT_FORK) + reported(FACT_EXEC) + reported(FACT_EXIT), 0);
}

/* What the second thread of a process does. */
enum ending {
	END_ALL,  /* exit_group(2) */
	END_SELF, /* exit(2) of the thread alone */
	END_EXEC,
};

struct threaded {
	int line;
	enum ending ending;
	bool leader_first; /* the leader exits first */
};

static void *worker(void *arg)
{
	struct threaded *how = arg;
	char byte;

	if (read(how->line, &byte, 1) != 1)
		return NULL;
	if (how->ending == END_ALL)
		_exit(5);
	if (how->ending == END_EXEC)
		execl("/bin/sh", "sh", "-c", "exit 6", NULL);
	syscall(SYS_exit, 9);
	return NULL;
}

static pid_t threaded_child(struct threaded *how)
{
	pid_t pid = child_new();
	pthread_t thread;

	if (pid)
		return pid;
	pthread_create(&thread, NULL, worker, how);
	if (how->leader_first)
		syscall(SYS_exit, 3);
	for (;;)
		pause();
}

static void wait_zombie_leader(pid_t pid)
{
	int64_t end = mono_ms() + PATIENCE_MS;
	char path[64], line[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	while (!strstr(line, ") Z")) {
		FILE *file = fopen(path, "re");

		assert_non_null(file);
		assert_non_null(fgets(line, sizeof(line), file));
		fclose(file);
		assert_true(mono_ms() < end);
		sched_yield();
	}
}

/*
 * In any case the exit is reported once, with the status that wait(2) returns. expected -1: it
 * depends on the kernel (the last thread's from 5.17 on, before the leader's).
 */
static pid_t check_threaded(enum ending ending, bool leader_first, int expected)
{
	struct threaded how = { .ending = ending, .leader_first = leader_first };
	int ready[2], status;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	how.line = ready[0];
	pid = threaded_child(&how);
	ew_bpf_add_process(fixture->watch, pid, start_of(pid), EW_BPF_ROLE_EXECUTOR, NULL);
	if (leader_first)
		wait_zombie_leader(pid);
	assert_int_equal(reported(FACT_EXIT), 0);
	assert_int_equal(write(ready[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(wait_exit(pid)->status, status);
	assert_true(status == expected || expected < 0);
	assert_int_equal(reported(FACT_EXIT), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void test_exit_by_thread(void **state)
{
	(void)state;
	check_threaded(END_ALL, false, 5 << 8);
}

static void test_leader_ends_first(void **state)
{
	(void)state;
	check_threaded(END_ALL, true, 5 << 8);
}

static void test_last_thread_ends_alone(void **state)
{
	(void)state;
	check_threaded(END_SELF, true, -1);
}

static void test_exec_by_thread(void **state)
{
	const struct fact_exec *exec;
	pid_t pid;

	(void)state;
	pid = check_threaded(END_EXEC, false, 6 << 8);
	exec = &nth(FACT_EXEC, 0)->exec;
	assert_int_equal(exec->pid, pid); /* the thread has become the leader */
	assert_int_equal(exec->start, nth(FACT_EXIT, 0)->exit.start);
}

static void test_fault_has_no_sender(void **state)
{
	volatile uintptr_t nowhere = 8; /* unknown to the compiler, or it complains */
	const struct fact_exit *end;
	int go[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(go), 0);
	pid = child_new();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler */
		if (read(go[0], &byte, 1) == 1)
			*(volatile int *)nowhere = 1;
		_exit(0);
	}
	ew_bpf_add_process(fixture->watch, pid, start_of(pid), EW_BPF_ROLE_EXECUTOR, NULL);
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
		TEST(test_listener_is_an_agent),
		TEST(test_others_are_not_followed),
		TEST(test_exit_by_thread),
		TEST(test_leader_ends_first),
		TEST(test_last_thread_ends_alone),
		TEST(test_exec_by_thread),
		TEST(test_fault_has_no_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
