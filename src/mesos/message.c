/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/message.h"

#include <stdio.h>
#include <string.h>

#include "mesos/http_head.h"
#include "mesos/json.h"
#include "mesos/protobuf.h"
#include "mesos/task_state.h"

#define INTERNAL "mesos.internal."

/* Where an id is in a body: field number, or the number of the message that holds it before it. */
struct place {
	uint8_t outer; /* 0: in the body itself */
	uint8_t number;
};

/* messages/messages.proto, 0.28.3 and 1.11.0: the same numbers. */
static const struct type {
	enum mesos_message_kind kind;
	const char *name;
	struct place slave, framework, executor;
} types[] = {
	{ MESOS_REGISTER, "RegisterExecutorMessage", { 0, 0 }, { 0, 1 }, { 0, 2 } },
	{ MESOS_REREGISTER, "ReregisterExecutorMessage", { 0, 0 }, { 0, 2 }, { 0, 1 } },
	{ MESOS_STATUS_UPDATE, "StatusUpdateMessage", { 1, 3 }, { 1, 1 }, { 1, 2 } },
	{ MESOS_EXECUTOR_TO_FRAMEWORK, "ExecutorToFrameworkMessage", { 0, 1 }, { 0, 2 }, { 0, 3 } },
	{ MESOS_REGISTERED, "ExecutorRegisteredMessage", { 0, 5 }, { 0, 3 }, { 2, 1 } },
	{ MESOS_REREGISTERED, "ExecutorReregisteredMessage", { 0, 1 }, { 0, 0 }, { 0, 0 } },
	{ MESOS_RECONNECT, "ReconnectExecutorMessage", { 0, 1 }, { 0, 0 }, { 0, 0 } },
	{ MESOS_RUN_TASK, "RunTaskMessage", { 0, 0 }, { 0, 1 }, { 0, 0 } },
	{ MESOS_KILL_TASK, "KillTaskMessage", { 0, 0 }, { 0, 1 }, { 0, 0 } },
	{ MESOS_STATUS_UPDATE_ACK,
	  "StatusUpdateAcknowledgementMessage",
	  { 0, 1 },
	  { 0, 2 },
	  { 0, 0 } },
	{ MESOS_FRAMEWORK_TO_EXECUTOR, "FrameworkToExecutorMessage", { 0, 1 }, { 0, 2 }, { 0, 3 } },
	{ MESOS_SHUTDOWN, "ShutdownExecutorMessage", { 0, 0 }, { 0, 2 }, { 0, 1 } },
};

/* RunTaskMessage has its framework's id twice; 1.x sends it in FrameworkInfo (2), id (3), alone. */
static const struct place run_task_framework = { 2, 3 };

static const struct type *type_find(struct mesos_span name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (mesos_span_is(name, types[i].name))
			return &types[i];
	return NULL;
}

/* The first field with that number, also where the input ends inside it. */
static struct mesos_span bytes_begun(struct mesos_span message, uint8_t number)
{
	struct protobuf_field field;

	while (protobuf_next(&message, &field) > 0)
		if (field.number == number && field.type == PROTOBUF_BYTES)
			return field.bytes;
	return mesos_span_of(NULL);
}

static struct mesos_span id_at(struct mesos_span body, struct place place)
{
	if (place.outer)
		body = bytes_begun(body, place.outer);
	return place.number ? protobuf_id(body, place.number) : mesos_span_of(NULL);
}

/* Of a TaskStatus (mesos.proto): task_id 1, state 2, in every version. */
static void status_read(struct mesos_message *message, struct mesos_span status)
{
	uint64_t state = protobuf_varint(status, 2, UINT64_MAX);

	message->task_id = protobuf_id(status, 1);
	message->task_state = mesos_task_state(state);
}

static void ids_read(struct mesos_message *message, const struct type *type, struct mesos_span body)
{
	message->slave_id = id_at(body, type->slave);
	message->framework_id = id_at(body, type->framework);
	message->executor_id = id_at(body, type->executor);
	if (type->kind == MESOS_RUN_TASK && !message->framework_id.p)
		message->framework_id = id_at(body, run_task_framework);
	if (type->kind == MESOS_STATUS_UPDATE) /* StatusUpdate.status is 4 */
		status_read(message, bytes_begun(bytes_begun(body, 1), 4));
	if (type->kind == MESOS_STATUS_UPDATE_ACK)
		message->task_id = protobuf_id(body, 3);
}

/* libprocess sends a body as one chunk: its first is all of it. */
static struct mesos_span first_chunk(struct mesos_span body)
{
	struct mesos_span line;
	uint64_t size;

	if (!mesos_span_cut(&body, '\n', &line) || !http_chunk_size(line, &size))
		return mesos_span_of(NULL);
	if (size < body.len)
		body.len = (size_t)size;
	return body;
}

/* Parts bytes into head (begun, if it does not end in there) and what follows the empty line. */
static struct mesos_span head_part(struct mesos_span bytes, struct mesos_span *rest)
{
	const char *end = mesos_span_find(bytes, "\r\n\r\n");
	size_t len = end ? (size_t)(end + 4 - bytes.p) : bytes.len;

	*rest = end ? mesos_span_at(bytes.p + len, bytes.len - len) : mesos_span_of(NULL);
	return mesos_span_at(bytes.p, len);
}

static void from_read(struct mesos_message *message, struct mesos_span head)
{
	struct mesos_span from = http_head_value(head, "Libprocess-From");

	if (!from.p) {
		from = http_head_value(head, "User-Agent");
		if (!mesos_span_take(&from, "libprocess/"))
			return;
	}
	message->has_from = mesos_upid_parse(from, &message->from) == 0;
	if (message->has_from)
		message->from_text = from;
}

/* executor.proto Call.Type; also what mesos_message_name() says. */
static const char *const call_names[] = {
	[MESOS_CALL_UNKNOWN] = "CALL",	      [MESOS_CALL_SUBSCRIBE] = "SUBSCRIBE",
	[MESOS_CALL_UPDATE] = "UPDATE",	      [MESOS_CALL_MESSAGE] = "MESSAGE",
	[MESOS_CALL_HEARTBEAT] = "HEARTBEAT",
};

static void json_status_read(struct mesos_message *message, struct mesos_span status)
{
	message->task_id = mesos_json_member(mesos_json_member(status, "task_id"), "value");
	message->task_state = mesos_task_state_of(mesos_json_member(status, "state"));
}

static void json_call_read(struct mesos_message *message, struct mesos_span body)
{
	struct mesos_span type = mesos_json_member(body, "type");

	for (int i = MESOS_CALL_SUBSCRIBE; i <= MESOS_CALL_HEARTBEAT; i++)
		if (mesos_span_is(type, call_names[i]))
			message->call = (enum mesos_call)i;
	message->executor_id = mesos_json_member(mesos_json_member(body, "executor_id"), "value");
	message->framework_id = mesos_json_member(mesos_json_member(body, "framework_id"), "value");
	if (message->call == MESOS_CALL_UPDATE)
		json_status_read(message,
				 mesos_json_member(mesos_json_member(body, "update"), "status"));
}

static void pb_call_read(struct mesos_message *message, struct mesos_span body)
{
	uint64_t type = protobuf_varint(body, 3, 0);

	if (type <= MESOS_CALL_HEARTBEAT)
		message->call = (enum mesos_call)type;
	message->executor_id = protobuf_id(body, 1);
	message->framework_id = protobuf_id(body, 2);
	if (message->call == MESOS_CALL_UPDATE) /* Call.update is 5, Update.status 1 */
		status_read(message, bytes_begun(bytes_begun(body, 5), 1));
}

/* Which message a request is, by its path alone. */
static void request_read(struct mesos_message *message, struct mesos_span head)
{
	struct mesos_span rest = message->to;
	struct mesos_span to;
	const struct type *type;

	from_read(message, head);
	message->kind = MESOS_HTTP_REQUEST;
	if (mesos_span_is(mesos_span_last(rest, '/'), "executor") &&
	    mesos_span_find(rest, "/api/v1/executor"))
		message->kind = MESOS_V1_CALL;
	if (message->kind == MESOS_V1_CALL || !mesos_span_take(&rest, "/") ||
	    !mesos_span_cut(&rest, '/', &to))
		return;
	if ((!mesos_span_take(&rest, INTERNAL) && !message->has_from) || rest.len == 0)
		return;
	type = type_find(rest);
	message->kind = type ? type->kind : MESOS_OTHER;
	message->to = to;
	message->name = rest;
}

static void call_read(struct mesos_message *message, struct mesos_span body)
{
	if (body.len && *body.p == '{') /* as a protobuf: the start of a group 15 */
		json_call_read(message, body);
	else
		pb_call_read(message, body);
}

static void body_read(struct mesos_message *message, struct mesos_span body)
{
	if (message->kind == MESOS_V1_CALL)
		call_read(message, body);
	else if (message->kind >= MESOS_REGISTER && message->kind < MESOS_OTHER)
		ids_read(message, type_find(message->name), body);
}

/* The body of a call, sent by itself. */
static void bare_call_read(struct mesos_message *message, struct mesos_span body)
{
	struct mesos_message call = { .kind = MESOS_V1_CALL };

	call_read(&call, body);
	if (call.call != MESOS_CALL_UNKNOWN && call.executor_id.p && call.framework_id.p)
		*message = call;
}

/*
 * Event SHUTDOWN has no content: as a protobuf it is {1: 7}. One chunk, one record: its size in
 * decimal and a line end before it (stout recordio.hpp; libprocess http_proxy.cpp).
 */
static bool is_shutdown_event(struct mesos_span bytes)
{
	struct mesos_span line, event = bytes;
	uint64_t size;

	if (!mesos_span_cut(&event, '\n', &line) || !http_chunk_size(line, &size))
		return false;
	if (!mesos_span_cut(&event, '\n', &line) || !mesos_span_number(&line, UINT32_MAX, &size) ||
	    line.len || size > event.len)
		return false;
	event.len = (size_t)size;
	return (event.len == 2 && memcmp(event.p, "\x08\x07", 2) == 0) ||
	       mesos_span_is(mesos_json_member(event, "type"), "SHUTDOWN");
}

static bool is_tls(struct mesos_span bytes)
{
	const uint8_t *b = (const uint8_t *)bytes.p;

	/* Record type, version 3.0 to 3.4, at most 2^14 + 2048 bytes (RFC 5246, 6.2.3). */
	return bytes.len >= 5 && b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4 &&
	       (b[3] << 8 | b[4]) <= 16384 + 2048;
}

void mesos_message_parse(const void *bytes, size_t len, struct mesos_message *message)
{
	struct mesos_span all = mesos_span_at(bytes, len);
	struct mesos_span head, rest;
	struct http_start start;

	memset(message, 0, sizeof(*message));
	if (is_tls(all)) {
		message->kind = MESOS_TLS;
		return;
	}
	if (is_shutdown_event(all)) {
		message->kind = MESOS_V1_SHUTDOWN;
		message->name = mesos_span_of("SHUTDOWN");
		return;
	}
	head = head_part(all, &rest);
	if (!head.p || http_start_parse(head, &start) < 0) {
		bare_call_read(message, all);
		return;
	}
	if (start.response) {
		message->kind = MESOS_HTTP_RESPONSE;
		message->status = start.status;
		message->name = start.reason;
		return;
	}
	message->name = start.method;
	message->to = start.path;
	request_read(message, head);
	if (http_head_is(head, "Transfer-Encoding", "chunked"))
		rest = first_chunk(rest);
	body_read(message, rest);
}

static struct mesos_span name_of(const struct mesos_message *message)
{
	switch (message->kind) {
	case MESOS_UNKNOWN:
		return mesos_span_of("");
	case MESOS_TLS:
		return mesos_span_of("TLS");
	case MESOS_V1_CALL:
		return mesos_span_of(call_names[message->call]);
	default:
		return message->name;
	}
}

const char *mesos_message_name(const struct mesos_message *message, char *buf)
{
	struct mesos_span name = name_of(message);

	if (message->kind == MESOS_HTTP_RESPONSE)
		snprintf(buf, MESOS_MESSAGE_NAME_MAX, "%u%s%.*s", message->status,
			 name.len ? " " : "", (int)(name.len < 50 ? name.len : 50), name.p);
	else
		mesos_span_copy(name, buf, MESOS_MESSAGE_NAME_MAX);
	for (char *c = buf; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	return buf;
}
