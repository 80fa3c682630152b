/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets older than the programs: each reported once, with all its descriptors and owners. */
#include <pthread.h>

#include "observe/bpf/libbpf.h"
#include "test_bpf_actor.h"
#include "base/now.h"
#include "base/pid_set.h"
#include "observe/bpf/scan_once.h"
#include "observe/bpf/thread_scan.h"

#define EXECUTORS 5

static struct fixture *fixture;
static struct ew_bpf_scan_once *once; /* NULL: the observer scans */
static struct actor agent, executors[EXECUTORS];
static uint64_t at_executor[EXECUTORS], at_agent[EXECUTORS], listening;

/* Opens a new observer, which knows nothing of what has happened so far. */
static void reopen(void)
{
	struct ew_bpf_options options = { .agent_port = fixture->port };

	ew_bpf_free(fixture->watch);
	fixture_forget(fixture);
	fixture_open(fixture, &options);
}

static void scan(void)
{
	struct error error = { 0 };
	int err = once ? ew_bpf_scan_once(once, &fixture->sink, &error)
		       : ew_bpf_scan(fixture->watch, &fixture->sink, &error);

	if (err < 0)
		fail_msg("%s", error.message);
}

static const struct fact_socket *socket_fact(uint64_t cookie)
{
	const struct fact_socket *found = NULL;

	for (size_t i = 0; i < fixture->n; i++) {
		if (fixture->facts[i].type != FACT_SOCKET ||
		    fixture->facts[i].socket.cookie != cookie)
			continue;
		/* Once; closed ones are not in the kernel's map. */
		assert_true(!found || found->state == TCP_CLOSE);
		found = &fixture->facts[i].socket;
	}
	assert_non_null(found);
	return found;
}

static bool is_held(uint64_t cookie, pid_t pid, uint64_t start)
{
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_holder *h = &fixture->facts[i].holder;

		if (fixture->facts[i].type == FACT_HOLDER && h->cookie == cookie && h->pid == pid) {
			assert_int_equal(h->start, start);
			return true;
		}
	}
	return false;
}

/* Every reported descriptor exists and refers to that socket. */
static void check_holders_are_true(void)
{
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_holder *h = &fixture->facts[i].holder;
		char path[64];
		struct stat st;

		if (fixture->facts[i].type != FACT_HOLDER)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", h->pid, h->fd);
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_ino, socket_fact(h->cookie)->inode);
	}
}

static void connect_all(int family)
{
	agent = actor_new();
	listening = (uint64_t)actor_act(&agent, ACT_LISTEN, fixture->port, family);
	for (int i = 0; i < EXECUTORS; i++) {
		executors[i] = actor_new();
		at_executor[i] =
			(uint64_t)actor_act(&executors[i], ACT_CONNECT, fixture->port, family);
		at_agent[i] = (uint64_t)actor_act(&agent, ACT_ACCEPT, 0, 0);
	}
}

static void end_all(void)
{
	for (int i = 0; i < EXECUTORS; i++)
		actor_end(&executors[i]);
	actor_end(&agent);
}

static void check_pairs(void)
{
	for (int i = 0; i < EXECUTORS; i++) {
		const struct fact_socket *e = socket_fact(at_executor[i]);
		const struct fact_socket *a = socket_fact(at_agent[i]);

		assert_int_equal(e->state, TCP_ESTABLISHED);
		assert_int_equal(a->state, TCP_ESTABLISHED);
		assert_int_equal(e->remote.port, fixture->port);
		assert_int_equal(e->local.port, a->remote.port);
		assert_int_equal(e->netns, fixture->netns);
		assert_true(e->idle >= 0 && e->idle < 60 * 1000000000LL);
		assert_true(is_held(at_executor[i], executors[i].pid, executors[i].start));
		assert_true(is_held(at_agent[i], agent.pid, agent.start));
		assert_false(is_held(at_executor[i], agent.pid, agent.start));
	}
	assert_int_equal(socket_fact(listening)->state, TCP_LISTEN);
	assert_int_equal(socket_fact(listening)->idle, -1);
	check_holders_are_true();
}

static void test_pairs(void **state)
{
	(void)state;
	connect_all(AF_INET);
	reopen();
	scan();
	check_pairs();
	end_all();
}

static void test_pairs_ipv6(void **state)
{
	(void)state;
	connect_all(AF_INET6);
	reopen();
	scan();
	check_pairs();
	end_all();
}

static void test_again(void **state)
{
	(void)state;
	connect_all(AF_INET);
	reopen();
	for (int i = 0; i < 3; i++) {
		fixture_forget(fixture);
		scan();
		check_pairs();
	}
	end_all();
}

static void test_inherited_copies(void **state)
{
	pid_t copy;

	(void)state;
	connect_all(AF_INET);
	copy = (pid_t)actor_act(&executors[0], ACT_FORK, 0, 0);
	reopen();
	scan();
	check_pairs();
	assert_true(is_held(at_executor[0], copy, start_of(copy)));
	assert_true(is_held(at_executor[0], executors[0].pid, executors[0].start));
	end_all();
}

/* A thread with a descriptor table of its own: its process holds the socket. */
static void *own_table(void *arg)
{
	int *line = arg;
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)line[2]),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int64_t cookie = -1;
	char byte;
	int fd;

	if (unshare(CLONE_FILES) == 0) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (void *)&address, sizeof(address)) == 0)
			cookie = cookie_of(fd);
	}
	if (write(line[1], &cookie, sizeof(cookie)) != sizeof(cookie) ||
	    read(line[0], &byte, 1) < 0)
		_exit(1);
	_exit(0);
}

static void test_thread_with_own_table(void **state)
{
	int to[2], from[2], line[3], status;
	int64_t cookie = -1;
	pthread_t thread;
	pid_t pid;

	(void)state;
	agent = actor_new();
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	assert_int_equal(pipe(to) | pipe(from), 0);
	pid = child_new();
	if (pid == 0) {
		line[0] = to[0];
		line[1] = from[1];
		line[2] = fixture->port;
		pthread_create(&thread, NULL, own_table, line);
		for (;;)
			pause();
	}
	assert_int_equal(read(from[0], &cookie, sizeof(cookie)), sizeof(cookie));
	assert_true(cookie > 0);
	reopen();
	scan();
	assert_int_equal(socket_fact((uint64_t)cookie)->state, TCP_ESTABLISHED);
	assert_true(is_held((uint64_t)cookie, pid, start_of(pid)));
	assert_int_equal(write(to[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(to[i]);
		close(from[i]);
	}
	actor_end(&agent);
}

static void test_other_namespace(void **state)
{
	uint64_t inside;

	(void)state;
	connect_all(AF_INET);
	netns_enter(); /* the programs and the scan cover the whole host */
	inside = netns_of_self();
	struct actor a = actor_new(), e = actor_new();
	uint64_t listen2 = (uint64_t)actor_act(&a, ACT_LISTEN, fixture->port, AF_INET);
	uint64_t e2 = (uint64_t)actor_act(&e, ACT_CONNECT, fixture->port, AF_INET);

	reopen();
	scan();
	check_pairs();
	assert_int_not_equal(inside, fixture->netns);
	assert_int_equal(socket_fact(e2)->netns, inside);
	assert_int_equal(socket_fact(listen2)->netns, inside);
	assert_true(is_held(e2, e.pid, e.start));
	actor_end(&a);
	actor_end(&e);
	end_all();
}

/* Connections without the agent port: the agent's are scanned, others are not. */
static void test_agent_to_executor(void **state)
{
	uint16_t other = (uint16_t)(fixture->port + 1);
	uint64_t out, in;

	(void)state;
	connect_all(AF_INET);
	actor_act(&executors[0], ACT_LISTEN, other, AF_INET);
	out = (uint64_t)actor_act(&agent, ACT_CONNECT, other, AF_INET);
	in = (uint64_t)actor_act(&executors[0], ACT_ACCEPT, 0, 0);
	reopen();
	scan();
	fixture_forget(fixture);
	scan(); /* each scan reports it */
	assert_true(is_held(out, agent.pid, agent.start));
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_SOCKET)
			assert_int_not_equal(fixture->facts[i].socket.cookie, in);
	check_holders_are_true();
	end_all();
}

/* Reset by its peer, not closed by its owner: CLOSE with a descriptor, and its ports are known. */
static void test_closed_but_held(void **state)
{
	const struct fact_socket *closed;

	(void)state;
	connect_all(AF_INET);
	actor_act(&executors[EXECUTORS - 1], ACT_RESET, 0, 0);
	fixture_wait_state(fixture, at_agent[EXECUTORS - 1], TCP_CLOSE);
	reopen();
	scan();
	closed = socket_fact(at_agent[EXECUTORS - 1]);
	assert_int_equal(closed->state, TCP_CLOSE);
	assert_int_equal(closed->local.port, fixture->port);
	assert_true(is_held(at_agent[EXECUTORS - 1], agent.pid, agent.start));
	end_all();
}

/* Connections found by a scan are followed like those whose beginning was seen. */
static void test_events_after_a_scan(void **state)
{
	const struct fact *last = NULL;
	size_t changes = 0;

	(void)state;
	connect_all(AF_INET);
	reopen();
	scan();
	actor_act(&executors[1], ACT_CLOSE, 0, 0);
	fixture_wait_state(fixture, at_agent[1], TCP_CLOSE_WAIT);
	fixture_wait_state(fixture, at_executor[1], TCP_CLOSE);
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact *fact = &fixture->facts[i];

		assert_true(!last || fact->mono >= last->mono);
		last = fact;
		if (fact->type != FACT_TCP)
			continue;
		if (changes++ == 0) {
			assert_int_equal(fact->tcp.cookie, at_executor[1]);
			assert_int_equal(fact->tcp.to, TCP_FIN_WAIT1);
			assert_int_equal(fact->tcp.pid, executors[1].pid);
		}
	}
	assert_int_equal(changes, 4); /* FIN_WAIT1, CLOSE_WAIT, FIN_WAIT2, CLOSE */
	end_all();
}

/* More rows than the kernel's buffer holds: the program is run again in the middle. */
static void test_many(void **state)
{
	enum { MANY = 1500 };
	size_t sockets = 0;

	(void)state;
	agent = actor_new();
	executors[0] = actor_new();
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	for (int i = 0; i < MANY / 2; i++) {
		assert_true(actor_act(&executors[0], ACT_CONNECT, fixture->port, AF_INET) > 0);
		assert_true(actor_act(&agent, ACT_ACCEPT, 0, 0) > 0);
	}
	reopen();
	scan();
	for (size_t i = 0; i < fixture->n; i++)
		sockets += fixture->facts[i].type == FACT_SOCKET &&
			   fixture->facts[i].socket.netns == fixture->netns;
	assert_int_equal(sockets, MANY + 1);
	actor_end(&executors[0]);
	actor_end(&agent);
}

/* Sets the entry as if the hook had reported a change from that state this long ago. */
static void pretend_change(uint64_t cookie, int from, int to, uint64_t ago_ns)
{
	int fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	struct timespec now;
	struct ew_conn conn;

	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_int_equal(bpf_map_lookup_elem(fd, &cookie, &conn), 0);
	conn.from = (__u16)from;
	conn.state = (__u16)to;
	conn.ktime_ns = (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec - ago_ns;
	assert_int_equal(bpf_map_update_elem(fd, &cookie, &conn, BPF_EXIST), 0);
}

/* The hook runs before the socket has its new state; a missed change is repaired. */
static void test_change_under_way(void **state)
{
	(void)state;
	connect_all(AF_INET);
	pretend_change(at_agent[0], TCP_ESTABLISHED, TCP_CLOSE_WAIT, 0);
	pretend_change(at_agent[1], TCP_ESTABLISHED, TCP_CLOSE_WAIT, 3600000000000);
	pretend_change(at_agent[2], TCP_SYN_RECV, TCP_CLOSE_WAIT, 0);
	fixture_forget(fixture);
	scan();
	assert_int_equal(socket_fact(at_agent[0])->state, TCP_CLOSE_WAIT);
	assert_int_equal(socket_fact(at_agent[1])->state, TCP_ESTABLISHED);
	assert_int_equal(socket_fact(at_agent[2])->state, TCP_ESTABLISHED);
	end_all();
}

static bool hook_emit(const char *slot)
{
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_HOOK &&
		    strcmp(fixture->facts[i].hook.hook, slot) == 0)
			return true;
	return false;
}

/* Only its own hook is reported. */
static void test_scan_once_reports_its_hook(void **state)
{
	struct ew_bpf_scan_once *other;

	(void)state;
	if (!once)
		skip();
	fixture_forget(fixture);
	assert_int_equal(ew_bpf_scan_once_open(fixture->port, &fixture->sink, &other), 0);
	assert_true(hook_emit("seed"));
	assert_int_equal(fixture->n, 1);
	ew_bpf_scan_once_free(other);
}

/* There it would see only its own processes, by other pids than those in /proc. */
static void test_scan_once_in_another_pid_namespace(void **state)
{
	struct ew_bpf_scan_once *other;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWPID) < 0)
			_exit(1);
		pid = fork();
		if (pid == 0)
			_exit(ew_bpf_scan_once_open(fixture->port, &fixture->sink, &other) ==
					      -ENOTSUP
				      ? 0
				      : 2);
		waitpid(pid, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Goes on until the iterator has it (or not), for its thread may still be on its way. */
static void await_odd(struct ew_thread_scan *threads, pid_t pid, bool wanted)
{
	int64_t until = now_mono() + 10 * NS_PER_S;
	struct pid_set odd = { 0 };

	do {
		assert_int_equal(ew_thread_scan_run(threads, &odd), 0);
		assert_true(now_mono() < until);
	} while (pid_set_has(&odd, pid) != wanted);
	assert_false(pid_set_has(&odd, getpid()));
	pid_set_free(&odd);
}

/* The processes whose threads the audit reads one by one. */
static void test_a_stopped_process_is_found_by_its_thread(void **state)
{
	struct ew_thread_scan *threads;
	pid_t pid;

	(void)state;
	if (!once)
		skip();
	assert_int_equal(ew_thread_scan_open(&threads), 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	await_odd(threads, pid, false);
	kill(pid, SIGSTOP);
	await_odd(threads, pid, true);
	kill(pid, SIGCONT);
	await_odd(threads, pid, false);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	ew_thread_scan_free(threads);
}

static int setup(void **state)
{
	(void)state;
	fixture = fixture_new(NULL);
	return 0;
}

static int setup_once(void **state)
{
	setup(state);
	if (ew_bpf_scan_once_open(fixture->port, &fixture->sink, &once) < 0)
		print_message("no light skeleton here: the observer scans\n"); /* before 5.17 */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ew_bpf_scan_once_free(once);
	once = NULL;
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define ON_EACH_SCAN(name)                                                                         \
	{                                                                                          \
#name " by scan_once", name, setup_once, teardown, NULL                            \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pairs),
		TEST(test_pairs_ipv6),
		TEST(test_again),
		TEST(test_inherited_copies),
		TEST(test_thread_with_own_table),
		TEST(test_other_namespace),
		TEST(test_agent_to_executor),
		TEST(test_closed_but_held),
		TEST(test_events_after_a_scan),
		TEST(test_change_under_way),
		TEST(test_many),
		ON_EACH_SCAN(test_pairs),
		ON_EACH_SCAN(test_pairs_ipv6),
		ON_EACH_SCAN(test_again),
		ON_EACH_SCAN(test_inherited_copies),
		ON_EACH_SCAN(test_thread_with_own_table),
		ON_EACH_SCAN(test_other_namespace),
		ON_EACH_SCAN(test_agent_to_executor),
		ON_EACH_SCAN(test_closed_but_held),
		ON_EACH_SCAN(test_many),
		ON_EACH_SCAN(test_scan_once_reports_its_hook),
		ON_EACH_SCAN(test_scan_once_in_another_pid_namespace),
		ON_EACH_SCAN(test_a_stopped_process_is_found_by_its_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
