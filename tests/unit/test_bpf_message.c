/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Protocol messages as they are sent, by each program that this kernel accepts. */
#include "events.h"
#include "test_bpf_actor.h"

static const char reregister[] =
	"POST /slave(1)/mesos.internal.ReregisterExecutorMessage HTTP/1.1\r\n"
	"User-Agent: libprocess/executor(1)@127.0.0.1:40001\r\n"
	"Libprocess-From: executor(1)@127.0.0.1:40001\r\n"
	"Connection: Keep-Alive\r\n"
	"Host: \r\n"
	"Transfer-Encoding: chunked\r\n"
	"\r\n"
	"14\r\n"
	"\x0a\x08\x0a\x06task-1\x12\x08\x0a\x06"
	"fw-001\r\n"
	"0\r\n"
	"\r\n";

static const char reregistered[] =
	"POST /executor(1)/mesos.internal.ExecutorReregisteredMessage HTTP/1.1\r\n"
	"User-Agent: libprocess/slave(1)@127.0.0.1:5051\r\n"
	"Libprocess-From: slave(1)@127.0.0.1:5051\r\n"
	"Connection: Keep-Alive\r\n"
	"Host: \r\n"
	"\r\n";

static struct fixture *fixture;
static struct actor agent, executor;
static uint64_t at_executor, at_agent;

static bool is_message(const struct fact *fact, const void *arg)
{
	(void)arg;
	return fact->type == FACT_MESSAGE;
}

static const struct fact_message *message(size_t skip)
{
	fixture_wait(fixture, is_message, NULL, skip + 1, "message");
	for (size_t i = 0; i < fixture->n; i++)
		if (fixture->facts[i].type == FACT_MESSAGE && !skip--)
			return &fixture->facts[i].message;
	return NULL;
}

static size_t messages(void)
{
	size_t n = 0;

	ew_bpf_dispatch(fixture->watch, &fixture->sink);
	for (size_t i = 0; i < fixture->n; i++)
		n += fixture->facts[i].type == FACT_MESSAGE;
	return n;
}

static void no_emit(void *ctx, const struct fact *fact)
{
	(void)ctx;
	(void)fact;
}

#define KERNEL_ENOTSUPP 524 /* ENOTSUPP of the kernel: in no header of user space */

/* Leaves fixture NULL when this kernel does not have the hook or forbids it; otherwise it must
 * load. */
static void setup_pair(enum ew_bpf_messages by, uint32_t message_ring)
{
	struct ew_bpf_options options = { .messages = by, .message_ring = message_ring };
	struct ew_bpf *watch;
	struct fact_sink nowhere = { no_emit, NULL };
	int err;

	fixture = NULL;
	options.agent_port = 1;
	err = ew_bpf_open(&options, &nowhere, &watch, NULL);
	if (err < 0) {
		assert_true(err == -ENOTSUP || err == -EPERM || err == -KERNEL_ENOTSUPP);
		return;
	}
	ew_bpf_free(watch);
	fixture = fixture_new(&options);
	agent = actor_new();
	executor = actor_new();
	assert_true(actor_act(&agent, ACT_LISTEN, fixture->port, AF_INET) > 0);
	at_executor = (uint64_t)actor_act(&executor, ACT_CONNECT, fixture->port, AF_INET);
	at_agent = (uint64_t)actor_act(&agent, ACT_ACCEPT, 0, 0);
}

static int teardown(void **state)
{
	(void)state;
	if (!fixture)
		return 0;
	actor_end(&executor);
	actor_end(&agent);
	fixture_free(fixture);
	return 0;
}

/* Each message is answered before the next: one message is one send and one packet. */
static void check_both_directions(void)
{
	const struct fact_message *m;

	assert_int_equal(actor_send(&executor, reregister), strlen(reregister));
	assert_true(actor_act(&agent, ACT_RECEIVE, 0, 0) > 0);
	assert_int_equal(actor_send(&agent, reregistered), strlen(reregistered));
	assert_true(actor_act(&executor, ACT_RECEIVE, 0, 0) > 0);
	m = message(0);
	assert_string_equal(m->name, "ReregisterExecutorMessage");
	assert_string_equal(m->from, "executor(1)@127.0.0.1:40001");
	assert_string_equal(m->executor_id, "task-1");
	assert_string_equal(m->framework_id, "fw-001");
	assert_int_equal(m->cookie, at_executor);
	assert_int_equal(m->pid, executor.pid);
	assert_int_equal(m->start, executor.start);
	assert_int_equal(m->remote.port, fixture->port);
	assert_int_equal(m->netns, fixture->netns);
	m = message(1);
	assert_string_equal(m->name, "ExecutorReregisteredMessage");
	assert_int_equal(m->cookie, at_agent);
	assert_int_equal(m->pid, agent.pid);
	assert_int_equal(m->start, agent.start);
	assert_int_equal(m->local.port, fixture->port);
	assert_int_equal(messages(), 2);
}

static void test_both_directions(void **state)
{
	(void)state;
	check_both_directions();
}

/* Not only the first; and a send that is no message, or continues one, is not reported. */
static void test_each_message_once(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		assert_int_equal(actor_send(&executor, reregister), strlen(reregister));
		assert_int_equal(actor_send(&executor, "the rest of something long"), 26);
	}
	assert_int_equal(messages(), 20);
}

/* In each of six rounds another byte of a record is at the end of the ring. */
static void test_whole_over_the_end_of_the_ring(void **state)
{
	size_t n = 6 * (size_t)sysconf(_SC_PAGESIZE) / sizeof(struct ew_message);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct fact_message *m;

		assert_int_equal(actor_send(&executor, reregister), strlen(reregister));
		m = message(i);
		assert_string_equal(m->name, "ReregisterExecutorMessage");
		assert_string_equal(m->from, "executor(1)@127.0.0.1:40001");
		assert_string_equal(m->executor_id, "task-1");
		assert_string_equal(m->framework_id, "fw-001");
		assert_int_equal(m->cookie, at_executor);
	}
	assert_int_equal(messages(), n);
}

static void test_tls_is_reported_once(void **state)
{
	struct order hello = { .act = ACT_SEND, .size = 32, .bytes = "\x16\x03\x01\x01\x00" };

	(void)state;
	assert_int_equal(actor_order(&executor, &hello), 32);
	hello.bytes[0] = 0x17;
	assert_int_equal(actor_order(&executor, &hello), 32);
	assert_string_equal(message(0)->name, "TLS");
	assert_int_equal(messages(), 1);
}

/* Messages longer than the copied part, and shorter than the part that is checked. */
static void test_lengths(void **state)
{
	struct order big = { .act = ACT_SEND, .size = sizeof(big.bytes) };

	(void)state;
	memset(big.bytes, 'x', sizeof(big.bytes));
	memcpy(big.bytes, reregister, strlen(reregister));
	assert_int_equal(actor_order(&executor, &big), sizeof(big.bytes));
	assert_string_equal(message(0)->name, "ReregisterExecutorMessage");
	assert_int_equal(actor_send(&executor, "POST /"), 6);
	assert_int_equal(messages(), 1);
}

static int64_t act_on(enum act what, const char *text, int number)
{
	struct order order = { .act = what, .number = number, .size = strlen(text) };

	memcpy(order.bytes, text, order.size);
	return actor_order(&executor, &order);
}

/* Head and body, or smaller parts, in separate buffers (writev, sendmsg). */
static void test_gathered(void **state)
{
	const int sizes[] = { (int)strlen(reregister) - 30, 100, 50 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(act_on(ACT_SEND_PIECES, reregister, sizes[i]), strlen(reregister));
		assert_string_equal(message(i)->name, "ReregisterExecutorMessage");
		assert_string_equal(message(i)->executor_id, "task-1");
		assert_string_equal(message(i)->framework_id, "fw-001");
	}
	assert_int_equal(act_on(ACT_SEND_PIECES, "POST /slave(1)/mesos.internal.X HTTP/1.1\r\n", 6),
			 42);
	assert_string_equal(message(3)->name,
			    "X"); /* its first buffer is too small to recognize it */
}

/* In more buffers than are read: counted as unread. */
static void test_gathered_from_too_many(void **state)
{
	(void)state;
	assert_int_equal(act_on(ACT_SEND_PIECES, reregister, 4), strlen(reregister));
	assert_int_equal(messages(), 0);
	assert_true(ew_bpf_counters(fixture->watch, false, &fixture->sink));
	assert_int_equal(fixture_lost(fixture, "message-memory"), 1);
}

static bool is_named(const struct fact *fact, const void *name)
{
	return is_message(fact, NULL) && strcmp(fact->message.name, name) == 0;
}

/* Both senders wait for the same position in the stream. */
static void test_two_send_at_once(void **state)
{
	(void)state;
	assert_int_equal(actor_act(&executor, ACT_STUFF, 0, 0), 0);
	assert_true(act_on(ACT_SEND_APART, reregister, 0) > 0);
	assert_true(act_on(ACT_SEND_APART, reregistered, 0) > 0);
	fixture_wait(fixture, is_named, "ReregisterExecutorMessage", 1, "message");
	fixture_wait(fixture, is_named, "ExecutorReregisteredMessage", 1, "message");
}

static void check_hook(const char *program, bool best_effort)
{
	for (size_t i = 0; i < fixture->n; i++) {
		const struct fact_hook *slot = &fixture->facts[i].hook;

		if (fixture->facts[i].type != FACT_HOOK || strcmp(slot->hook, "messages") != 0)
			continue;
		assert_string_equal(slot->program, program);
		assert_int_equal(slot->best_effort, best_effort);
		return;
	}
	fail_msg("no slot for messages");
}

static void test_fentry(void **state)
{
	(void)state;
	if (!fixture)
		skip(); /* lockdown, or no trampolines */
	check_hook("fentry/tcp_sendmsg", false);
	check_both_directions();
}

static void test_kprobe(void **state)
{
	(void)state;
	if (!fixture)
		skip(); /* lockdown, or built without */
	check_hook("kprobe/tcp_sendmsg", false);
	check_both_directions();
}

static void test_packets(void **state)
{
	(void)state;
	check_hook("cgroup_skb/egress", true);
	check_both_directions();
}

static void test_none(void **state)
{
	(void)state;
	check_hook("", false);
	assert_int_equal(actor_send(&executor, reregister), strlen(reregister));
	assert_int_equal(messages(), 0);
}

static int setup_best(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_BEST, 0);
	return 0;
}

static int setup_small_ring(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_BEST, (uint32_t)sysconf(_SC_PAGESIZE));
	return 0;
}

static int setup_fentry(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_FENTRY, 0);
	return 0;
}

static int setup_kprobe(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_KPROBE, 0);
	return 0;
}

static int setup_packets(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_CGROUP, 0);
	return 0;
}

static int setup_none(void **state)
{
	(void)state;
	setup_pair(EW_BPF_MESSAGES_NONE, 0);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_both_directions, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_each_message_once, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_whole_over_the_end_of_the_ring,
						setup_small_ring, teardown),
		cmocka_unit_test_setup_teardown(test_tls_is_reported_once, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_lengths, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_gathered, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_gathered_from_too_many, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_two_send_at_once, setup_best, teardown),
		cmocka_unit_test_setup_teardown(test_fentry, setup_fentry, teardown),
		cmocka_unit_test_setup_teardown(test_kprobe, setup_kprobe, teardown),
		cmocka_unit_test_setup_teardown(test_packets, setup_packets, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup_none, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
