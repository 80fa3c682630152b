/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The lab's messages, calls and checkpoints against the bytes of a real Mesos. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "launch.h"
#include "msg.h"
#include "wire.h"

#define EXECUTOR "executor(1)@127.0.0.1:42593"
#define AGENT	 "slave(1)@127.0.0.1:5051"

static const struct msg_ids v0 = {
	.slave_id = "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0",
	.framework_id = "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000",
	.executor_id = "web",
	.task_id = "web",
	.container_id = "70c332d8-b506-4f13-a492-4cd514dc0924",
	.hostname = "127.0.0.1",
	.port = 5051,
	.launcher_dir = "/usr/local/libexec/mesos",
	.command = "echo started; exec sleep 100000",
	.checkpoint = true,
	.forked_pid = 21315,
};

static struct msg_ids v1_ids(void)
{
	struct msg_ids ids = v0;

	ids.slave_id = "20dd38f5-863d-4055-9c5c-19ec00fac2ae-S0";
	ids.framework_id = "20dd38f5-863d-4055-9c5c-19ec00fac2ae-0000";
	ids.container_id = "b3bae7a1-ce67-4e3c-8154-e4cada2a3b3c";
	return ids;
}

static struct buf load(const char *name)
{
	char *path = lab_fmt("tests/data/lab/%s", name), chunk[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf b = { 0 };
	ssize_t n;

	if (fd < 0)
		fail_msg("cannot open %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(&b, chunk, n);
	close(fd);
	free(path);
	return b;
}

static void assert_same(struct buf *made, struct buf *real)
{
	assert_int_equal(made->len, real->len);
	assert_memory_equal(made->data, real->data, real->len);
	buf_free(made);
	buf_free(real);
}

/* The request of this name, made from `body`, is the captured one. Frees body. */
static void assert_message(const char *name, bool to_agent, struct buf *body)
{
	char *file = lab_fmt("v0.%s", name), *full = lab_fmt("mesos.internal.%s", name);
	struct wire_msg msg = {
		.to = to_agent ? "slave(1)" : "executor(1)",
		.name = full,
		.from = to_agent ? EXECUTOR : AGENT,
		.host = to_agent ? "127.0.0.1:5051" : "127.0.0.1:42593",
	};
	struct buf made = { 0 }, real = load(file);

	wire_encode(&made, &msg, body);
	assert_same(&made, &real);
	buf_free(body);
	free(file);
	free(full);
}

/* Time and uuid are the only things in a status that the lab can't know. */
static struct msg_status captured_status(const struct buf *body, unsigned int a, unsigned int b)
{
	struct msg_status status = { 0 };
	struct pb_field outer, inner;

	assert_true(pb_get(body->data, body->len, a, &outer));
	assert_true(pb_get(outer.data, outer.len, b, &inner));
	assert_true(msg_get_status(&inner, &status));
	return status;
}

static struct msg_status captured_v0_status(void)
{
	struct buf real = load("v0.StatusUpdateMessage");
	struct msg_status status;
	struct http_msg msg;

	assert_int_equal(http_take(&real, &msg), 1);
	status = captured_status(&msg.body, 1, 4);
	http_msg_free(&msg);
	buf_free(&real);
	return status;
}

static void test_executor_messages(void **state)
{
	struct msg_status status = captured_v0_status();
	struct buf b = { 0 };

	(void)state;
	msg_register(&b, &v0);
	assert_message("RegisterExecutorMessage", true, &b);
	msg_reregister(&b, &v0, NULL, 0);
	assert_message("ReregisterExecutorMessage", true, &b);
	assert_int_equal(status.state, TASK_STARTING);
	msg_update(&b, &v0, &status, EXECUTOR);
	assert_message("StatusUpdateMessage", true, &b);
}

static void test_agent_messages(void **state)
{
	struct msg_status status = captured_v0_status();
	struct buf b = { 0 };

	(void)state;
	msg_registered(&b, &v0);
	assert_message("ExecutorRegisteredMessage", false, &b);
	msg_run_task(&b, &v0);
	assert_message("RunTaskMessage", false, &b);
	msg_ack(&b, &v0, status.uuid);
	assert_message("StatusUpdateAcknowledgementMessage", false, &b);
	msg_reconnect(&b, &v0);
	assert_message("ReconnectExecutorMessage", false, &b);
	msg_reregistered(&b, &v0);
	assert_message("ExecutorReregisteredMessage", false, &b);
}

/* Before 1.12 the Host header is empty, and a message without a body has no coding. */
static void test_empty_message(void **state)
{
	struct wire_msg msg = { .to = "executor(1)",
				.from = AGENT,
				.host = "",
				.name = "mesos.internal.ShutdownExecutorMessage" };
	struct buf out = { 0 };

	(void)state;
	wire_encode(&out, &msg, NULL);
	assert_string_equal(out.data,
			    "POST /executor(1)/mesos.internal.ShutdownExecutorMessage HTTP/1.1\r\n"
			    "User-Agent: libprocess/" AGENT "\r\nLibprocess-From: " AGENT "\r\n"
			    "Connection: Keep-Alive\r\nHost: \r\n\r\n");
	buf_free(&out);
}

static void assert_call(const char *file, struct buf *call)
{
	struct buf made = { 0 }, real = load(file);

	wire_executor_call(&made, "127.0.0.1:5051", call);
	assert_same(&made, &real);
	buf_free(call);
}

static struct msg_status captured_v1_status(const char *file)
{
	struct buf real = load(file);
	struct msg_status status;
	struct http_msg msg;

	assert_int_equal(http_take(&real, &msg), 1);
	status = captured_status(&msg.body, 5, 1);
	http_msg_free(&msg);
	buf_free(&real);
	return status;
}

static void test_v1_calls(void **state)
{
	struct msg_status starting = captured_v1_status("v1.update-starting");
	struct msg_status running = captured_v1_status("v1.update-running");
	struct msg_ids ids = v1_ids();
	struct buf call = { 0 };

	(void)state;
	msg_call_subscribe(&call, &ids, NULL, 0);
	assert_call("v1.subscribe", &call);
	msg_call_update(&call, &ids, &starting);
	assert_call("v1.update-starting", &call);
	msg_call_update(&call, &ids, &running);
	assert_call("v1.update-running", &call);
	assert_int_equal(running.state, TASK_RUNNING);
}

static void put_event(struct buf *stream, struct buf *event)
{
	wire_record_chunk(stream, event);
	buf_free(event);
}

/* What follows the head of the answer to SUBSCRIBE. */
static void test_v1_stream(void **state)
{
	struct msg_status starting = captured_v1_status("v1.update-starting");
	struct msg_status running = captured_v1_status("v1.update-running");
	struct buf real = load("v1.stream"), made = { 0 }, event = { 0 };
	struct msg_ids ids = v1_ids();
	struct http_msg head;

	(void)state;
	assert_int_equal(http_take_head(&real, &head), 1);
	assert_string_equal(head.target, "200");
	http_msg_free(&head);
	msg_event_subscribed(&event, &ids);
	put_event(&made, &event);
	msg_event_launch(&event, &ids);
	put_event(&made, &event);
	msg_event_acknowledged(&event, &ids, starting.uuid);
	put_event(&made, &event);
	msg_event_acknowledged(&event, &ids, running.uuid);
	put_event(&made, &event);
	assert_same(&made, &real);
}

/* A record: 4 bytes of length, then the message. Frees msg. */
static void put_record(struct buf *file, struct buf *msg)
{
	uint32_t len = msg->len;

	buf_add(file, &len, sizeof(len));
	buf_add(file, msg->data, msg->len);
	buf_free(msg);
}

static void assert_disk(const char *name, struct buf *msg)
{
	struct buf made = { 0 }, real = load(name);

	put_record(&made, msg);
	assert_same(&made, &real);
}

static void test_checkpoints(void **state)
{
	struct buf msg = { 0 };

	(void)state;
	msg_slave_info(&msg, &v0, MSG_DISK);
	assert_disk("disk.slave.info", &msg);
	msg_framework_info(&msg, &v0);
	assert_disk("disk.framework.info", &msg);
	msg_executor_info(&msg, &v0, MSG_DISK);
	assert_disk("disk.executor.info", &msg);
	msg_task(&msg, &v0);
	assert_disk("disk.task.info", &msg);
}

/* UPDATE, UPDATE, ACK, ACK */
static void test_task_updates(void **state)
{
	struct buf real = load("disk.task.updates"), made = { 0 }, msg = { 0 };
	struct msg_status status[2];
	size_t off = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct buf record = { 0 };
		uint32_t len;

		memcpy(&len, real.data + off, sizeof(len));
		buf_add(&record, real.data + off + 4, len);
		status[i] = captured_status(&record, 2, 4);
		off += 4 + len;
		buf_free(&record);
	}
	for (int i = 0; i < 2; i++) {
		msg_record_update(&msg, &v0, &status[i]);
		put_record(&made, &msg);
	}
	for (int i = 0; i < 2; i++) {
		msg_record_ack(&msg, status[i].uuid);
		put_record(&made, &msg);
	}
	assert_same(&made, &real);
}

static void assert_bytes(struct buf *made, const char *bytes, size_t len)
{
	assert_int_equal(made->len, len);
	assert_memory_equal(made->data, bytes, len);
	buf_free(made);
}

/* Not in the captures: bytes by messages.proto and v1/executor.proto of 1.11.0. */
static void test_orders(void **state)
{
	static const struct msg_ids ids = { .framework_id = "F", .task_id = "T" };
	static const char kill[] = "\x0a\x03\x0a\x01\x46\x12\x03\x0a\x01\x54";
	static const char event[] = "\x08\x03\x2a\x05\x0a\x03\x0a\x01\x54";
	struct buf b = { 0 };

	(void)state;
	msg_kill_task(&b, &ids);
	assert_bytes(&b, kill, sizeof(kill) - 1);
	msg_event_kill(&b, &ids);
	assert_bytes(&b, event, sizeof(event) - 1);
	msg_event_shutdown(&b);
	assert_bytes(&b, "\x08\x07", 2);
}

/* Source, reason and message of what an agent says of a task survive the way to disk. */
static void test_terminal_status(void **state)
{
	struct msg_status made = { .state = TASK_LOST,
				   .timestamp = 1.5,
				   .uuid = "0123456789abcde",
				   .by_agent = true,
				   .reason = REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
				   .message = "Executor did not reregister within 2secs" };
	struct buf record = { 0 };
	struct msg_status read;

	(void)state;
	msg_record_update(&record, &v0, &made);
	read = captured_status(&record, 2, 4);
	assert_int_equal(read.state, TASK_LOST);
	assert_true(read.by_agent);
	assert_int_equal(read.reason, 24);
	assert_string_equal(read.message, made.message);
	assert_memory_equal(read.uuid, made.uuid, 16);
	buf_free(&record);
}

/* SUBSCRIBE carries what the agent has not acknowledged: Subscribe { 2: Update { 1: status } }. */
static void test_subscribe_with_updates(void **state)
{
	struct msg_status status[2] = { { .state = TASK_RUNNING, .uuid = "a" },
					{ .state = TASK_FINISHED, .uuid = "b" } };
	struct msg_status last;
	struct pb_field subscribe;
	struct buf call = { 0 }, updates = { 0 };

	(void)state;
	msg_call_subscribe(&call, &v0, status, 2);
	assert_true(pb_get(call.data, call.len, 4, &subscribe));
	buf_add(&updates, subscribe.data, subscribe.len);
	last = captured_status(&updates, 2, 1);
	assert_int_equal(last.state, TASK_RUNNING);
	buf_free(&updates);
	buf_free(&call);
}

/* However the bytes are cut, the same message comes out, and not before its last byte. */
static void test_http_split(void **state)
{
	struct buf real = load("v0.ExecutorRegisteredMessage");

	(void)state;
	for (size_t cut = 1; cut < real.len; cut++) {
		struct buf in = { 0 };
		struct http_msg msg;

		buf_add(&in, real.data, cut);
		assert_int_equal(http_take(&in, &msg), 0);
		buf_add(&in, real.data + cut, real.len - cut);
		assert_int_equal(http_take(&in, &msg), 1);
		assert_string_equal(wire_name(&msg, "executor(1)"),
				    "mesos.internal.ExecutorRegisteredMessage");
		assert_int_equal(msg.body.len, 0x26c);
		assert_int_equal(in.len, 0);
		http_msg_free(&msg);
		buf_free(&in);
	}
	buf_free(&real);
}

static void test_http_garbage(void **state)
{
	static const char *const bad[] = {
		"GET\r\n\r\n",
		"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"POST /a HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf in = { 0 };
		struct http_msg msg;

		buf_str(&in, bad[i]);
		assert_int_equal(http_take(&in, &msg), -1);
		buf_free(&in);
	}
}

/* Any bytes of an executor id survive the way from the spec to the executor. */
static void test_launch_round_trip(void **state)
{
	static const char id[] = "a b'c\"d\n$(x)\xff\xc3\xa9=%25";
	struct launch *l = launch_new(), *again = launch_new();
	struct buf line = { 0 };

	(void)state;
	assert_true(launch_set(l, "id", id));
	assert_true(launch_set(l, "recovery-timeout", "5secs"));
	assert_false(launch_set(l, "nonsense", "1"));
	launch_format(l, &line);
	assert_null(launch_parse(again, line.data));
	assert_string_equal(again->id, id);
	assert_string_equal(again->recovery_timeout, "5secs");
	assert_string_equal(again->kind, "v0-old");
	buf_free(&line);
	launch_free(l);
	launch_free(again);
}

static void test_durations(void **state)
{
	(void)state;
	assert_int_equal(duration_ms("15mins"), 900000);
	assert_int_equal(duration_ms("500ms"), 500);
	assert_int_equal(duration_ms("1.5hrs"), 5400000);
	assert_int_equal(duration_ms("2"), -1);
	assert_int_equal(duration_ms("secs"), -1);
	assert_int_equal(duration_ms("2 secs"), -1);
}

static void test_json_bytes(void **state)
{
	struct buf b = { 0 };

	(void)state;
	json_str_escaped(&b, "\"\n\xc3\xa9\xff");
	assert_string_equal(b.data, "\"\\\"\\u000a\xc3\xa9\\udcff\"");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_executor_messages),
		cmocka_unit_test(test_agent_messages),
		cmocka_unit_test(test_empty_message),
		cmocka_unit_test(test_v1_calls),
		cmocka_unit_test(test_v1_stream),
		cmocka_unit_test(test_checkpoints),
		cmocka_unit_test(test_task_updates),
		cmocka_unit_test(test_http_split),
		cmocka_unit_test(test_http_garbage),
		cmocka_unit_test(test_launch_round_trip),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_json_bytes),
		cmocka_unit_test(test_orders),
		cmocka_unit_test(test_terminal_status),
		cmocka_unit_test(test_subscribe_with_updates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
