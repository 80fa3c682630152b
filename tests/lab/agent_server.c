/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's port, and the lab's own socket to it. */
#include "agent.h"
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* One connection to the port. */
struct peer {
	struct peer *next;
	unsigned long serial;
	struct agent *agent;
	struct conn *conn;
};

void agent_forget_conn(struct agent *a, const struct conn *conn)
{
	for (struct container *c = a->containers; conn && c; c = c->next) {
		if (c->from == conn)
			c->from = NULL;
		if (c->stream == conn)
			c->stream = NULL;
	}
	for (struct peer **at = &a->peers; conn && *at; at = &(*at)->next) {
		struct peer *p = *at;

		if (p->conn != conn)
			continue;
		*at = p->next;
		loop_free_later(a->loop, p);
		return;
	}
}

static void serve(struct agent *a, struct conn *c, const struct http_msg *req)
{
	const char *name = wire_name(req, "slave(1)");
	bool call = !strcmp(req->target, "/slave(1)/api/v1/executor");

	if (!name && !call) {
		agent_api(a, c, req);
		return;
	}
	if (name && version_number(a->flags.version) >= 1004000) {
		struct buf out = { 0 };

		http_response(&out, "202 Accepted", NULL, NULL);
		conn_send_buf(c, &out);
	}
	if (name)
		agent_message(a, c, name, req);
	else
		agent_executor_call(a, c, req);
}

static void peer_close(struct peer *p)
{
	struct conn *c = p->conn;

	agent_forget_conn(p->agent, c);
	conn_close(c);
}

static void peer_data(struct conn *c)
{
	struct peer *p = c->arg;
	struct http_msg req;
	int got;

	while (c->fd >= 0 && (got = http_take(&c->in, &req)) != 0) {
		if (got < 0) {
			peer_close(p);
			return;
		}
		serve(p->agent, c, &req);
		http_msg_free(&req);
	}
}

static void peer_closed(struct conn *c, int err)
{
	(void)err;
	peer_close(c->arg);
}

static const struct conn_ops peer_ops = { .data = peer_data, .closed = peer_closed };

unsigned long agent_conn_serial(struct agent *a, const struct conn *c)
{
	struct peer *p = a->peers;

	while (p && p->conn != c)
		p = p->next;
	return p ? p->serial : 0;
}

struct conn *agent_conn(struct agent *a, unsigned long serial)
{
	struct peer *p = a->peers;

	while (p && p->serial != serial)
		p = p->next;
	return p ? p->conn : NULL;
}

struct listener {
	struct agent *agent;
	int fd;
	struct watch *watch;
};

static void agent_accept(void *arg, uint32_t events)
{
	struct listener *l = arg;
	struct agent *a = l->agent;
	int fd;

	(void)events;
	while ((fd = conn_accept(l->fd)) >= 0) {
		struct peer *p = lab_calloc(1, sizeof(*p));

		*p = (struct peer){ .next = a->peers, .serial = ++a->serial, .agent = a };
		p->conn = conn_new(a->loop, fd, &peer_ops, p);
		a->peers = p;
	}
}

static struct listener *listener_new(struct agent *a, int fd)
{
	struct listener *l = lab_calloc(1, sizeof(*l));

	l->agent = a;
	l->fd = fd;
	l->watch = loop_watch(a->loop, fd, EPOLLIN, agent_accept, l);
	return l;
}

static struct listener *listen_tcp(struct agent *a)
{
	const char *port = a->flags.port, *ip = a->flags.listen_ip;
	union addr at;
	int fd;

	if (addr_parse(ip, launch_number(port), &at) < 0)
		lab_die("agent: bad --ip '%s'", ip);
	fd = conn_listen(&at, NULL, launch_is(a->flags.mptcp, "yes"));
	if (fd < 0)
		lab_die("agent: cannot listen on %s:%s: %s", ip, port, strerror(-fd));
	return listener_new(a, fd);
}

/* Replaces the socket of an earlier agent. */
static int unix_listen(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(at.sun_path))
		lab_die("agent: path '%s' is too long for a socket", path);
	strcpy(at.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 4096) < 0)
		lab_die("agent: socket '%s': %s", path, strerror(errno));
	return fd;
}

void agent_listen(struct agent *a)
{
	a->tcp = listen_tcp(a);
	if (launch_is(a->flags.domain_sockets, "true")) {
		checkpoint_mkdirs(a->flags.runtime_dir);
		a->unix_socket = listener_new(a, unix_listen(a->flags.domain_socket));
	}
	agent_notify(a, "listening");
}

/* off: new connections are refused; established ones stay. */
static char *control_listen(struct agent *a, const char *word)
{
	bool on = !strcmp(word, "on");

	if (!on && strcmp(word, "off"))
		return lab_strdup("listen on|off");
	if (on && !a->tcp)
		a->tcp = listen_tcp(a);
	if (!on && a->tcp) {
		loop_unwatch(a->tcp->watch);
		close(a->tcp->fd);
		loop_free_later(a->loop, a->tcp);
		a->tcp = NULL;
	}
	return NULL;
}

static char *control_api(struct agent *a, const char *api)
{
	if (!agent_misbehave_known(api))
		return lab_fmt("unknown kind of API '%s'", api);
	free(a->flags.api);
	a->flags.api = lab_strdup(api);
	return NULL;
}

static struct conn *find_peer(struct agent *a, const union addr *from)
{
	struct peer *p = a->peers;

	while (p && !addr_equal(&p->conn->peer, from))
		p = p->next;
	return p ? p->conn : NULL;
}

/*
 * "IP:PORT fin", "IP:PORT silent": ends our side of the connection from there;
 * "IP:PORT never": only waits until it is quiet.
 */
static char *control_close(struct agent *a, char *words)
{
	char *how = strchr(words, ' ');
	union addr from;
	struct conn *c;
	int err;

	if (!how)
		return lab_strdup("close IP:PORT fin|silent|never");
	*how++ = '\0';
	if (!addr_parse_end(words, &from))
		return lab_fmt("bad address '%s'", words);
	c = find_peer(a, &from);
	if (!c)
		return lab_fmt("no connection from %s", words);
	conn_quiesce(c);
	if (!strcmp(how, "never"))
		return NULL;
	agent_forget_conn(a, c);
	if (!strcmp(how, "silent")) {
		err = conn_vanish(c);
		return err < 0 ? lab_fmt("TCP_REPAIR: %s", strerror(-err)) : NULL;
	}
	conn_close(c);
	return NULL;
}

static void control_line(struct agent *a, struct conn *c, char *line)
{
	char *why;

	if (!strncmp(line, "launch ", 7))
		why = agent_launch(a, line + 7);
	else if (!strncmp(line, "close ", 6))
		why = control_close(a, line + 6);
	else if (!strcmp(line, "release"))
		why = agent_release(a);
	else if (!strncmp(line, "listen ", 7))
		why = control_listen(a, line + 7);
	else if (!strncmp(line, "api ", 4))
		why = control_api(a, line + 4);
	else if (!agent_order(a, line, &why))
		why = lab_fmt("unknown command '%s'", line);
	if (why) {
		conn_send(c, "error ", 6);
		conn_send(c, why, strlen(why));
		conn_send(c, "\n", 1);
	} else {
		conn_send(c, "ok\n", 3);
	}
	free(why);
}

static void control_data(struct conn *c)
{
	char *nl;

	while (c->in.len && (nl = memchr(c->in.data, '\n', c->in.len))) {
		char *line = strndup(c->in.data, nl - c->in.data);

		buf_drop(&c->in, nl + 1 - c->in.data);
		control_line(c->arg, c, line);
		free(line);
	}
}

static void control_closed(struct conn *c, int err)
{
	(void)err;
	conn_close(c);
}

static const struct conn_ops control_ops = { .data = control_data, .closed = control_closed };

struct control {
	struct agent *agent;
	int fd;
};

static void control_accept(void *arg, uint32_t events)
{
	struct control *ctl = arg;
	int fd;

	(void)events;
	while ((fd = accept4(ctl->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		conn_new(ctl->agent->loop, fd, &control_ops, ctl->agent);
}

void agent_control(struct agent *a)
{
	struct control *ctl = lab_calloc(1, sizeof(*ctl));
	char *path = lab_fmt("%s/agents/%s.sock", a->flags.lab_dir, a->flags.lab_name);

	ctl->agent = a;
	ctl->fd = unix_listen(path);
	loop_watch(a->loop, ctl->fd, EPOLLIN, control_accept, ctl);
	free(path);
}
