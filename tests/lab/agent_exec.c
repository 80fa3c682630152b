/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Answers to our messages are thrown away. */
static void answer_data(struct conn *conn)
{
	buf_drop(&conn->in, conn->in.len);
}

static void link_closed(struct conn *conn, int err)
{
	struct container *c = conn->arg;
	struct agent *a = c->agent;

	(void)err;
	if (c->state != C_TERMINATED)
		agent_log(a, 'I', "slave.cpp:6953", "Got exited event for %s", c->upid);
	c->link = NULL;
	conn_close(conn);
}

static const struct conn_ops link_ops = { .data = answer_data, .closed = link_closed };

/* C3: what goes to an executor that we have no link to. */
static void temp_sent(struct conn *conn)
{
	shutdown(conn->fd, SHUT_RD);
	conn_close(conn);
}

static void temp_closed(struct conn *conn, int err)
{
	struct container *c = conn->arg;

	if (err)
		agent_log(c->agent, 'W', "process.cpp:1917", "Failed to send a message to '%s': %s",
			  c->upid, strerror(err));
	conn_close(conn);
}

static const struct conn_ops temp_ops = { .data = answer_data,
					  .closed = temp_closed,
					  .sent = temp_sent };

void agent_send(struct container *c, const char *name, struct buf *body)
{
	struct agent *a = c->agent;
	bool names_host = version_number(a->flags.version) >= 1012000;
	char *full = lab_fmt("mesos.internal.%s", name);
	char *host = names_host ? addr_format(&c->address) : lab_strdup("");
	struct wire_msg msg = { .to = "executor(1)", .name = full, .from = a->upid, .host = host };
	struct conn *conn = c->link;
	struct buf out = { 0 };

	if (!conn)
		conn = conn_open(a->loop, conn_socket(&c->address, false), &c->address, &temp_ops,
				 c);
	wire_encode(&out, &msg, body);
	conn_send_buf(conn, &out);
	buf_free(body);
	free(full);
	free(host);
}

/* C2 */
static void container_link(struct container *c)
{
	if (!c->link)
		c->link = conn_open(c->agent->loop, conn_socket(&c->address, false), &c->address,
				    &link_ops, c);
}

/* "executor(1)@ip:port" of the sender. */
static bool take_sender(struct container *c, const struct http_msg *req)
{
	char *from = http_header(req, "Libprocess-From");
	bool ok = from && addr_parse_upid(from, &c->address);

	if (ok) {
		free(c->upid);
		c->upid = lab_strdup(from);
	}
	free(from);
	return ok;
}

static void run_task(struct container *c)
{
	struct msg_ids ids = agent_ids(c);
	struct checkpoint_ids at = agent_paths(c);
	struct buf body = { 0 };

	if (c->launched_task || (c->l && launch_is(c->l->task, "none")))
		return;
	c->launched_task = true;
	if (c->checkpoint)
		checkpoint_task(&at, &ids);
	if (!c->http) {
		msg_run_task(&body, &ids);
		agent_send(c, "RunTaskMessage", &body);
	}
}

/* Mesos slave.cpp, reregisterExecutor() and subscribe(), since 1.5.0. */
static void shut_taskless(struct container *c)
{
	if (!c->taskless)
		return;
	agent_log(c->agent, 'W', "slave.cpp:5310",
		  "Shutting down executor '%s' of framework %s because it has never been sent a "
		  "task",
		  c->executor_id, c->framework_id);
	agent_shutdown_executor(c);
}

static void on_register(struct container *c, const struct http_msg *req)
{
	struct agent *a = c->agent;
	struct msg_ids ids = agent_ids(c);
	struct checkpoint_ids at = agent_paths(c);
	struct buf body = { 0 };

	if (c->l && launch_is(c->l->mode, "unregistered"))
		return;
	agent_log(a, 'I', "slave.cpp:5106", "Got registration for executor '%s' of framework %s",
		  c->executor_id, c->framework_id);
	if (c->state != C_REGISTERING || !take_sender(c, req))
		return;
	if (c->checkpoint)
		checkpoint_run_file(&at, "pids/libprocess.pid", c->upid);
	container_link(c);
	msg_registered(&body, &ids);
	agent_send(c, "ExecutorRegisteredMessage", &body);
	run_task(c);
	agent_set_state(c, C_RUNNING);
	agent_launch_more(a);
}

static void refuse(struct container *c, const char *why)
{
	struct buf empty = { 0 };

	agent_log(c->agent, 'W', "slave.cpp:5700",
		  "Shutting down executor '%s' of framework %s because %s", c->executor_id,
		  c->framework_id, why);
	agent_send(c, "ShutdownExecutorMessage", &empty);
}

static void reregister(struct container *c)
{
	struct agent *a = c->agent;
	struct msg_ids ids = agent_ids(c);
	struct buf body = { 0 };

	agent_log(a, 'I', "slave.cpp:5675",
		  "Received re-registration message from executor '%s' of framework %s",
		  c->executor_id, c->framework_id);
	if (c->state == C_RUNNING && *a->flags.retry_interval)
		return;
	if (a->state != AGENT_ASKING) {
		refuse(c, "the agent is not in recovery mode");
		return;
	}
	if (c->state != C_REGISTERING)
		return;
	container_link(c);
	msg_reregistered(&body, &ids);
	agent_send(c, "ExecutorReregisteredMessage", &body);
	agent_set_state(c, C_RUNNING);
	shut_taskless(c);
}

/* Held: as if the message were still in the agent's queue. */
static void on_reregister(struct container *c, const struct http_msg *req)
{
	if (!take_sender(c, req))
		return;
	c->held = c->agent->holding;
	if (!c->held)
		reregister(c);
}

void agent_answer_held(struct agent *a)
{
	for (struct container *c = a->containers; c; c = c->next) {
		if (!c->held)
			continue;
		c->held = false;
		reregister(c);
	}
}

static void on_status(struct container *c, const struct pb_field *task_status)
{
	struct msg_status status = { 0 };

	if (msg_get_status(task_status, &status))
		agent_take_status(c, &status);
}

static void on_update(struct container *c, const struct http_msg *req)
{
	struct pb_field update, status;

	if (pb_get(req->body.data, req->body.len, 1, &update) &&
	    pb_get(update.data, update.len, 4, &status))
		on_status(c, &status);
}

static const struct {
	const char *name;
	unsigned int framework_field, executor_field;
	void (*handle)(struct container *c, const struct http_msg *req);
} messages[] = {
	{ "mesos.internal.RegisterExecutorMessage", 1, 2, on_register },
	{ "mesos.internal.ReregisterExecutorMessage", 2, 1, on_reregister },
	{ "mesos.internal.StatusUpdateMessage", 1, 2, on_update },
};

/* Whose message it is: the ids, which a StatusUpdateMessage has one level down. */
static struct container *sender(struct agent *a, const struct buf *body, bool nested,
				unsigned int framework_field, unsigned int executor_field)
{
	const char *data = body->data;
	size_t len = body->len;
	struct container *c = NULL;
	struct pb_field update;
	char *fid, *eid;

	if (nested) {
		if (!pb_get(data, len, 1, &update))
			return NULL;
		data = update.data;
		len = update.len;
	}
	fid = pb_get_id(data, len, framework_field);
	eid = pb_get_id(data, len, executor_field);
	if (fid && eid)
		c = agent_find(a, fid, eid);
	free(fid);
	free(eid);
	return c;
}

void agent_message(struct agent *a, struct conn *from, const char *name, const struct http_msg *req)
{
	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct container *c;

		if (strcmp(name, messages[i].name))
			continue;
		c = sender(a, &req->body, messages[i].handle == on_update,
			   messages[i].framework_field, messages[i].executor_field);
		if (!c && messages[i].handle != on_update) {
			agent_reply_shutdown(a, req);
			return;
		}
		if (!c) {
			agent_log(a, 'W', "slave.cpp:5080", "Ignoring %s of an unknown executor",
				  name);
			return;
		}
		c->from = from;
		messages[i].handle(c, req);
		return;
	}
}

static void send_event(struct container *c, struct buf *event)
{
	struct buf out = { 0 };

	wire_record_chunk(&out, event);
	conn_send_buf(c->stream, &out);
	buf_free(event);
}

/* The updates that a SUBSCRIBE brings along: Subscribe { 2: Update { 1: TaskStatus } }. */
static void take_unacked(struct container *c, const struct buf *call)
{
	struct pb_field subscribe, update, status;
	const char *data;
	size_t len;

	if (!pb_get(call->data, call->len, 4, &subscribe))
		return;
	data = subscribe.data;
	len = subscribe.len;
	while (pb_next(&data, &len, &update))
		if (update.number == 2 && pb_get(update.data, update.len, 1, &status))
			on_status(c, &status);
}

static void on_subscribe(struct container *c, struct conn *from, const struct buf *call)
{
	struct agent *a = c->agent;
	struct msg_ids ids = agent_ids(c);
	struct checkpoint_ids at = agent_paths(c);
	struct buf b = { 0 };

	agent_log(a, 'I', "slave.cpp:5263",
		  "Received Subscribe request for HTTP executor '%s' of framework %s (via HTTP)",
		  c->executor_id, c->framework_id);
	if (c->l && launch_is(c->l->mode, "unregistered"))
		return;
	if (c->stream && c->stream != from) {
		agent_log(a, 'W', "slave.cpp:5290",
			  "Closing already existing HTTP connection from "
			  "executor '%s'",
			  c->executor_id);
		agent_forget_conn(a, c->stream);
		conn_close(c->stream);
	}
	c->http = true;
	c->stream = from;
	if (c->checkpoint)
		checkpoint_run_file(&at, "http.marker", "");
	buf_str(&b, "HTTP/1.1 200 OK\r\nDate: ");
	http_date(&b);
	buf_str(&b, "\r\nTransfer-Encoding: chunked\r\n"
		    "Content-Type: application/x-protobuf\r\n\r\n");
	conn_send_buf(from, &b);
	if (c->state == C_TERMINATING) { /* recover=cleanup, and it has only now come */
		msg_event_shutdown(&b);
		send_event(c, &b);
		return;
	}
	msg_event_subscribed(&b, &ids);
	send_event(c, &b);
	if (!c->launched_task) {
		run_task(c);
		msg_event_launch(&b, &ids);
		send_event(c, &b);
	}
	agent_set_state(c, C_RUNNING);
	shut_taskless(c);
	take_unacked(c, call);
	agent_launch_more(a);
}

static void answer(struct conn *to, const char *status, const char *text)
{
	struct buf out = { 0 }, body = { 0 };

	buf_str(&body, text);
	http_response(&out, status, *text ? "text/plain; charset=utf-8" : NULL, &body);
	buf_free(&body);
	conn_send_buf(to, &out);
}

static void log_refusal(struct agent *a, const struct http_msg *req)
{
	char *eid = pb_get_id(req->body.data, req->body.len, 1);

	agent_log(a, 'W', "http.cpp:800", "400 Bad Request to executor '%s': it is unknown",
		  eid ? eid : "");
	free(eid);
}

void agent_executor_call(struct agent *a, struct conn *from, const struct http_msg *req)
{
	const char *data = req->body.data;
	size_t len = req->body.len;
	struct container *c = sender(a, &req->body, false, 2, 1);
	struct pb_field f, update, status;
	unsigned int type = 0;

	while (pb_next(&data, &len, &f))
		if (f.number == 3)
			type = f.value;
	if (a->state == AGENT_STARTING) {
		answer(from, "404 Not Found", "404 Not Found.");
		return;
	}
	if (a->state == AGENT_RECOVERING || (a->state == AGENT_ASKING && type != CALL_SUBSCRIBE)) {
		answer(from, "503 Service Unavailable", "Agent has not finished recovery");
		return;
	}
	if (!c || c->destroyed) {
		log_refusal(a, req);
		answer(from, "400 Bad Request", "Executor cannot be found");
		return;
	}
	if (type == CALL_SUBSCRIBE) {
		on_subscribe(c, from, &req->body);
		return;
	}
	answer(from, "202 Accepted", "");
	if (type == CALL_UPDATE && pb_get(req->body.data, req->body.len, 5, &update) &&
	    pb_get(update.data, update.len, 1, &status)) {
		c->from = from;
		on_status(c, &status);
	}
}
