/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one send() of libprocess or HTTP says, from its first bytes (256 are plenty; 80 name any
 * message between agent and executor). Wire format: libprocess src/encoder.hpp (MessageEncoder),
 * the same from Mesos 0.22 to 1.11; messages/messages.proto; v1: executor/executor.proto.
 */
#ifndef EW_MESOS_MESSAGE_H
#define EW_MESOS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/span.h"
#include "mesos/upid.h"

enum mesos_message_kind {
	MESOS_UNKNOWN = 0, /* middle of a body, cut start line, another protocol */
	MESOS_REGISTER,	   /* executor to agent */
	MESOS_REREGISTER,
	MESOS_STATUS_UPDATE,
	MESOS_EXECUTOR_TO_FRAMEWORK,
	MESOS_REGISTERED, /* agent to executor */
	MESOS_REREGISTERED,
	MESOS_RECONNECT,
	MESOS_RUN_TASK,
	MESOS_KILL_TASK,
	MESOS_STATUS_UPDATE_ACK,
	MESOS_FRAMEWORK_TO_EXECUTOR,
	MESOS_SHUTDOWN,
	MESOS_OTHER,	     /* another libprocess message; its name is in name */
	MESOS_V1_CALL,	     /* executor's HTTP API; which call: call */
	MESOS_V1_SHUTDOWN,   /* event SHUTDOWN of the agent, on its answer to SUBSCRIBE */
	MESOS_HTTP_REQUEST,  /* any other HTTP request */
	MESOS_HTTP_RESPONSE, /* status */
	MESOS_TLS,	     /* a TLS record: nothing more can be known */
};

enum mesos_call {
	MESOS_CALL_UNKNOWN = 0, /* the prefix ends before the type */
	MESOS_CALL_SUBSCRIBE = 1,
	MESOS_CALL_UPDATE = 2,
	MESOS_CALL_MESSAGE = 3,
	MESOS_CALL_HEARTBEAT = 4,
};

/* Ids are there only where the given bytes hold them whole. */
struct mesos_message {
	enum mesos_message_kind kind;
	enum mesos_call call;	/* MESOS_V1_CALL */
	uint16_t status;	/* MESOS_HTTP_RESPONSE */
	struct mesos_span name; /* "RunTaskMessage"; a response's reason; a request's method */
	struct mesos_span to;	/* "slave(1)", "executor(1)"; a request's path */
	bool has_from;
	struct mesos_span from_text;
	struct mesos_upid from; /* as the sender says: not proven */
	struct mesos_span slave_id;
	struct mesos_span framework_id;
	struct mesos_span executor_id;
	/* MESOS_STATUS_UPDATE and call UPDATE; MESOS_STATUS_UPDATE_ACK has the task's id alone */
	struct mesos_span task_id;
	const char *task_state; /* mesos_task_state(); NULL: not told */
};

/*
 * Always fills *message; what is no message gives MESOS_UNKNOWN.
 *
 * The v1 library sends the head and the body of a call apart (measured: 1.12): the head alone is a
 * call of unknown kind, and the body alone is taken for a call too, with its kind and without a
 * path, when it has the ids and the type that each call has.
 */
void mesos_message_parse(const void *bytes, size_t len, struct mesos_message *message);

#define MESOS_MESSAGE_NAME_MAX 64

/*
 * Into buf (MESOS_MESSAGE_NAME_MAX bytes): a libprocess message's name without "mesos.internal.",
 * "SUBSCRIBE", "UPDATE", "MESSAGE", "HEARTBEAT" or "CALL" for v1 calls, "SHUTDOWN" for that event,
 * "200 OK" for a response, the method of another request, "TLS", "" for MESOS_UNKNOWN. Other bytes
 * than printable ASCII become
 * '?'. Returns buf.
 */
const char *mesos_message_name(const struct mesos_message *message, char *buf);

#endif
