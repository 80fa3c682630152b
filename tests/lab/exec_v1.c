/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state machine of src/executor/executor.cpp: two HTTP connections, one of them a stream. */
#include "exec.h"
#include "glog.h"
#include "http.h"
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct v1 {
	struct conn *subscribe; /* carries SUBSCRIBE and its endless answer */
	struct conn *other;	/* all other calls */
	struct buf records;	/* the stream, chunks undone */
	struct timer *retry;
	char *host;
	bool streaming;
	bool subscribed; /* ever */
};

static void v1_connect(struct executor *ex);
static void v1_subscribe(void *arg);

static void v1_drop(struct executor *ex)
{
	struct v1 *v = ex->p;

	conn_close(v->subscribe);
	conn_close(v->other);
	v->subscribe = v->other = NULL;
	v->streaming = false;
	buf_drop(&v->records, v->records.len);
	loop_cancel(ex->loop, v->retry);
	v->retry = NULL;
}

/* Until both connections are there: try, wait a random part of the backoff, try again. */
static void v1_backoff(void *arg)
{
	struct executor *ex = arg;
	struct v1 *v = ex->p;
	long long max = duration_ms(ex->l->backoff_max);

	v->retry = NULL;
	if (ex->aborted || ex->connected)
		return;
	v1_drop(ex);
	v1_connect(ex);
	v->retry = loop_after(ex->loop, max > 0 ? random() % max : 0, v1_backoff, ex);
}

static void v1_disconnected(struct executor *ex)
{
	struct v1 *v = ex->p;
	bool was = ex->connected;

	v1_drop(ex);
	ex->connected = false;
	if (ex->aborted)
		return;
	if (!ex->checkpoint) {
		exec_log(ex, 'I', "executor.cpp:548",
			 "Disconnected from agent: connection closed; Shutting down");
		exec_shutdown(ex);
		return;
	}
	exec_wait_for_agent(ex);
	exec_phase(ex, v->subscribed ? "disconnected" : "starting");
	if (was)
		v1_backoff(ex);
}

static void v1_closed(struct conn *c, int err)
{
	struct executor *ex = c->arg;
	struct v1 *v = ex->p;

	(void)err;
	if (ex->connected) {
		v1_disconnected(ex);
		return;
	}
	/* Refused: the next try is under way. */
	if (v->subscribe == c)
		v->subscribe = NULL;
	if (v->other == c)
		v->other = NULL;
	conn_close(c);
}

static void on_subscribed(struct executor *ex)
{
	struct v1 *v = ex->p;

	exec_log(ex, 'I', "executor.cpp:190", "Received SUBSCRIBED event");
	exec_log(ex, 'I', "executor.cpp:194", "Subscribed executor on %s", ex->l->agent_ip);
	exec_phase(ex, v->subscribed ? "reregistered" : "registered");
	v->subscribed = true;
	ex->registered = true;
	if (launch_is(ex->l->other, "closed")) {
		conn_close(v->other);
		v->other = NULL;
	}
	exec_phase(ex, ex->phase);
}

static void on_acknowledged(struct executor *ex, const struct buf *event)
{
	struct pb_field ack, uuid;

	exec_log(ex, 'I', "executor.cpp:190", "Received ACKNOWLEDGED event");
	if (pb_get(event->data, event->len, 3, &ack) && pb_get(ack.data, ack.len, 2, &uuid) &&
	    uuid.len == 16)
		exec_acknowledged(ex, (const unsigned char *)uuid.data);
}

static void v1_event(struct executor *ex, const struct buf *event)
{
	const char *data = event->data;
	size_t len = event->len;
	struct pb_field type;

	if (!pb_next(&data, &len, &type) || type.number != 1)
		return;
	switch (type.value) {
	case EVENT_SUBSCRIBED:
		on_subscribed(ex);
		break;
	case EVENT_LAUNCH:
		exec_launch_task(ex);
		exec_phase(ex, ex->phase);
		break;
	case EVENT_ACKNOWLEDGED:
		on_acknowledged(ex, event);
		break;
	case EVENT_KILL:
		exec_kill(ex);
		break;
	case EVENT_SHUTDOWN:
		/* This agent acknowledges no further update: killpg() ends the process. */
		ex->wait_ack = true;
		exec_shutdown(ex);
		break;
	}
}

static void v1_stream(struct executor *ex, struct conn *c)
{
	struct v1 *v = ex->p;
	struct buf record = { 0 };

	while (http_take_chunk(&c->in, &v->records) == 1)
		;
	while (wire_take_record(&v->records, &record) == 1) {
		v1_event(ex, &record);
		buf_free(&record);
	}
}

static void subscribe_data(struct conn *c)
{
	struct executor *ex = c->arg;
	struct v1 *v = ex->p;
	struct http_msg head;

	while (!v->streaming && http_take_head(&c->in, &head) == 1) {
		v->streaming = launch_is(head.target, "200");
		if (!v->streaming) {
			/* 503 or 404 while the agent starts: ask again, as the built-in ones do. */
			buf_drop(&c->in, c->in.len);
			loop_cancel(ex->loop, v->retry);
			v->retry = loop_after(ex->loop, 1000, v1_subscribe, ex);
		}
		http_msg_free(&head);
	}
	if (v->streaming)
		v1_stream(ex, c);
}

static void other_data(struct conn *c)
{
	buf_drop(&c->in, c->in.len);
}

/* Head and body are sent one after the other: seen of Mesos 1.12. Frees call. */
static void v1_call(struct executor *ex, struct conn *c, struct buf *call)
{
	struct v1 *v = ex->p;
	struct buf out = { 0 };

	wire_executor_call(&out, v->host, call);
	conn_send(c, out.data, out.len - call->len);
	conn_send(c, call->data, call->len);
	buf_free(&out);
	buf_free(call);
}

static void v1_subscribe(void *arg)
{
	struct executor *ex = arg;
	struct v1 *v = ex->p;
	struct buf call = { 0 };

	v->retry = NULL;
	if (!ex->connected || !v->subscribe)
		return;
	msg_call_subscribe(&call, &ex->ids, ex->unacked, ex->n_unacked);
	v1_call(ex, v->subscribe, &call);
}

static void v1_connected(struct conn *c)
{
	struct executor *ex = c->arg;
	struct v1 *v = ex->p;

	if (!v->subscribe || v->subscribe->connecting || !v->other || v->other->connecting)
		return;
	ex->connected = true;
	exec_stop_waiting(ex);
	loop_cancel(ex->loop, v->retry);
	v->retry = NULL;
	exec_phase(ex, ex->phase);
	v1_subscribe(ex);
}

static const struct conn_ops subscribe_ops = { .connected = v1_connected,
					       .data = subscribe_data,
					       .closed = v1_closed };
static const struct conn_ops other_ops = { .connected = v1_connected,
					   .data = other_data,
					   .closed = v1_closed };

static struct conn *v1_open(struct executor *ex, const struct conn_ops *ops)
{
	if (*ex->l->domain_socket)
		return conn_open_unix(ex->loop, ex->l->domain_socket, ops, ex);
	return conn_open(ex->loop, conn_socket(&ex->agent, launch_is(ex->l->mptcp, "yes")),
			 &ex->agent, ops, ex);
}

static void v1_connect(struct executor *ex)
{
	struct v1 *v = ex->p;

	v->subscribe = v1_open(ex, &subscribe_ops);
	v->other = v1_open(ex, &other_ops);
}

static void v1_start(struct executor *ex)
{
	struct v1 *v = lab_calloc(1, sizeof(*v));

	ex->p = v;
	v->host = *ex->l->domain_socket ? lab_strdup("localhost") : addr_format(&ex->agent);
	srandom(getpid() ^ (unsigned int)wall_time());
	exec_log(ex, 'I', "executor.cpp:210", "Version: %s", ex->l->version);
	exec_log(ex, 'I', "executor.cpp:286",
		 "Using URL http%s://%s/slave(1)/api/v1/executor for the executor API endpoint",
		 *ex->l->domain_socket ? "+unix" : "",
		 *ex->l->domain_socket ? ex->l->domain_socket : v->host);
	exec_phase(ex, "starting");
	v1_backoff(ex);
}

/* A call for which there is no connection any more gets one of its own. */
static void once_closed(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static void once_data(struct conn *c)
{
	conn_close(c); /* the answer: 202 */
}

static const struct conn_ops once_ops = { .data = once_data, .closed = once_closed };

static void v1_update(struct executor *ex, const struct msg_status *status)
{
	struct v1 *v = ex->p;
	struct buf call = { 0 };

	if (!ex->connected)
		return; /* the next SUBSCRIBE carries it */
	msg_call_update(&call, &ex->ids, status);
	v1_call(ex, v->other ? v->other : v1_open(ex, &once_ops), &call);
}

static void v1_links(struct executor *ex, struct buf *json)
{
	struct v1 *v = ex->p;

	exec_link_json(json, v->subscribe);
	exec_link_json(json, v->other);
}

const struct exec_protocol exec_v1 = {
	.name = "v1", .start = v1_start, .update = v1_update, .links = v1_links
};
