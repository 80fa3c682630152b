/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Threads, whose end is not that of their process, and sockets in network namespaces of the test's
 * own, watched without BPF.
 */
#include "test_nobpf_fixture.h"

#include "base/agent_ports.h"

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
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	actor_did(&actor);
	nobpf_dispatch(watch, &facts.sink);
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
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	actor_did(&actor);
	for (int i = 0; i < 3; i++)
		nobpf_dispatch(watch, &facts.sink);
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
	add(&actor, NOBPF_ROLE_EXECUTOR);
	actor_do(&actor);
	await("exec", "pid", actor.pid);
	for (int i = 0; i < 3; i++)
		nobpf_dispatch(watch, &facts.sink);
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

static void the_end_of_a_connection_is_reported_with_its_cookie(void **state)
{
	struct actor actor = actor_start(closes_a_connection);
	const json_t *tcp;
	struct ends ends;

	(void)state;
	actor_do(&actor);
	assert_int_equal(read(actor.done, &ends, sizeof(ends)), sizeof(ends));
	add(&actor, NOBPF_ROLE_EXECUTOR);
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

/* Also in a namespace that is followed already. The listener's port still counts. */
static void the_end_of_a_connection_to_an_advertised_port_is_reported(void **state)
{
	const struct agent_ports ports = { { 0, 0, PORT + 1 } };
	struct actor actor = actor_start(closes_a_connection);
	struct ends ends;

	(void)state;
	actor_do(&actor);
	assert_int_equal(read(actor.done, &ends, sizeof(ends)), sizeof(ends));
	add(&actor, NOBPF_ROLE_EXECUTOR);
	assert_int_equal(nobpf_set_ports(watch, &ports), 0);
	actor_do(&actor);
	await("tcp", "cookie", (int64_t)ends.other);
	await("tcp", "cookie", (int64_t)ends.server);
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
	add(&actor, NOBPF_ROLE_EXECUTOR);
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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(the_end_of_a_thread_is_not_the_process_end),
		TEST(a_leader_that_ends_before_its_threads_is_not_the_process_end),
		TEST(an_exec_by_another_thread_is_not_the_process_end),
		TEST(the_end_of_a_connection_is_reported_with_its_cookie),
		TEST(the_end_of_a_connection_to_an_advertised_port_is_reported),
		TEST(a_process_end_comes_before_that_of_its_sockets),
	};

	child_main(argc, argv);
	if (geteuid() != 0)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
