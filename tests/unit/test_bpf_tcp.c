/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Changes of TCP state on this kernel, caused by processes whose every step is known. */
#include "test_bpf_actor.h"

struct step {
	uint32_t from, to;
	int32_t pid;
};

static void check_steps(const struct fixture *f, uint64_t cookie, const struct step *steps,
			size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < f->n; i++) {
		const struct fact_tcp *tcp = &f->facts[i].tcp;

		if (f->facts[i].type != FACT_TCP || tcp->cookie != cookie)
			continue;
		assert_true(at < n);
		assert_int_equal(tcp->from, steps[at].from);
		assert_int_equal(tcp->to, steps[at].to);
		assert_int_equal(tcp->pid, steps[at].pid);
		assert_int_equal(tcp->netns, f->netns);
		at++;
	}
	assert_int_equal(at, n);
}

#define CHECK_STEPS(f, cookie, ...)                                                                \
	do {                                                                                       \
		const struct step steps_[] = { __VA_ARGS__ };                                      \
		check_steps(f, cookie, steps_, sizeof(steps_) / sizeof(steps_[0]));                \
	} while (0)

static const struct fact_tcp *find_step(const struct fixture *f, uint64_t cookie, uint32_t to)
{
	struct expected_state e = { cookie, to };

	for (size_t i = 0; i < f->n; i++)
		if (state_reached(&f->facts[i], &e))
			return &f->facts[i].tcp;
	fail_msg("no change to state %u", to);
	return NULL;
}

static void check_ends_mirror(const struct fixture *f, uint64_t client, uint64_t server)
{
	const struct fact_tcp *c = find_step(f, client, TCP_ESTABLISHED);
	const struct fact_tcp *s = find_step(f, server, TCP_ESTABLISHED);

	assert_int_equal(c->remote.port, f->port);
	assert_int_not_equal(c->local.port, 0);
	assert_memory_equal(c->local.ip, s->remote.ip, 16);
	assert_memory_equal(c->remote.ip, s->local.ip, 16);
	assert_int_equal(c->local.port, s->remote.port);
	assert_int_equal(c->remote.port, s->local.port);
}

static struct fixture *fixture;
static struct actor server, client;
static uint64_t listening, at_client, at_server;

/* family: of the listener, and of the client */
static void connect_pair(int listen_family, int connect_family)
{
	server = actor_new();
	client = actor_new();
	listening = (uint64_t)actor_act(&server, ACT_LISTEN, fixture->port, listen_family);
	at_client = (uint64_t)actor_act(&client, ACT_CONNECT, fixture->port, connect_family);
	at_server = (uint64_t)actor_act(&server, ACT_ACCEPT, 0, 0);
	assert_true((int64_t)listening > 0 && (int64_t)at_client > 0 && (int64_t)at_server > 0);
}

static void end_pair(void)
{
	actor_end(&client);
	actor_end(&server);
}

static void test_orderly_close(void **state)
{
	(void)state;
	connect_pair(AF_INET, AF_INET);
	actor_act(&client, ACT_CLOSE, 0, 0);
	actor_act(&server, ACT_CLOSE, 0, 0);
	fixture_wait_state(fixture, at_server, TCP_CLOSE);
	fixture_wait_state(fixture, at_client, TCP_CLOSE);
	actor_act(&server, ACT_UNLISTEN, 0, 0);
	fixture_wait_state(fixture, listening, TCP_CLOSE);
	CHECK_STEPS(fixture, listening, { TCP_CLOSE, TCP_LISTEN, server.pid },
		    { TCP_LISTEN, TCP_CLOSE, server.pid });
	CHECK_STEPS(fixture, at_client, { TCP_CLOSE, TCP_SYN_SENT, client.pid },
		    { TCP_SYN_SENT, TCP_ESTABLISHED, 0 },
		    { TCP_ESTABLISHED, TCP_FIN_WAIT1, client.pid },
		    { TCP_FIN_WAIT1, TCP_FIN_WAIT2, 0 }, { TCP_FIN_WAIT2, TCP_CLOSE, 0 });
	CHECK_STEPS(fixture, at_server, { TCP_SYN_RECV, TCP_ESTABLISHED, server.pid },
		    { TCP_ESTABLISHED, TCP_CLOSE_WAIT, 0 },
		    { TCP_CLOSE_WAIT, TCP_LAST_ACK, server.pid }, { TCP_LAST_ACK, TCP_CLOSE, 0 });
	check_ends_mirror(fixture, at_client, at_server);
	/* The last event has both ports, though the kernel has cleared one by then. */
	assert_int_equal(find_step(fixture, at_server, TCP_CLOSE)->local.port, fixture->port);
	assert_int_equal(find_step(fixture, at_client, TCP_SYN_SENT)->start, client.start);
	assert_int_equal(find_step(fixture, at_server, TCP_ESTABLISHED)->start, server.start);
	end_pair();
}

static void test_reset(void **state)
{
	(void)state;
	connect_pair(AF_INET, AF_INET);
	actor_act(&server, ACT_RESET, 0, 0);
	fixture_wait_state(fixture, at_client, TCP_CLOSE);
	fixture_wait_state(fixture, at_server, TCP_CLOSE);
	CHECK_STEPS(fixture, at_client, { TCP_CLOSE, TCP_SYN_SENT, client.pid },
		    { TCP_SYN_SENT, TCP_ESTABLISHED, 0 }, { TCP_ESTABLISHED, TCP_CLOSE, 0 });
	CHECK_STEPS(fixture, at_server, { TCP_SYN_RECV, TCP_ESTABLISHED, server.pid },
		    { TCP_ESTABLISHED, TCP_CLOSE, 0 });
	end_pair();
}

static void test_refused(void **state)
{
	const struct fact_tcp *first = NULL;

	(void)state;
	client = actor_new();
	assert_int_equal(actor_act(&client, ACT_CONNECT, fixture->port, AF_INET), -ECONNREFUSED);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n && !first; i++)
		if (fixture->facts[i].type == FACT_TCP)
			first = &fixture->facts[i].tcp;
	assert_non_null(first);
	CHECK_STEPS(fixture, first->cookie, { TCP_CLOSE, TCP_SYN_SENT, client.pid },
		    { TCP_SYN_SENT, TCP_CLOSE, 0 });
	assert_int_not_equal(find_step(fixture, first->cookie, TCP_CLOSE)->local.port, 0);
	actor_end(&client);
}

static void check_ip(const struct fixture *f, uint64_t cookie, const char *ip)
{
	struct in6_addr wanted;

	assert_int_equal(inet_pton(AF_INET6, ip, &wanted), 1);
	assert_memory_equal(find_step(f, cookie, TCP_ESTABLISHED)->remote.ip, &wanted, 16);
	assert_memory_equal(find_step(f, cookie, TCP_ESTABLISHED)->local.ip, &wanted, 16);
}

static void test_ipv6(void **state)
{
	(void)state;
	connect_pair(AF_INET6, AF_INET6);
	fixture_wait_state(fixture, at_client, TCP_ESTABLISHED);
	fixture_wait_state(fixture, at_server, TCP_ESTABLISHED);
	check_ends_mirror(fixture, at_client, at_server);
	check_ip(fixture, at_client, "::1");
	end_pair();
}

/* The listener accepts IPv6 and IPv4, the client uses IPv4: the addresses of both ends match. */
static void test_ipv4_mapped(void **state)
{
	(void)state;
	connect_pair(AF_INET6, AF_INET);
	fixture_wait_state(fixture, at_client, TCP_ESTABLISHED);
	fixture_wait_state(fixture, at_server, TCP_ESTABLISHED);
	check_ends_mirror(fixture, at_client, at_server);
	check_ip(fixture, at_client, "::ffff:127.0.0.1");
	check_ip(fixture, at_server, "::ffff:127.0.0.1");
	end_pair();
}

/* The agent's own connection to an executor: neither end has the agent port. */
static void test_agent_to_executor(void **state)
{
	struct actor agent = actor_new(), executor = actor_new();
	uint16_t other = (uint16_t)(fixture->port + 1);
	uint64_t out, in;

	(void)state;
	assert_int_equal(ew_bpf_add_process(fixture->watch, executor.pid, executor.start,
					    EW_BPF_ROLE_EXECUTOR, NULL),
			 0);
	actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET);
	actor_act(&executor, ACT_LISTEN, other, AF_INET);
	out = (uint64_t)actor_act(&agent, ACT_CONNECT, other, AF_INET);
	in = (uint64_t)actor_act(&executor, ACT_ACCEPT, 0, 0);
	fixture_wait_state(fixture, out, TCP_ESTABLISHED);
	fixture_wait_state(fixture, in, TCP_ESTABLISHED);
	CHECK_STEPS(fixture, out, { TCP_CLOSE, TCP_SYN_SENT, agent.pid },
		    { TCP_SYN_SENT, TCP_ESTABLISHED, 0 });
	CHECK_STEPS(fixture, in, { TCP_SYN_RECV, TCP_ESTABLISHED, executor.pid });
	actor_end(&agent);
	actor_end(&executor);
}

static void test_others_are_not_shown(void **state)
{
	uint16_t other = (uint16_t)(fixture->port + 1);

	(void)state;
	server = actor_new();
	client = actor_new();
	actor_act(&server, ACT_LISTEN, other, AF_INET);
	actor_act(&client, ACT_CONNECT, other, AF_INET);
	actor_act(&server, ACT_ACCEPT, 0, 0);
	actor_act(&client, ACT_CLOSE, 0, 0);
	actor_act(&server, ACT_CLOSE, 0, 0);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++)
		assert_int_not_equal(fixture->facts[i].type, FACT_TCP);
	end_pair();
}

static size_t changes_at(uint16_t port)
{
	size_t n = 0;

	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++)
		n += fixture->facts[i].type == FACT_TCP && fixture->facts[i].tcp.local.port == port;
	return n;
}

/* From when the port is set on; who listens there is no agent, and its children are not followed.
 */
static void test_an_advertised_port_is_observed(void **state)
{
	struct agent_ports ports = { { fixture->port, (uint16_t)(fixture->port + 1) } };
	uint16_t other = ports.v[1];
	struct ew_proc proc;
	uint32_t pid;

	(void)state;
	server = actor_new();
	client = actor_new();
	assert_int_equal(ew_bpf_set_ports(fixture->watch, &ports), 0);
	listening = (uint64_t)actor_act(&server, ACT_LISTEN, other, AF_INET);
	at_client = (uint64_t)actor_act(&client, ACT_CONNECT, other, AF_INET);
	at_server = (uint64_t)actor_act(&server, ACT_ACCEPT, 0, 0);
	assert_int_equal(changes_at(other), 2);
	CHECK_STEPS(fixture, listening, { TCP_CLOSE, TCP_LISTEN, server.pid });
	CHECK_STEPS(fixture, at_client, { TCP_CLOSE, TCP_SYN_SENT, client.pid },
		    { TCP_SYN_SENT, TCP_ESTABLISHED, 0 });
	pid = (uint32_t)server.pid;
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(fixture->watch->programs.skel->maps.procs), &pid,
				    &proc),
		0);
	end_pair();
}

/* A child that inherited the listener accepts and reads: the child owns the connection. */
static void test_owner_is_who_reads(void **state)
{
	struct actor parent, peer;
	struct order hello = { .act = ACT_SEND, .size = 2, .bytes = "hi" };
	uint64_t cookie = 0;
	int fd, conn, status;
	char buf[8];
	pid_t child;

	(void)state;
	/* The test itself listens, its child accepts. */
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(fixture->port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	parent.pid = getpid();
	child = child_new();
	if (child == 0) {
		conn = accept(fd, NULL, NULL);
		_exit(read(conn, buf, sizeof(buf)) == 2 ? 0 : 1);
	}
	peer = actor_new();
	actor_act(&peer, ACT_CONNECT, fixture->port, AF_INET);
	assert_int_equal(actor_order(&peer, &hello), 2);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_tcp *tcp = &fixture->facts[i].tcp;

		if (fixture->facts[i].type != FACT_TCP)
			continue;
		if (tcp->from == TCP_SYN_RECV) {
			assert_int_equal(tcp->pid, parent.pid);
			cookie = tcp->cookie;
		} else if (cookie && tcp->cookie == cookie && tcp->from == tcp->to) {
			assert_int_equal(tcp->pid, child);
			child = 0;
		}
	}
	assert_int_equal(child, 0);
	close(fd);
	actor_end(&peer);
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
		TEST(test_orderly_close),
		TEST(test_reset),
		TEST(test_refused),
		TEST(test_ipv6),
		TEST(test_ipv4_mapped),
		TEST(test_agent_to_executor),
		TEST(test_others_are_not_shown),
		TEST(test_an_advertised_port_is_observed),
		TEST(test_owner_is_who_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
