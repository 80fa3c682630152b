/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "conn.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void conn_events(struct conn *c)
{
	bool want_out = c->connecting || c->out.len;

	loop_watch_events(c->watch, EPOLLIN | EPOLLRDHUP | (want_out ? EPOLLOUT : 0));
}

/* One send per message where the socket takes it whole, as libprocess does. */
static int conn_flush(struct conn *c)
{
	while (c->out.len) {
		ssize_t n = send(c->fd, c->out.data, c->out.len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		buf_drop(&c->out, n);
	}
	return 0;
}

static int conn_finish_connect(struct conn *c)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		return -errno;
	if (err)
		return -err;
	c->connecting = false;
	if (c->ops->connected)
		c->ops->connected(c);
	return 0;
}

static void conn_read(struct conn *c)
{
	char chunk[16384];
	ssize_t n = read(c->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->ops->closed(c, n < 0 ? errno : 0);
		return;
	}
	buf_add(&c->in, chunk, n);
	c->ops->data(c);
}

static void conn_write(struct conn *c)
{
	bool had = c->out.len;
	int err = conn_flush(c);

	if (err < 0) {
		c->ops->closed(c, -err);
		return;
	}
	conn_events(c);
	if (had && !c->out.len && c->ops->sent)
		c->ops->sent(c);
}

static void conn_ready(void *arg, uint32_t events)
{
	struct conn *c = arg;
	int err;

	if (c->connecting) {
		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		err = conn_finish_connect(c);
		if (err < 0) {
			c->ops->closed(c, -err);
			return;
		}
	}
	if (c->fd >= 0 && events & EPOLLOUT)
		conn_write(c);
	if (c->fd >= 0 && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		conn_read(c);
}

struct conn *conn_new(struct loop *l, int fd, const struct conn_ops *ops, void *arg)
{
	struct conn *c = lab_calloc(1, sizeof(*c));
	socklen_t len = sizeof(c->peer);

	*c = (struct conn){ .fd = fd, .loop = l, .ops = ops, .arg = arg };
	getpeername(fd, &c->peer.sa, &len);
	c->watch = loop_watch(l, fd, EPOLLIN | EPOLLRDHUP, conn_ready, c);
	return c;
}

static void conn_refused(void *arg)
{
	struct conn *c = arg;

	if (c->fd >= 0)
		c->ops->closed(c, ECONNREFUSED);
}

static struct conn *open_at(struct loop *l, int fd, const struct sockaddr *to, socklen_t len,
			    const struct conn_ops *ops, void *arg)
{
	int err = connect(fd, to, len) < 0 ? errno : 0;
	struct conn *c = conn_new(l, fd, ops, arg);

	if (err && err != EINPROGRESS) {
		loop_unwatch(c->watch);
		c->watch = NULL;
		loop_after(l, 0, conn_refused, c);
		return c;
	}
	c->connecting = true;
	conn_events(c);
	return c;
}

struct conn *conn_open(struct loop *l, int fd, const union addr *to, const struct conn_ops *ops,
		       void *arg)
{
	struct conn *c = open_at(l, fd, &to->sa, addr_len(to), ops, arg);

	c->peer = *to;
	return c;
}

struct conn *conn_open_unix(struct loop *l, const char *path, const struct conn_ops *ops, void *arg)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(to.sun_path))
		lab_die("socket '%s': %s", path, fd < 0 ? strerror(errno) : "too long a path");
	strcpy(to.sun_path, path);
	return open_at(l, fd, (const struct sockaddr *)&to, sizeof(to), ops, arg);
}

void conn_send(struct conn *c, const void *data, size_t len)
{
	buf_add(&c->out, data, len);
	if (c->connecting || !c->watch)
		return;
	/* An error shows again, as an event. */
	if (conn_flush(c) == 0 && c->out.len)
		conn_events(c);
}

void conn_send_buf(struct conn *c, struct buf *b)
{
	conn_send(c, b->data, b->len);
	buf_free(b);
}

void conn_close(struct conn *c)
{
	if (!c || c->fd < 0)
		return;
	loop_unwatch(c->watch);
	c->watch = NULL;
	close(c->fd);
	c->fd = -1;
	buf_free(&c->in);
	buf_free(&c->out);
	loop_free_later(c->loop, c);
}

/* A delayed acknowledgement takes 40 ms; sent to nobody it would bring a RST. */
void conn_quiesce(struct conn *c)
{
	int on = 1, left = 1;

	setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	for (int ms = 0; ms < 1000 && ioctl(c->fd, SIOCOUTQ, &left) == 0 && left; ms++)
		poll(NULL, 0, 1);
}

int conn_vanish(struct conn *c)
{
	int on = 1;

	if (setsockopt(c->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) < 0)
		return -errno;
	conn_close(c);
	return 0;
}

int conn_socket(const union addr *of, bool mptcp)
{
	int fd = socket(of->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			mptcp ? IPPROTO_MPTCP : 0);

	if (fd < 0)
		lab_die("socket: %s", strerror(errno));
	return fd;
}

int conn_listen(const union addr *at, union addr *bound, bool mptcp)
{
	int fd = conn_socket(at, mptcp), on = 1, err;
	socklen_t len = sizeof(*at);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &at->sa, addr_len(at)) < 0 || listen(fd, 4096) < 0 ||
	    (bound && getsockname(fd, &bound->sa, &len) < 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int conn_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int on = 1;

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}
