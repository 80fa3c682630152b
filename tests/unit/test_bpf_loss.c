/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A full ring loses records, counted exactly, but not the state; nothing stays loaded. */
#include <linux/capability.h>
#include <sys/syscall.h>
#include <time.h>

#include "test_bpf_conns.h"

static struct fixture *fixture;

static void setup_small(uint32_t life, uint32_t messages)
{
	struct ew_bpf_options options = { .life_ring = life, .message_ring = messages };

	fixture = fixture_new(&options);
}

/* A connection that both ends close in order has nine changes. */
enum { CONNECTIONS = 40, CHANGES = 9, EVENTS = 1 + CONNECTIONS * CHANGES };

static struct actor server, client;

static void listen_and_dial(void)
{
	server = actor_new();
	client = actor_new();
	assert_true(actor_act(&server, ACT_LISTEN, fixture->port, AF_INET) > 0);
}

static void come_and_go(void)
{
	assert_true(actor_act(&client, ACT_CONNECT, fixture->port, AF_INET) > 0);
	assert_true(actor_act(&server, ACT_ACCEPT, 0, 0) > 0);
	actor_act(&client, ACT_CLOSE, 0, 0);
	assert_int_equal(actor_act(&server, ACT_RECEIVE, 0, 0), 0);
	actor_act(&server, ACT_CLOSE, 0, 0);
}

static void test_full_life_ring(void **state)
{
	(void)state;
	setup_small(4096, 0);
	listen_and_dial();
	for (int i = 0; i < CONNECTIONS; i++)
		come_and_go();
	assert_int_equal(fixture_settle(fixture, EVENTS), EVENTS);
	assert_true(fixture_count(fixture, FACT_TCP) > 0);
	assert_true(fixture_lost(fixture, "lifecycle-ring") > 0);
	assert_int_equal(fixture_conns(fixture), 1); /* the listener: the state was not lost */
	/* Nothing more is lost, and nothing more is reported. */
	fixture_forget(fixture);
	ew_bpf_counters(fixture->watch, false, &fixture->sink);
	assert_int_equal(fixture->n, 0);
	actor_end(&client);
	actor_end(&server);
}

/* Longer than the interval of ew_bpf_poll_throttled(). */
static void wait_some_ms(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 6000000 }, NULL);
}

static void poll_rings(void)
{
	wait_some_ms();
	ew_bpf_poll_throttled(fixture->watch);
}

/* No dispatch meanwhile, as during a snapshot of a large node. */
static void test_polled_ring_loses_nothing(void **state)
{
	(void)state;
	setup_small(4096, 0);
	listen_and_dial();
	for (int i = 0; i < CONNECTIONS; i++) {
		come_and_go();
		poll_rings();
	}
	assert_int_equal(fixture_count(fixture, FACT_TCP), 0);
	assert_int_equal(fixture_settle(fixture, EVENTS), EVENTS);
	assert_int_equal(fixture_count(fixture, FACT_TCP), EVENTS);
	actor_end(&client);
	actor_end(&server);
}

static void flush(void)
{
	wait_some_ms();
	ew_bpf_flush_if_large(fixture->watch, &fixture->sink);
}

/* An event between reading the counters and the ring is counted the next time. */
static void check_all_shown_arrive(void)
{
	int64_t end = mono_ms() + PATIENCE_MS;

	for (;;) {
		ew_bpf_counters(fixture->watch, true, &fixture->sink);
		if (fixture->watch->reported.sum.life_shown ==
		    fixture_count(fixture, FACT_TCP) + fixture_count(fixture, FACT_EXIT))
			return;
		assert_true(mono_ms() < end);
		poll(NULL, 0, 10);
	}
}

/* With many records, as during a restart on a large node; not with few. */
static void test_large_batch_is_flushed(void **state)
{
	enum { MANY = (1 << 20) / (CHANGES * sizeof(struct ew_tcp)) + 1 };

	(void)state;
	setup_small(0, 0);
	listen_and_dial();
	flush();
	assert_int_equal(fixture_count(fixture, FACT_TCP), 0);
	for (int i = 0; i < MANY; i++)
		come_and_go();
	flush();
	assert_true(fixture_count(fixture, FACT_TCP) > MANY * (CHANGES - 1));
	/* Where packets queue on a busy host a connection may make fewer changes than usual: what
	 * the programs counted as shown is what has to arrive. */
	check_all_shown_arrive();
	assert_int_equal(fixture_lost(fixture, "lifecycle-ring"), 0);
	actor_end(&client);
	actor_end(&server);
}

/* A sink that takes its time, with events meanwhile: more in all than the ring holds. */
static void put_slowly(void *ctx, const struct fact *fact)
{
	int *n = ctx;

	fact_emit(&fixture->sink, fact);
	if (fact->type != FACT_TCP || ++*n % 8 || *n > 8 * CONNECTIONS)
		return;
	come_and_go();
	wait_some_ms();
}

static void test_events_during_a_dispatch(void **state)
{
	enum { ALL = EVENTS + CONNECTIONS * CHANGES };
	int n = 0;
	struct fact_sink sink = { put_slowly, &n };

	(void)state;
	setup_small(8192, 0);
	listen_and_dial();
	for (int i = 0; i < CONNECTIONS; i++) {
		come_and_go();
		poll_rings();
	}
	ew_bpf_dispatch(fixture->watch, &sink);
	assert_int_equal(fixture_settle(fixture, ALL), ALL);
	assert_int_equal(fixture_count(fixture, FACT_TCP), ALL);
	for (size_t i = 1; i < fixture->n; i++)
		assert_true(fixture->facts[i - 1].mono <= fixture->facts[i].mono);
	actor_end(&client);
	actor_end(&server);
}

/* Exits that the full ring has lost are emitted from the map. */
static void test_exits_survive_a_full_ring(void **state)
{
	enum { MANY = 60 };
	struct actor actors[MANY];

	(void)state;
	setup_small(4096, 0);
	for (int i = 0; i < MANY; i++) {
		actors[i] = actor_new();
		ew_bpf_add_process(fixture->watch, actors[i].pid, actors[i].start,
				   EW_BPF_ROLE_EXECUTOR, NULL);
	}
	for (int i = 0; i < MANY; i++) {
		actor_act(&actors[i], ACT_EXIT, i, 0);
		actor_end(&actors[i]);
	}
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	assert_true(fixture_count(fixture, FACT_EXIT) < MANY);
	assert_true(ew_bpf_counters(fixture->watch, true, &fixture->sink));
	assert_int_equal(fixture_count(fixture, FACT_EXIT), MANY);
	for (int i = 0; i < MANY; i++)
		for (size_t k = 0; k < fixture->n; k++)
			if (fixture->facts[k].type == FACT_EXIT &&
			    fixture->facts[k].exit.pid == actors[i].pid)
				assert_int_equal(fixture->facts[k].exit.status, i << 8);
}

static void test_full_message_ring(void **state)
{
	enum { SENDS = 50 };

	(void)state;
	setup_small(0, 4096);
	server = actor_new();
	client = actor_new();
	actor_act(&server, ACT_LISTEN, fixture->port, AF_INET);
	actor_act(&client, ACT_CONNECT, fixture->port, AF_INET);
	for (int i = 0; i < SENDS; i++)
		assert_true(actor_send(&client, "POST /slave(1)/x.Y HTTP/1.1\r\n\r\n") > 0);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	assert_true(ew_bpf_counters(fixture->watch, false, &fixture->sink));
	assert_true(fixture_count(fixture, FACT_MESSAGE) > 0);
	assert_int_equal(fixture_count(fixture, FACT_MESSAGE) +
				 fixture_lost(fixture, "message-ring"),
			 SENDS);
	/* The other ring is not affected. */
	assert_int_equal(fixture_count(fixture, FACT_LOST), 1);
	assert_int_equal(fixture_settle(fixture, 4), 4);
	actor_end(&client);
	actor_end(&server);
}

static bool counts_add_up(const struct ew_counters *sum)
{
	return sum->life_seen == sum->life_shown + sum->life_filtered + sum->life_lost +
					 sum->life_unkept + sum->life_unnamed &&
	       sum->message_seen == sum->message_shown + sum->message_filtered + sum->message_lost +
					    sum->message_unread;
}

/* Other processes of the host cause events too, and a program may be running. */
static void check_counts_add_up(void)
{
	int64_t end = mono_ms() + PATIENCE_MS;

	for (;;) {
		ew_bpf_counters(fixture->watch, true, &fixture->sink);
		if (counts_add_up(&fixture->watch->reported.sum))
			return;
		assert_true(mono_ms() < end);
		poll(NULL, 0, 10);
	}
}

/* The number shown by the programs is the number that arrived, whatever was lost. */
static void test_counts(void **state)
{
	const struct ew_counters *sum;
	struct order run = { .act = ACT_RUN, .bytes = "/bin/true" };

	(void)state;
	setup_small(4096, 4096);
	server = actor_new();
	client = actor_new();
	actor_act(&server, ACT_LISTEN, fixture->port, AF_INET);
	for (int i = 0; i < 20; i++) {
		actor_act(&client, ACT_CONNECT, fixture->port, AF_INET);
		actor_act(&server, ACT_ACCEPT, 0, 0);
		actor_send(&client, "POST /x");
		actor_send(&client, "POST /slave(1)/y HTTP/1.1\r\n\r\n");
		actor_act(&client, ACT_CLOSE, 0, 0);
		actor_act(&server, ACT_RESET, 0, 0);
		actor_order(&client, &run);
	}
	check_all_shown_arrive();
	sum = &fixture->watch->reported.sum;
	assert_true(sum->life_shown && sum->life_filtered && sum->life_lost);
	assert_true(sum->message_shown && sum->message_filtered && sum->message_lost);
	assert_int_equal(sum->message_shown, fixture_count(fixture, FACT_MESSAGE));
	assert_int_equal(sum->message_shown + sum->message_lost, 20);
	assert_int_equal(sum->message_seen, 40); /* all sends */
	check_counts_add_up();
	assert_int_equal(fixture_loss(fixture, "lifecycle-ring")->lost.seen, sum->life_seen);
	assert_int_equal(fixture_loss(fixture, "message-ring")->lost.seen, sum->message_seen);
	actor_end(&client);
	actor_end(&server);
}

/* The data can be sent, but the program cannot read it. */
static void test_unreadable_message(void **state)
{
	(void)state;
	setup_small(0, 0);
	server = actor_new();
	client = actor_new();
	actor_act(&server, ACT_LISTEN, fixture->port, AF_INET);
	actor_act(&client, ACT_CONNECT, fixture->port, AF_INET);
	assert_int_equal(actor_act(&client, ACT_SEND_UNTOUCHED, 64, 0), 64);
	check_counts_add_up();
	assert_int_equal(fixture->watch->reported.sum.message_seen, 1);
	assert_int_equal(fixture_lost(fixture, "message-memory"), 1);
	assert_int_equal(fixture_lost(fixture, "message-ring"), 0);
	actor_end(&client);
	actor_end(&server);
}

static void test_full_map_of_connections(void **state)
{
	struct ew_conn conn = { .state = TCP_ESTABLISHED };
	int fd;

	(void)state;
	setup_small(0, 0);
	fd = bpf_map__fd(fixture->watch->programs.skel->maps.conns);
	for (uint64_t cookie = 1ULL << 40; !bpf_map_update_elem(fd, &cookie, &conn, BPF_NOEXIST);
	     cookie++)
		;
	server = actor_new();
	client = actor_new();
	actor_act(&server, ACT_LISTEN, fixture->port, AF_INET);
	actor_act(&client, ACT_CONNECT, fixture->port, AF_INET);
	actor_act(&server, ACT_ACCEPT, 0, 0);
	check_counts_add_up();
	/* The listener, both ends of the connection, and one of them in SYN_SENT. */
	assert_int_equal(fixture_lost(fixture, "map-full"), 4);
	assert_int_equal(fixture_count(fixture, FACT_TCP), 0);
	actor_end(&client);
	actor_end(&server);
}

/* A socket older than the programs: without a cookie it is lost, not filtered. */
static void test_socket_without_a_cookie(void **state)
{
	struct ew_bpf_options options = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	bool named;
	int fd;

	(void)state;
	setup_small(0, 0);
	options.agent_port = fixture->port;
	address.sin_port = htons(fixture->port);
	ew_bpf_free(fixture->watch);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fixture_open(fixture, &options);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	check_counts_add_up();
	named = fixture->watch->features.has_cookie_helper;
	assert_int_equal(fixture_count(fixture, FACT_TCP), named ? 2 : 0);
	assert_int_equal(fixture_lost(fixture, "no-cookie"), named ? 0 : 2);
	close(fd);
}

static void test_full_map(void **state)
{
	struct error error = { 0 };
	int err = 0;
	int i;

	(void)state;
	setup_small(0, 0);
	for (i = 0; !err && i < 20000; i++)
		err = ew_bpf_add_process(fixture->watch, 0x40000000 + i, 1, EW_BPF_ROLE_EXECUTOR,
					 &error);
	assert_int_equal(err, -E2BIG);
	assert_true(i > 16384);
	assert_non_null(strstr(error.message, "watch process"));
	server = actor_new();
	assert_true(actor_act(&server, ACT_LISTEN, fixture->port, AF_INET) > 0);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	assert_int_equal(fixture_count(fixture, FACT_TCP),
			 1); /* seen, but its process cannot be followed */
	assert_true(ew_bpf_counters(fixture->watch, false, &fixture->sink));
	assert_int_equal(fixture_lost(fixture, "map-full"), 1);
	actor_end(&server);
}

static void test_nothing_stays_loaded(void **state)
{
	__u32 ids[32];
	size_t n = 0;
	struct bpf_program *prog;
	int64_t end;

	(void)state;
	setup_small(0, 0);
	bpf_object__for_each_program(prog, fixture->watch->programs.skel->obj)
	{
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (bpf_program__fd(prog) < 0)
			continue;
		assert_int_equal(bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len), 0);
		ids[n++] = info.id;
	}
	assert_true(n >= 8);
	ew_bpf_free(fixture->watch);
	fixture->watch = NULL;
	end = mono_ms() + PATIENCE_MS;
	for (size_t i = 0; i < n; i++) { /* the kernel frees programs after a grace period */
		int fd;

		while ((fd = bpf_prog_get_fd_by_id(ids[i])) >= 0) {
			close(fd);
			assert_true(mono_ms() < end);
			poll(NULL, 0, 1);
		}
		assert_int_equal(errno, ENOENT);
	}
}

static void test_hooks_probe(void **state)
{
	struct error error = { 0 };
	size_t usable = 0;

	(void)state;
	setup_small(0, 0);
	fixture_forget(fixture);
	assert_int_equal(ew_bpf_hooks_probe(&fixture->sink, &error), 0);
	assert_true(fixture->n >= 11); /* two more where sockets have no cookies: before 5.12 */
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_hook *hook = &fixture->facts[i].hook;

		assert_int_equal(fixture->facts[i].type, FACT_HOOK);
		assert_true(*hook->program);
		usable += !*hook->reason;
	}
	assert_true(usable >= 8);
}

static void keep_capabilities(unsigned int a, unsigned int b)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	data[a / 32].permitted |= 1U << a % 32;
	data[b / 32].permitted |= 1U << b % 32;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		_exit(2);
}

/* The two capabilities that the header names suffice to observe and to scan. */
static void test_two_capabilities(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	setup_small(0, 0);
	if (!fixture->watch->features.has_cookie_helper)
		skip(); /* before 5.12 */
	pid = child_new();
	if (pid == 0) {
		struct ew_bpf_options options = { .agent_port = 5051 };
		struct ew_bpf *watch;
		struct error error = { 0 };

		keep_capabilities(CAP_BPF, CAP_PERFMON);
		if (ew_bpf_open(&options, &fixture->sink, &watch, &error) < 0)
			_exit(3);
		_exit(ew_bpf_scan(watch, &fixture->sink, &error) == 0 ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* The error names the missing capabilities. */
static void test_missing_capability(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	setup_small(0, 0);
	pid = child_new();
	if (pid == 0) {
		struct ew_bpf_options options = { .agent_port = 5051 };
		struct ew_bpf *watch;
		struct error error = { 0 };

		if (setuid(65534) < 0)
			_exit(2);
		if (ew_bpf_open(&options, &fixture->sink, &watch, &error) != -EPERM)
			_exit(3);
		if (!strstr(error.message, "CAP_BPF and CAP_PERFMON"))
			_exit(4);
		_exit(ew_bpf_hooks_probe(&fixture->sink, &error) == -EPERM ? 0 : 5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int teardown(void **state)
{
	(void)state;
	fixture_free(fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_full_life_ring),
		TEST(test_exits_survive_a_full_ring),
		TEST(test_polled_ring_loses_nothing),
		TEST(test_large_batch_is_flushed),
		TEST(test_events_during_a_dispatch),
		TEST(test_full_message_ring),
		TEST(test_counts),
		TEST(test_unreadable_message),
		TEST(test_full_map_of_connections),
		TEST(test_socket_without_a_cookie),
		TEST(test_full_map),
		TEST(test_nothing_stays_loaded),
		TEST(test_hooks_probe),
		TEST(test_missing_capability),
		TEST(test_two_capabilities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
