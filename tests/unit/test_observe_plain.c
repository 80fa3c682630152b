/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Real processes, and sockets in network namespaces of the test's own, watched without BPF. */
#include "test_observe.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#include "observe/plain.h"
#include "observe/procfs.h"

#define PORT	    5051
#define PATIENCE_MS 20000

static struct facts facts;
static struct plain_watch *watch;
static struct procfs *procfs;

static void watch_open(void)
{
	struct plain_watch_options options = { .agent_port = PORT, .reason = "the test's" };
	struct fail why = { 0 };

	if (plain_watch_open(&options, &facts.sink, &watch, &why) < 0)
		fail_msg("%s", why.what);
}

static int test_setup(void **state)
{
	(void)state;
	facts_init(&facts);
	watch_open();
	return 0;
}

static int test_teardown(void **state)
{
	(void)state;
	plain_watch_free(watch);
	facts_free(&facts);
	return 0;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Drains as the events come until there is a fact of the type whose field is that number. */
static const json_t *await(const char *type, const char *field, int64_t value)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	const json_t *fact;

	while (!(fact = facts_with(&facts, type, field, value))) {
		struct pollfd poller = { .fd = plain_watch_fd(watch), .events = POLLIN };
		int64_t left = until - clock_ms();

		if (left <= 0) {
			facts_print(&facts);
			fail_msg("no %s with %s %lld", type, field, (long long)value);
		}
		poll(&poller, 1, left < 500 ? (int)left : 500);
		plain_watch_drain(watch, &facts.sink);
	}
	return fact;
}

/* ---- children that do one thing, each time they are told to ---- */

struct actor {
	pid_t pid;
	uint64_t start;
	int go, done;
};

static int actor_go, actor_done;

static void actor_wait(void)
{
	char byte;

	if (read(actor_go, &byte, 1) != 1)
		_exit(100);
}

static void actor_tell(void)
{
	if (write(actor_done, "d", 1) != 1)
		_exit(101);
}

static struct actor actor_start(void (*act)(void))
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
	actor.start = procfs_start(procfs, actor.pid);
	assert_int_not_equal(actor.start, 0);
	return actor;
}

static void actor_do(const struct actor *actor)
{
	assert_int_equal(write(actor->go, "g", 1), 1);
}

static void actor_did(const struct actor *actor)
{
	char byte;

	assert_int_equal(read(actor->done, &byte, 1), 1);
}

static void actor_end(struct actor *actor)
{
	close(actor->go);
	close(actor->done);
	kill(actor->pid, SIGKILL);
	waitpid(actor->pid, NULL, 0);
}

static void add(const struct actor *actor, enum plain_role role)
{
	struct fail why = { 0 };

	if (plain_watch_add_process(watch, actor->pid, actor->start, role, &why) < 0)
		fail_msg("%s", why.what);
}

/* ---- what this host gives ---- */

static void each_slot_is_told_with_what_serves_it(void **state)
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

static void an_end_is_told_with_its_status(void **state)
{
	struct actor actor = actor_start(exits_with_7);
	int64_t before = clock_ms(), mono;
	const json_t *end;

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
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

static void a_deadly_signal_is_told_without_its_sender(void **state)
{
	struct actor actor = actor_start(exits_with_7);
	const json_t *end;

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	kill(actor.pid, SIGKILL);
	end = await("exit", "pid", actor.pid);
	assert_int_equal(number(end, "status"), SIGKILL);
	assert_int_equal(number(end, "signal"), SIGKILL);
	assert_int_equal(number(end, "killer"), 0);
	actor_end(&actor);
}

/* Its parent has waited for it long before anybody reads. */
static void an_end_is_told_late_as_well(void **state)
{
	struct actor actor = actor_start(exits_with_7);

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	waitpid(actor.pid, NULL, 0);
	assert_int_equal(number(await("exit", "pid", actor.pid), "status"), 7 << 8);
	actor_end(&actor);
}

static void of_others_nothing_is_told(void **state)
{
	struct actor watched = actor_start(exits_with_7), other = actor_start(exits_with_7);

	(void)state;
	add(&watched, PLAIN_ROLE_EXECUTOR);
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
	assert_int_equal(plain_watch_add_process(watch, actor.pid, actor.start - 1,
						 PLAIN_ROLE_EXECUTOR, NULL),
			 0);
	add(&next, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	waitpid(actor.pid, NULL, 0);
	actor_do(&next);
	await("exit", "pid", next.pid);
	assert_null(facts_with(&facts, "exit", "pid", actor.pid));
	actor_end(&actor);
	actor_end(&next);
}

static void execs_sleep(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* each thread has its own */
	execl("/bin/sleep", "sleep", "60", (char *)NULL);
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

static void an_exec_is_told_with_the_new_name(void **state)
{
	struct actor actor = actor_start(execs_sleep);
	const json_t *exec;

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	exec = await("exec", "pid", actor.pid);
	assert_string_equal(text(exec, "comm"), "sleep");
	assert_non_null(strstr(text(exec, "filename"), "/sleep"));
	kill(actor.pid, SIGTERM);
	assert_string_equal(text(await("exit", "pid", actor.pid), "comm"), "sleep");
	actor_end(&actor);
}

static void an_executors_children_are_told_an_agents_descendants_too(void **state)
{
	struct actor executor = actor_start(forks_a_child_that_forks);
	struct actor agent = actor_start(forks_a_child_that_forks);
	const json_t *child;

	(void)state;
	add(&executor, PLAIN_ROLE_EXECUTOR);
	actor_do(&executor);
	await("exit", "pid", executor.pid);
	child = facts_with(&facts, "fork", "parent", executor.pid);
	assert_non_null(child);
	facts_clear(&facts);
	add(&agent, PLAIN_ROLE_AGENT);
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

/* ---- threads ---- */

static void *thread_ends(void *arg)
{
	return arg;
}

static void has_threads_that_end(void)
{
	for (int i = 0; i < 100; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, thread_ends, NULL) || pthread_join(thread, NULL))
			_exit(102);
	}
	actor_tell();
	actor_wait();
	_exit(7);
}

static void the_end_of_a_thread_is_not_the_process_end(void **state)
{
	struct actor actor = actor_start(has_threads_that_end);

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	actor_did(&actor);
	plain_watch_drain(watch, &facts.sink);
	assert_int_equal(facts_count(&facts, "exit") + facts_count(&facts, "fork"), 0);
	actor_do(&actor);
	assert_int_equal(number(await("exit", "pid", actor.pid), "status"), 7 << 8);
	actor_end(&actor);
}

static void *outlives_the_leader(void *arg)
{
	char state = 'R';

	while (state != 'Z') {
		FILE *stat = fopen("/proc/self/stat", "re");

		if (!stat || fscanf(stat, "%*d %*s %c", &state) != 1)
			_exit(103);
		fclose(stat);
	}
	actor_tell();
	actor_wait();
	_exit(arg ? 7 : 8);
}

static void leader_ends_first(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, outlives_the_leader, &actor_go))
		_exit(104);
	syscall(SYS_exit, 3); /* this thread alone */
}

static void a_leader_that_ends_before_its_threads_is_not_the_process_end(void **state)
{
	struct actor actor = actor_start(leader_ends_first);

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	actor_did(&actor);
	for (int i = 0; i < 3; i++)
		plain_watch_drain(watch, &facts.sink);
	assert_int_equal(facts_count(&facts, "exit"), 0);
	actor_do(&actor);
	assert_int_equal(number(await("exit", "pid", actor.pid), "status"), 7 << 8);
	actor_end(&actor);
}

static void *thread_execs(void *arg)
{
	execs_sleep();
	return arg;
}

static void another_thread_execs(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, thread_execs, NULL);
	for (;;)
		pause();
}

static void an_exec_by_another_thread_is_not_the_process_end(void **state)
{
	struct actor actor = actor_start(another_thread_execs);

	(void)state;
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	await("exec", "pid", actor.pid);
	for (int i = 0; i < 3; i++)
		plain_watch_drain(watch, &facts.sink);
	assert_int_equal(facts_count(&facts, "exit"), 0);
	kill(actor.pid, SIGTERM);
	assert_int_equal(number(await("exit", "pid", actor.pid), "status"), SIGTERM);
	actor_end(&actor);
}

/* ---- sockets ---- */

/* In a network namespace of its own. */
struct ends {
	uint64_t client, server, mixed, other;
};

static void closes_a_connection(void)
{
	int listener, client, server, v6, mixed, mixed_end, elsewhere, other, other_end;
	struct ends ends;

	if (netns_make() < 0)
		_exit(105);
	listener = listen_on(AF_INET, PORT);
	client = connect_to(AF_INET, PORT);
	server = accept(listener, NULL, NULL);
	elsewhere = listen_on(AF_INET, PORT + 1);
	other = connect_to(AF_INET, PORT + 1);
	other_end = accept(elsewhere, NULL, NULL);
	ends.client = cookie_of(client);
	ends.server = cookie_of(server);
	ends.other = cookie_of(other);
	close(listener);
	v6 = listen_on(AF_INET6, PORT);
	mixed = connect_to(AF_INET, PORT);
	mixed_end = accept(v6, NULL, NULL);
	ends.mixed = cookie_of(mixed_end);
	if (write(actor_done, &ends, sizeof(ends)) != sizeof(ends))
		_exit(106);
	actor_wait();
	close(other);
	close(other_end);
	close(server);
	close(client);
	close(mixed_end);
	close(mixed);
	actor_wait();
	_exit(0);
}

static void the_end_of_a_connection_is_told_by_its_cookie(void **state)
{
	struct actor actor = actor_start(closes_a_connection);
	const json_t *tcp;
	struct ends ends;

	(void)state;
	actor_do(&actor);
	assert_int_equal(read(actor.done, &ends, sizeof(ends)), sizeof(ends));
	add(&actor, PLAIN_ROLE_EXECUTOR);
	actor_do(&actor);
	tcp = await("tcp", "cookie", (int64_t)ends.client);
	assert_int_equal(number(tcp, "to"), TCP_CLOSE);
	assert_int_equal(number(tcp, "pid"), 0);
	assert_int_not_equal(number(tcp, "netns"), netns_own());
	assert_string_equal(text(tcp, "remote"), "127.0.0.1:5051");
	assert_non_null(strstr(text(tcp, "local"), "127.0.0.1:"));
	assert_string_not_equal(text(tcp, "local"), "127.0.0.1:0");
	tcp = await("tcp", "cookie", (int64_t)ends.server);
	assert_string_equal(text(tcp, "local"), "127.0.0.1:5051");
	tcp = await("tcp", "cookie", (int64_t)ends.mixed);
	assert_string_equal(text(tcp, "local"), "127.0.0.1:5051");
	assert_null(facts_with(&facts, "tcp", "cookie", (int64_t)ends.other));
	assert_int_equal(facts_count(&facts, "exit"), 0);
	actor_end(&actor);
}

static void a_process_end_comes_before_that_of_its_sockets(void **state)
{
	struct actor actor = actor_start(closes_a_connection);
	struct ends ends;
	const json_t *fact;
	bool ended = false;
	size_t i;

	(void)state;
	actor_do(&actor);
	assert_int_equal(read(actor.done, &ends, sizeof(ends)), sizeof(ends));
	add(&actor, PLAIN_ROLE_EXECUTOR);
	kill(actor.pid, SIGKILL);
	waitpid(actor.pid, NULL, 0);
	await("tcp", "cookie", (int64_t)ends.client);
	json_array_foreach(facts.all, i, fact)
	{
		ended |= strcmp(text(fact, "type"), "exit") == 0;
		if (strcmp(text(fact, "type"), "tcp") == 0)
			assert_true(ended);
	}
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
	assert_false(plain_watch_counters(watch, false, &facts.sink));
	assert_null(facts_find(&facts, "lost", NULL, NULL));
	add(&victim, PLAIN_ROLE_EXECUTOR);
	actor_do(&storm);
	actor_did(&storm);
	actor_do(&victim);
	waitpid(victim.pid, NULL, 0);
	plain_watch_drain(watch, &facts.sink);
	assert_non_null(facts_with(&facts, "exit", "pid", victim.pid));
	assert_true(plain_watch_counters(watch, false, &facts.sink));
	lost = facts_find(&facts, "lost", "cause", "proc-connector");
	assert_non_null(lost);
	assert_true(number(lost, "lost") > 0);
	assert_true(number(lost, "seen") >= 30000); /* each fork and each exit, read or lost */
	assert_false(plain_watch_counters(watch, false, &facts.sink));
	assert_true(plain_watch_counters(watch, true, &facts.sink) == false &&
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
	add(&reaped, PLAIN_ROLE_EXECUTOR);
	add(&zombie, PLAIN_ROLE_EXECUTOR);
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

static int group_setup(void **state)
{
	(void)state;
	return procfs_new(&procfs, NULL);
}

static int group_teardown(void **state)
{
	(void)state;
	procfs_free(procfs);
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, test_setup, test_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(each_slot_is_told_with_what_serves_it),
		TEST(an_end_is_told_with_its_status),
		TEST(a_deadly_signal_is_told_without_its_sender),
		TEST(an_end_is_told_late_as_well),
		TEST(of_others_nothing_is_told),
		TEST(another_process_of_that_number_is_not_watched),
		TEST(an_exec_is_told_with_the_new_name),
		TEST(an_executors_children_are_told_an_agents_descendants_too),
		TEST(the_end_of_a_thread_is_not_the_process_end),
		TEST(a_leader_that_ends_before_its_threads_is_not_the_process_end),
		TEST(an_exec_by_another_thread_is_not_the_process_end),
		TEST(the_end_of_a_connection_is_told_by_its_cookie),
		TEST(a_process_end_comes_before_that_of_its_sockets),
		TEST(what_found_no_room_is_counted_and_no_end_is_missed),
		TEST(an_end_is_seen_without_the_proc_connector),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
