/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The state machine of src/exec/exec.cpp, and libprocess' sockets: C1 is `link`. */
#include "exec.h"
#include "glog.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct v0 {
	struct conn *link; /* NULL: none */
	int listen_fd;
	char *upid;	 /* "executor(1)@127.0.0.1:42593" */
	bool relinks;	 /* RemoteConnection::RECONNECT: 1.1.2, 1.2.0 and later */
	bool answers;	 /* 202 to messages of libprocess: 1.4.0 and later */
	bool peer_match; /* LIBPROCESS_REQUIRE_PEER_ADDRESS_IP_MATCH: 1.5.0 and later */
	bool names_host; /* Host: IP:PORT: 1.12 and later */
};

static void v0_exited(struct executor *ex);

/* What the agent answers on a connection of ours is thrown away (ignore_recv_data). */
static void link_data(struct conn *c)
{
	buf_drop(&c->in, c->in.len);
}

static void link_closed(struct conn *c, int err)
{
	struct executor *ex = c->arg;
	struct v0 *v = ex->p;

	(void)err;
	if (v->link == c)
		v->link = NULL;
	shutdown(c->fd, SHUT_RD);
	conn_close(c);
	v0_exited(ex);
}

static const struct conn_ops link_ops = { .data = link_data, .closed = link_closed };

static bool inode_has(int fd, const char *digits)
{
	char text[32];
	struct stat st;

	fstat(fd, &st);
	snprintf(text, sizeof(text), "%lu", (unsigned long)st.st_ino);
	return strstr(text, digits);
}

/* A socket whose inode number contains the digits: one in some thousands does. */
static int link_socket(const struct launch *l, const union addr *agent)
{
	union addr local = *agent;
	bool mptcp = launch_is(l->mptcp, "yes");
	int fd = conn_socket(agent, mptcp), on = 1;

	addr_set_any(&local);
	addr_set_port(&local, launch_number(l->link_port));

	for (int tries = 0; *l->inode_like && tries < 500000; tries++) {
		if (inode_has(fd, l->inode_like))
			break;
		close(fd);
		fd = conn_socket(agent, mptcp);
	}
	if (launch_is(l->leak, "yes"))
		fcntl(fd, F_SETFD, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (addr_port(&local) && bind(fd, &local.sa, addr_len(&local)) < 0)
		lab_die("bind the link to port %s: %s", l->link_port, strerror(errno));
	return fd;
}

static void v0_link(struct executor *ex, bool reconnect)
{
	struct v0 *v = ex->p;

	if (v->link && !reconnect)
		return; /* the stale link is reused: what MESOS-7057 is about */
	if (v->link) {
		shutdown(v->link->fd, SHUT_RD);
		conn_close(v->link);
	}
	v->link = conn_open(ex->loop, link_socket(ex->l, &ex->agent), &ex->agent, &link_ops, ex);
}

/* C4: a message while there is no link goes over a connection of its own. */
static void temp_sent(struct conn *c)
{
	shutdown(c->fd, SHUT_RD);
	conn_close(c);
}

static void temp_closed(struct conn *c, int err)
{
	struct executor *ex = c->arg;

	if (err == ECONNREFUSED)
		exec_log(ex, 'W', "process.cpp:1917",
			 "Failed to send a message to '%s:%s', connect: Connection refused",
			 ex->l->agent_ip, ex->l->agent_port);
	conn_close(c);
}

static const struct conn_ops temp_ops = { .data = link_data,
					  .closed = temp_closed,
					  .sent = temp_sent };

static void v0_send(struct executor *ex, const char *name, struct buf *body)
{
	struct v0 *v = ex->p;
	char *full = lab_fmt("mesos.internal.%s", name);
	char *host = v->names_host ? addr_format(&ex->agent) : lab_strdup("");
	struct wire_msg msg = { .to = "slave(1)", .name = full, .from = v->upid, .host = host };
	struct conn *c = v->link;
	struct buf out = { 0 };

	if (!c)
		c = conn_open(ex->loop, conn_socket(&ex->agent, false), &ex->agent, &temp_ops, ex);
	wire_encode(&out, &msg, body);
	conn_send_buf(c, &out);
	buf_free(body);
	free(full);
	free(host);
}

static void v0_exited(struct executor *ex)
{
	bool old = launch_is(ex->role, "slave");

	if (ex->aborted)
		return;
	if (ex->checkpoint && ex->connected) {
		ex->connected = false;
		exec_log(ex, 'I', "exec.cpp:551",
			 "%s exited, but framework has checkpointing enabled. Waiting %s to "
			 "reconnect with %s %s",
			 old ? "Slave" : "Agent", ex->l->recovery_timeout, ex->role,
			 ex->l->slave_id);
		exec_wait_for_agent(ex);
		exec_phase(ex, "disconnected");
		return;
	}
	exec_log(ex, 'I', "exec.cpp:566", "%s exited ... shutting down", old ? "Slave" : "Agent");
	ex->connected = false;
	exec_shutdown(ex);
}

static void v0_connected(struct executor *ex, const char *phase)
{
	ex->connected = true;
	ex->registered = true;
	exec_stop_waiting(ex);
	exec_phase(ex, phase);
	exec_log(ex, 'I', "executor.cpp:190", "Received SUBSCRIBED event");
	exec_log(ex, 'I', "executor.cpp:194", "Subscribed executor on %s", ex->l->agent_ip);
}

static void on_registered(struct executor *ex, const struct buf *body)
{
	(void)body;
	exec_log(ex, 'I', "exec.cpp:237", "Executor registered on %s %s", ex->role,
		 ex->l->slave_id);
	v0_connected(ex, "registered");
}

static void on_reregistered(struct executor *ex, const struct buf *body)
{
	const char *word =
		version_number(ex->l->version) >= 1005000 ? "reregistered" : "re-registered";

	(void)body;
	exec_log(ex, 'I', "exec.cpp:260", "Executor %s on %s %s", word, ex->role, ex->l->slave_id);
	v0_connected(ex, "reregistered");
}

static void on_reconnect(struct executor *ex, const struct buf *body)
{
	struct v0 *v = ex->p;
	struct buf *updates, out = { 0 };

	(void)body;
	exec_log(ex, 'I', "exec.cpp:283", "Received reconnect request from %s %s", ex->role,
		 ex->l->slave_id);
	v0_link(ex, v->relinks);
	updates = lab_calloc(ex->n_unacked + 1, sizeof(*updates));
	for (size_t i = 0; i < ex->n_unacked; i++)
		msg_status_update(&updates[i], &ex->ids, &ex->unacked[i], MSG_WIRE);
	msg_reregister(&out, &ex->ids, updates, ex->n_unacked);
	for (size_t i = 0; i < ex->n_unacked; i++)
		buf_free(&updates[i]);
	free(updates);
	v0_send(ex, "ReregisterExecutorMessage", &out);
	exec_phase(ex, "reconnecting");
}

static void on_run_task(struct executor *ex, const struct buf *body)
{
	(void)body;
	if (!ex->connected && version_number(ex->l->version) >= 1001003) {
		exec_log(ex, 'W', "exec.cpp:330",
			 "Ignoring run task message for task %s because "
			 "the driver is disconnected!",
			 ex->l->id);
		return;
	}
	exec_launch_task(ex);
	exec_phase(ex, ex->phase);
}

static void on_kill_task(struct executor *ex, const struct buf *body)
{
	(void)body;
	exec_kill(ex);
}

static void on_ack(struct executor *ex, const struct buf *body)
{
	struct pb_field uuid;

	if (pb_get(body->data, body->len, 4, &uuid) && uuid.len == 16)
		exec_acknowledged(ex, (const unsigned char *)uuid.data);
}

static void on_shutdown(struct executor *ex, const struct buf *body)
{
	(void)body;
	exec_log(ex, 'I', "exec.cpp:486", "Executor asked to shutdown");
	exec_shutdown(ex);
}

static const struct {
	const char *name;
	void (*handle)(struct executor *ex, const struct buf *body);
} handlers[] = {
	{ "mesos.internal.ExecutorRegisteredMessage", on_registered },
	{ "mesos.internal.ExecutorReregisteredMessage", on_reregistered },
	{ "mesos.internal.ReconnectExecutorMessage", on_reconnect },
	{ "mesos.internal.RunTaskMessage", on_run_task },
	{ "mesos.internal.KillTaskMessage", on_kill_task },
	{ "mesos.internal.StatusUpdateAcknowledgementMessage", on_ack },
	{ "mesos.internal.ShutdownExecutorMessage", on_shutdown },
};

static void v0_handle(struct executor *ex, const char *name, const struct buf *body)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (!strcmp(name, handlers[i].name) && !ex->aborted)
			handlers[i].handle(ex, body);
}

/*
 * Who calls itself libprocess in User-Agent gets no answer before 1.4.0 (3rdparty/libprocess
 * src/process.cpp, 0.28.3:2343).
 */
static bool wants_answer(const struct v0 *v, const struct http_msg *req)
{
	char *agent = http_header(req, "User-Agent");
	bool wants = v->answers || !agent || strncmp(agent, "libprocess/", 11) != 0;

	free(agent);
	return wants;
}

/* Does the message come from the address that it names? (process.cpp, 1.5.0) */
static bool is_from_peer(const struct conn *c, const struct http_msg *req)
{
	char *from = http_header(req, "Libprocess-From");
	union addr peer, named;
	socklen_t len = sizeof(peer);
	bool same = from && addr_parse_upid(from, &named) &&
		    getpeername(c->fd, &peer.sa, &len) == 0 && addr_ip_equal(&peer, &named);

	free(from);
	return same;
}

/* Connections to our port: C2 and C3, the agent's. Their end means nothing to us. */
static void peer_data(struct conn *c)
{
	struct executor *ex = c->arg;
	struct v0 *v = ex->p;
	struct http_msg req;
	int got;

	while (c->fd >= 0 && (got = http_take(&c->in, &req)) != 0) {
		const char *name = got > 0 ? wire_name(&req, "executor(1)") : NULL;

		if (got < 0) {
			conn_close(c);
			return;
		}
		bool refused = name && v->peer_match && !is_from_peer(c, &req);

		if (refused || wants_answer(v, &req)) {
			struct buf out = { 0 };

			http_response(&out,
				      refused ? "400 Bad Request"
				      : name  ? "202 Accepted"
					      : "404 Not Found",
				      NULL, NULL);
			conn_send_buf(c, &out);
		}
		if (name && !refused)
			v0_handle(ex, name, &req.body);
		http_msg_free(&req);
	}
}

static void peer_closed(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static const struct conn_ops peer_ops = { .data = peer_data, .closed = peer_closed };

static void v0_accept(void *arg, uint32_t events)
{
	struct executor *ex = arg;
	struct v0 *v = ex->p;
	int fd;

	(void)events;
	while ((fd = conn_accept(v->listen_fd)) >= 0)
		conn_new(ex->loop, fd, &peer_ops, ex);
}

/* In a network namespace of its own an executor listens everywhere and tells its own address. */
static void v0_listen(struct executor *ex)
{
	struct v0 *v = ex->p;
	bool own = launch_is(ex->l->ns, "net");
	union addr at = ex->agent;
	char *addr;

	if (own)
		addr_set_any(&at);
	addr_set_port(&at, launch_number(ex->l->listen_port));
	v->listen_fd = conn_listen(&at, &at, false);
	if (v->listen_fd < 0)
		lab_die("listen: %s", strerror(-v->listen_fd));
	if (own) {
		addr = lab_fmt(addr_is_v4(&ex->agent) ? "172.30.%s.2" : "fd00:30:%s::2",
			       ex->l->net_index);
		addr_parse(addr, addr_port(&at), &at);
		free(addr);
	}
	addr = addr_format(&at);
	v->upid = lab_fmt("executor(1)@%s", addr);
	ex->upid = v->upid;
	free(addr);
	loop_watch(ex->loop, v->listen_fd, EPOLLIN, v0_accept, ex);
}

static void v0_start(struct executor *ex)
{
	unsigned int version = version_number(ex->l->version);
	struct v0 *v = lab_calloc(1, sizeof(*v));
	struct buf body = { 0 };

	ex->p = v;
	v->relinks = launch_is(ex->l->kind, "v0-relink");
	v->answers = version >= 1004000;
	v->peer_match = launch_is(ex->l->peer_match, "yes");
	v->names_host = version >= 1012000;
	exec_log(ex, 'I', "exec.cpp:164", "Version: %s", ex->l->version);
	v0_listen(ex);
	v0_link(ex, false);
	exec_phase(ex, "starting");
	msg_register(&body, &ex->ids);
	v0_send(ex, "RegisterExecutorMessage", &body);
}

static void v0_update(struct executor *ex, const struct msg_status *status)
{
	struct v0 *v = ex->p;
	struct buf body = { 0 };

	msg_update(&body, &ex->ids, status, v->upid);
	v0_send(ex, "StatusUpdateMessage", &body);
}

static void v0_links(struct executor *ex, struct buf *json)
{
	struct v0 *v = ex->p;

	exec_link_json(json, v->link);
}

const struct exec_protocol exec_v0 = {
	.name = "v0", .start = v0_start, .update = v0_update, .links = v0_links
};
