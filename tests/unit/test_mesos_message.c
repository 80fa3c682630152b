/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What one send() says, from its first bytes. */
#include "mesos_data.h"

#include "base/addr.h"
#include "mesos/json.h"
#include "mesos/message.h"

#define PREFIX	    256 /* what is captured of a send() */
#define BYTES(text) ((struct mesos_span){ text, sizeof(text) - 1 })

static const char *name_of(const struct mesos_message *message)
{
	static char buf[MESOS_MESSAGE_NAME_MAX];

	return mesos_message_name(message, buf);
}

static struct mesos_message parse(struct mesos_span bytes)
{
	struct mesos_message message;

	memset(&message, 0x5a, sizeof(message));
	mesos_message_parse(bytes.p, bytes.len, &message);
	return message;
}

#define FID "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-0000"
#define SID "2e75ace0-e3e1-4d6f-9473-99f2c37da3d9-S0"

/* offset and length of a send in a stream of a real agent or executor. */
static void real_messages(void **state)
{
	static const struct {
		const char *stream;
		size_t at, len;
		enum mesos_message_kind kind;
		const char *name, *to, *from, *slave, *framework, *executor;
	} rows[] = {
		{ "v0-register.45398-5051", 0, 301, MESOS_REGISTER, "RegisterExecutorMessage",
		  "slave(1)", "executor(1)@127.0.0.1:42593", NULL, FID, "web" },
		{ "v0-register.45398-5051", 301, 489, MESOS_STATUS_UPDATE, "StatusUpdateMessage",
		  "slave(1)", "executor(1)@127.0.0.1:42593", SID, FID, "web" },
		{ "v0-register.52238-42593", 0, 868, MESOS_REGISTERED, "ExecutorRegisteredMessage",
		  "executor(1)", "slave(1)@127.0.0.1:5051", SID, FID, "web" },
		{ "v0-register.52238-42593", 868, 528, MESOS_RUN_TASK, "RunTaskMessage",
		  "executor(1)", "slave(1)@127.0.0.1:5051", NULL, FID, NULL },
		{ "v0-register.52238-42593", 1396, 369, MESOS_STATUS_UPDATE_ACK,
		  "StatusUpdateAcknowledgementMessage", "executor(1)", "slave(1)@127.0.0.1:5051",
		  SID, FID, NULL },
		{ "v0-reregister.32888-42593", 0, 289, MESOS_RECONNECT, "ReconnectExecutorMessage",
		  "executor(1)", "slave(1)@127.0.0.1:5051", SID, NULL, NULL },
		{ "v0-reregister.57948-5051", 0, 303, MESOS_REREGISTER, "ReregisterExecutorMessage",
		  "slave(1)", "executor(1)@127.0.0.1:42593", NULL, FID, "web" },
		{ "v0-reregister.32896-42593", 0, 439, MESOS_REREGISTERED,
		  "ExecutorReregisteredMessage", "executor(1)", "slave(1)@127.0.0.1:5051", SID,
		  NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[128];
		struct mesos_span stream, bytes;
		struct mesos_message m;

		snprintf(path, sizeof(path), DATA "streams/%s", rows[i].stream);
		stream = data_read(path);
		bytes = data_copy(stream.p + rows[i].at, rows[i].len);
		m = parse(bytes);
		assert_int_equal(m.kind, rows[i].kind);
		assert_string_equal(name_of(&m), rows[i].name);
		assert_span(m.to, rows[i].to);
		assert_true(m.has_from);
		assert_span(m.from_text, rows[i].from);
		assert_span(m.slave_id, rows[i].slave);
		assert_span(m.framework_id, rows[i].framework);
		assert_span(m.executor_id, rows[i].executor);
		data_free(bytes);

		/* 80 bytes name any message, and 256 also its sender */
		bytes = data_copy(stream.p + rows[i].at, 80);
		assert_int_equal(parse(bytes).kind, rows[i].kind);
		data_free(bytes);
		bytes = data_copy(stream.p + rows[i].at, PREFIX);
		m = parse(bytes);
		assert_int_equal(m.kind, rows[i].kind);
		assert_span(m.from_text, rows[i].from);
		data_free(bytes);
		data_free(stream);
	}
}

/* Cut anywhere, the result is that of the whole message. */
static void every_prefix(const char *path, struct mesos_span stream)
{
	struct mesos_message whole = parse(stream);

	assert_int_not_equal(whole.kind, MESOS_UNKNOWN);
	for (size_t n = 0; n < stream.len && n < 2 * PREFIX; n++) {
		struct mesos_span cut = data_copy(stream.p, n);
		struct mesos_message m = parse(cut);

		if (m.kind != MESOS_UNKNOWN && m.kind != whole.kind)
			fail_msg("%s: %zu bytes give %s", path, n, name_of(&m));
		if (m.has_from && !data_equal(m.from_text, whole.from_text))
			fail_msg("%s: %zu bytes give another sender", path, n);
		if (m.executor_id.p)
			assert_true(data_equal(m.executor_id, whole.executor_id));
		if (m.framework_id.p)
			assert_true(data_equal(m.framework_id, whole.framework_id));
		if (m.slave_id.p)
			assert_true(data_equal(m.slave_id, whole.slave_id));
		data_free(cut);
	}
}

static void all_real(void **state)
{
	(void)state;
	data_each(DATA "streams/*", 43, every_prefix);
}

/* The v1 library sends head and body apart. */
static void real_v1(void **state)
{
	struct mesos_span stream = data_read(DATA "streams/v1-subscribe.35400-5051");
	struct mesos_span head = data_copy(stream.p, 155);
	struct mesos_span body = data_copy(stream.p + 155, 56);
	struct mesos_message m = parse(head);

	(void)state;
	assert_int_equal(m.kind, MESOS_V1_CALL);
	assert_int_equal(m.call, MESOS_CALL_UNKNOWN);
	assert_string_equal(name_of(&m), "CALL");
	for (int whole = 0; whole < 2; whole++) {
		m = parse(whole ? stream : body);
		assert_int_equal(m.kind, MESOS_V1_CALL);
		assert_int_equal(m.call, MESOS_CALL_SUBSCRIBE);
		assert_string_equal(name_of(&m), "SUBSCRIBE");
		assert_span(m.executor_id, "web");
		assert_span(m.framework_id, "20dd38f5-863d-4055-9c5c-19ec00fac2ae-0000");
	}
	data_free(head);
	data_free(body);
	data_free(stream);
	stream = data_read(DATA "streams/v1-subscribe.35412-5051");
	m = parse(stream);
	assert_string_equal(name_of(&m), "UPDATE");
	m = parse(mesos_span_at(stream.p + 156, 100));
	assert_string_equal(name_of(&m), "UPDATE");
	data_free(stream);
}

/* What begins no message must not be taken for the body of a call. */
static void no_calls(void **state)
{
	static const struct mesos_span rows[] = {
#define ROW(text) { text, sizeof(text) - 1 }
		ROW("\x0a\x03\x0a\x01"
		    "e\x12\x03\x0a\x01"
		    "f"), /* no type */
		ROW("\x0a\x03\x0a\x01"
		    "e\x12\x03\x0a\x01"
		    "f\x18\x05"), /* no such type */
		ROW("\x0a\x03\x0a\x01"
		    "e\x18\x01"), /* no framework */
		ROW("\x12\x03\x0a\x01"
		    "f\x18\x01"), /* no executor */
		ROW("{\"type\":\"SUBSCRIBE\"}"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(parse(rows[i]).kind, MESOS_UNKNOWN);
	assert_int_equal(parse(BYTES("\x0a\x03\x0a\x01"
				     "e\x12\x03\x0a\x01"
				     "f\x18\x04"))
				 .call,
			 MESOS_CALL_HEARTBEAT);
	assert_int_equal(parse(BYTES("{\"executor_id\":{\"value\":\"e\"},\"type\":\"MESSAGE\","
				     "\"framework_id\":{\"value\":\"f\"}"))
				 .call,
			 MESOS_CALL_MESSAGE);
}

static void real_responses(void **state)
{
	struct mesos_span stream = data_read(DATA "streams/v1-subscribe.5051-35400");
	struct mesos_message m = parse(stream);

	(void)state;
	assert_int_equal(m.kind, MESOS_HTTP_RESPONSE);
	assert_int_equal(m.status, 200);
	assert_string_equal(name_of(&m), "200 OK");
	data_free(stream);
	stream = data_read(DATA "streams/v0-register.5051-45398");
	m = parse(stream);
	assert_int_equal(m.status, 202);
	assert_string_equal(name_of(&m), "202 Accepted");
	data_free(stream);
}

#define ROW(text)                                                                                  \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}
#define CALL_HEAD "POST /slave(1)/api/v1/executor HTTP/1.1\r\nContent-Length: 9\r\n\r\n"

static void kinds(void **state)
{
	static const struct {
		struct mesos_span bytes;
		enum mesos_message_kind kind;
		const char *name;
	} rows[] = {
		/* 0.28: empty Host, no body */
		{ ROW("POST /executor(1)/mesos.internal.ShutdownExecutorMessage HTTP/1.1\r\n"
		      "User-Agent: libprocess/slave(1)@10.0.0.7:5051\r\n"
		      "Libprocess-From: slave(1)@10.0.0.7:5051\r\n"
		      "Connection: Keep-Alive\r\nHost: \r\n\r\n"),
		  MESOS_SHUTDOWN, "ShutdownExecutorMessage" },
		{ ROW("POST /executor(1)/mesos.internal.KillTaskMessage HTTP/1.0\r\n"),
		  MESOS_KILL_TASK, "KillTaskMessage" },
		{ ROW("POST /e/mesos.internal.FrameworkToExecutorMessage HTTP/1.1\r\n"),
		  MESOS_FRAMEWORK_TO_EXECUTOR, "FrameworkToExecutorMessage" },
		{ ROW("POST /slave(1)/mesos.internal.ExecutorToFrameworkMessage HTTP/1.1"),
		  MESOS_EXECUTOR_TO_FRAMEWORK, "ExecutorToFrameworkMessage" },
		{ ROW("POST /slave(1)/mesos.internal.PingSlaveMessage HTTP/1.1\r\n"), MESOS_OTHER,
		  "PingSlaveMessage" },
		{ ROW("POST /s/mesos.scheduler.Call HTTP/1.1\r\n"
		      "User-Agent: libprocess/x@1.2.3.4:5\r\n"),
		  MESOS_OTHER, "mesos.scheduler.Call" },
		{ ROW("POST /slave(1)/mesos.internal.RegisterExecutorMessag HTTP/1.1\r\n"),
		  MESOS_OTHER, "RegisterExecutorMessag" },
		{ ROW("POST /slave(1)/mesos.internal. HTTP/1.1\r\n"), MESOS_HTTP_REQUEST, "POST" },
		{ ROW("GET /state HTTP/1.1\r\n"), MESOS_HTTP_REQUEST, "GET" },
		{ ROW("POST /api/v1 HTTP/1.1\r\n"), MESOS_HTTP_REQUEST, "POST" },
		{ ROW("POST /api/v1/executor HTTP/1.1\r\n"), MESOS_V1_CALL, "CALL" },
		{ ROW("POST /api/v1/executors HTTP/1.1\r\n"), MESOS_HTTP_REQUEST, "POST" },
		{ ROW("HTTP/1.1 503 Service Unavailable\r\n"), MESOS_HTTP_RESPONSE,
		  "503 Service Unavailable" },
		{ ROW("HTTP/1.1 200"), MESOS_HTTP_RESPONSE, "200" },
		{ ROW("HTTP/1.0 404 Not\x01"), MESOS_UNKNOWN, "" },
		{ ROW("HTTP/1.1 20"), MESOS_UNKNOWN, "" },
		{ ROW("HTTP/1.1 2000 OK\r\n"), MESOS_UNKNOWN, "" },
		{ ROW("HTTP/2 200 OK\r\n"), MESOS_UNKNOWN, "" },
		{ ROW("POST /slave(1)/mesos.internal.RegisterExec"), MESOS_UNKNOWN, "" },
		{ ROW("POST /slave(1)/mesos.internal.RegisterExecutorMessage FTP/1.1\r\n"),
		  MESOS_UNKNOWN, "" },
		{ ROW("post /slave(1)/mesos.internal.RegisterExecutorMessage HTTP/1.1\r\n"),
		  MESOS_UNKNOWN, "" },
		{ ROW("\x16\x03\x01\x02\x00\x01"), MESOS_TLS, "TLS" },
		{ ROW("\x17\x03\x03\x00\x45xyz"), MESOS_TLS, "TLS" },
		{ ROW("\x17\x03\x04\x00\x45"), MESOS_TLS, "TLS" },
		{ ROW("POST /x/mesos.internal.X HTTQ/1.1\r\n"), MESOS_UNKNOWN, "" },
		{ ROW("PO /x/mesos.internal.X HTTP/1.1\r\n"), MESOS_UNKNOWN, "" },
		{ ROW("POSTPOST /x/mesos.internal.X HTTP/1.1\r\n"), MESOS_UNKNOWN, "" },
		{ ROW("\x17\x03\x09\x00\x45"), MESOS_UNKNOWN, "" },
		{ ROW("\x17\x03\x03\xff\xff"), MESOS_UNKNOWN, "" },
		{ ROW("\x16\x03\x01"), MESOS_UNKNOWN, "" },
		{ ROW("245\r\n577\n\x08\x01"), MESOS_UNKNOWN, "" },
		{ ROW("\0\0\0\0"), MESOS_UNKNOWN, "" },
		{ ROW(""), MESOS_UNKNOWN, "" },
		{ { NULL, 0 }, MESOS_UNKNOWN, "" },
		{ ROW(CALL_HEAD "\x18\x04"), MESOS_V1_CALL, "HEARTBEAT" },
		{ ROW(CALL_HEAD "{\"type\":\"HEARTBEAT\"}"), MESOS_V1_CALL, "HEARTBEAT" },
		{ ROW("PATCH /x HTTP/1.1\r\n"), MESOS_HTTP_REQUEST, "PATCH" },
		{ ROW("\x14\x03\x03\x00\x01"), MESOS_TLS, "TLS" },
		{ ROW(CALL_HEAD "\x18\x03"), MESOS_V1_CALL, "MESSAGE" },
		{ ROW(CALL_HEAD "\x18\x09"), MESOS_V1_CALL, "CALL" },
		{ ROW(CALL_HEAD "{\"executor_id\":{\"value\":\"e\"},\"type\" : \"UPDATE\"}"),
		  MESOS_V1_CALL, "UPDATE" },
		{ ROW(CALL_HEAD "{\"a\":{\"type\":\"UPDATE\"},\"b\":[\"type\"]"), MESOS_V1_CALL,
		  "CALL" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span bytes = data_copy(rows[i].bytes.p, rows[i].bytes.len);
		struct mesos_message m = parse(bytes);

		if (m.kind != rows[i].kind || strcmp(name_of(&m), rows[i].name))
			fail_msg("row %zu: %d '%s'", i, m.kind, name_of(&m));
		data_free(bytes);
	}
}

static void sender_of_old_versions(void **state)
{
	struct mesos_message m = parse(BYTES("POST /slave(1)/mesos.internal.X HTTP/1.1\r\n"
					     "user-agent: libprocess/e(1)@[::1]:7\r\n\r\n"));
	char buf[ADDR_TEXT_MAX];

	(void)state;
	assert_true(m.has_from);
	assert_span(m.from.id, "e(1)");
	assert_string_equal(addr_text(&m.from.addr, buf), "[::1]:7");
	m = parse(BYTES("POST /slave(1)/mesos.internal.X HTTP/1.1\r\nUser-Agent: curl/7\r\n\r\n"));
	assert_false(m.has_from);
	/* a value without its line end may be cut */
	m = parse(BYTES("POST /a/mesos.internal.X HTTP/1.1\r\nLibprocess-From: e(1)@1.2.3.4:80"));
	assert_false(m.has_from);
}

/* An id may hold any bytes; one that is cut is not reported. */
static void weird_ids(void **state)
{
	static const char head[] = "POST /slave(1)/mesos.internal.ReregisterExecutorMessage "
				   "HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char body[] = "12\r\n\x0a\x0a\x0a\x08"
				   "a \"\n\xc3\xa9'/\x12\x04\x0a\x02"
				   "f\t\r\n0\r\n\r\n";
	char buf[256];
	struct mesos_message m;

	(void)state;
	memcpy(buf, head, sizeof(head) - 1);
	memcpy(buf + sizeof(head) - 1, body, sizeof(body));
	m = parse(mesos_span_at(buf, sizeof(head) + sizeof(body) - 2));
	assert_span(m.executor_id, "a \"\n\xc3\xa9'/");
	assert_span(m.framework_id, "f\t");
	m = parse(mesos_span_at(buf, sizeof(head) - 1 + 14));
	assert_null(m.executor_id.p);
	m = parse(mesos_span_at(buf, sizeof(head) - 1));
	assert_null(m.framework_id.p);
}

static void shutdown_ids(void **state)
{
	struct mesos_message m =
		parse(BYTES("POST /executor(1)/mesos.internal.ShutdownExecutorMessage HTTP/1.1\r\n"
			    "\r\n\x0a\x03\x0a\x01"
			    "e\x12\x03\x0a\x01"
			    "f"));

	(void)state;
	assert_span(m.executor_id, "e");
	assert_span(m.framework_id, "f");
}

static void json_too_deep(void **state)
{
	char text[200] = "{\"a\":";

	(void)state;
	memset(text + 5, '[', 70);
	memset(text + 75, ']', 70);
	strcpy(text + 145, ",\"b\":\"x\"}");
	assert_span(mesos_json_member(mesos_span_of(text), "b"), NULL);
	memset(text + 5, ' ', 20);
	memset(text + 125, ' ', 20);
	assert_span(mesos_json_member(mesos_span_of(text), "b"), "x");
}

static void json_members(void **state)
{
	static const struct {
		const char *json, *key, *value;
	} rows[] = {
		{ "{\"a\":\"x\",\"b\":\"y\"}", "b", "y" },
		{ " { \"a\" : 12 , \"b\" : \"y\" }", "a", "12" },
		{ "{\"a\":{\"b\":[1,{\"c\":\"}\"}]},\"d\":true}", "d", "true" },
		{ "{\"a\":{\"b\":[1,{\"c\":\"}\"}]},\"d\":true}", "a",
		  "{\"b\":[1,{\"c\":\"}\"}]}" },
		{ "{\"a\":{\"b\":1", "a", "{\"b\":1" },
		{ "{\"a\":\"x\\\"y\",\"b\":\"z\"}", "a", NULL },
		{ "{\"a\":\"x\\\"y\",\"b\":\"z\"}", "b", "z" },
		{ "{\"a\":\"x", "a", NULL },
		{ "{\"a\":12", "a", NULL },
		{ "{\"a\":\"x\\", "a", NULL },
		{ "{\"a\"", "a", NULL },
		{ "{\"a\":", "a", NULL },
		{ "{\"a\":}", "a", NULL },
		{ "{\"a\" \"b\"", "a", NULL },
		{ "{\"a\":\"\"}", "a", "" },
		{ "[\"a\"]", "a", NULL },
		{ "{}", "a", NULL },
		{ "", "a", NULL },
		{ "{\"b\":[}", "a", NULL },
		{ "{a:1}", "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_span json = data_copy(rows[i].json, strlen(rows[i].json));

		assert_span(mesos_json_member(json, rows[i].key), rows[i].value);
		data_free(json);
	}
}

static void unprintable_name(void **state)
{
	struct mesos_message m = parse(BYTES("POST /x/mesos.internal.\xff\xc3 HTTP/1.1\r\n"));
	char longest[200] = "POST /x/mesos.internal.";

	(void)state;
	assert_string_equal(name_of(&m), "??");
	memset(longest + 23, 'N', 100);
	strcpy(longest + 123, " HTTP/1.1\r\n");
	m = parse(mesos_span_of(longest));
	assert_int_equal(strlen(name_of(&m)), MESOS_MESSAGE_NAME_MAX - 1);
}

/* What a task's own state is, in the first bytes of its last update. */
static void task_states(void **state)
{
	static const char json[] = CALL_HEAD "{\"executor_id\":{\"value\":\"e\"},\"framework_id\":{"
					     "\"value\":\"f\"},\"type\":\"UPDATE\","
					     "\"update\":{\"status\":{\"task_id\":{\"value\":\"t "
					     "1\"},\"state\":\"TASK_KILLED\",\"x\":";
	static const struct {
		const char *stream;
		size_t at, len;
		const char *task_id, *task_state;
	} rows[] = {
		{ "v0-register.45398-5051", 301, 489, "web", "TASK_STARTING" },
		{ "v0-register.45398-5051", 301, 420, "web", "TASK_STARTING" }, /* cut behind it */
		{ "v0-register.45398-5051", 301, 250, NULL, NULL },
		{ "v0-register.52238-42593", 1396, 369, "web", NULL }, /* its acknowledgement */
		{ "v0-register.45398-5051", 0, 301, NULL, NULL },
	};
	struct mesos_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[128];
		struct mesos_span stream;

		snprintf(path, sizeof(path), DATA "streams/%s", rows[i].stream);
		stream = data_read(path);
		m = parse(mesos_span_at(stream.p + rows[i].at, rows[i].len));
		assert_span(m.task_id, rows[i].task_id);
		assert_true(!m.task_state == !rows[i].task_state);
		if (m.task_state)
			assert_string_equal(m.task_state, rows[i].task_state);
		data_free(stream);
	}
	m = parse(mesos_span_of(json));
	assert_span(m.task_id, "t 1");
	assert_string_equal(m.task_state, "TASK_KILLED");
}

/* The only event that is read: a record of a stream, {1: 7}, or as JSON. */
static void shutdown_events(void **state)
{
	static const struct {
		struct mesos_span bytes;
		const char *name;
	} rows[] = {
		{ BYTES("4\r\n2\n\x08\x07\r\n"), "SHUTDOWN" },
		{ BYTES("4\r\n2\n\x08\x07"), "SHUTDOWN" },
		{ BYTES("16\r\n19\n{\"type\":\"SHUTDOWN\"}\r\n"), "SHUTDOWN" },
		{ BYTES("4\r\n2\n\x08\x09\r\n"), "" }, /* HEARTBEAT */
		{ BYTES("4\r\n2\n\x08"), "" },
		{ BYTES("4\r\n3\n\x08\x07\r\n"), "" },
		{ BYTES("16\r\n19\n{\"type\":\"LAUNCHED\"}\r\n"), "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mesos_message m = parse(rows[i].bytes);

		if (strcmp(name_of(&m), rows[i].name) != 0)
			fail_msg("row %zu: '%s'", i, name_of(&m));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(task_states),
		cmocka_unit_test(shutdown_events),
		cmocka_unit_test(real_messages),
		cmocka_unit_test(all_real),
		cmocka_unit_test(real_v1),
		cmocka_unit_test(no_calls),
		cmocka_unit_test(real_responses),
		cmocka_unit_test(kinds),
		cmocka_unit_test(sender_of_old_versions),
		cmocka_unit_test(weird_ids),
		cmocka_unit_test(json_members),
		cmocka_unit_test(json_too_deep),
		cmocka_unit_test(shutdown_ids),
		cmocka_unit_test(unprintable_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
