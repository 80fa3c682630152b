/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_CONN_H
#define LAB_CONN_H

#include "addr.h"
#include "buf.h"
#include "loop.h"

#include <stdbool.h>

/* A stream socket on a loop, with buffers both ways. */
struct conn;

struct conn_ops {
	void (*connected)(struct conn *c);	 /* may be NULL */
	void (*data)(struct conn *c);		 /* more bytes in c->in */
	void (*closed)(struct conn *c, int err); /* peer is gone (0: EOF); call conn_close() */
	void (*sent)(struct conn *c);		 /* nothing is left in c->out; may be NULL */
};

struct conn {
	int fd; /* -1 once closed */
	struct buf in, out;
	void *arg;
	union addr peer;
	const struct conn_ops *ops;
	struct loop *loop;
	struct watch *watch;
	bool connecting;
};

/* Takes over a connected non-blocking descriptor. */
struct conn *conn_new(struct loop *l, int fd, const struct conn_ops *ops, void *arg);

/*
 * Connects. fd: a fresh non-blocking socket (see conn_socket()). A refused connection is
 * reported through ops->closed, never from inside this call.
 */
struct conn *conn_open(struct loop *l, int fd, const union addr *to, const struct conn_ops *ops,
		       void *arg);

/* The same over a stream socket in the file system. */
struct conn *conn_open_unix(struct loop *l, const char *path, const struct conn_ops *ops,
			    void *arg);

void conn_send(struct conn *c, const void *data, size_t len);
void conn_send_buf(struct conn *c, struct buf *b); /* and frees b */

/* Closes the descriptor at once; the memory lives until the round of events is over. NULL ok. */
void conn_close(struct conn *c);

/* Waits (bounded) until nothing of this connection is on its way that would be answered later. */
void conn_quiesce(struct conn *c);

/* Closes without a FIN or RST: the peer is left half open (TCP_REPAIR, needs CAP_NET_ADMIN). */
int conn_vanish(struct conn *c);

/* A non-blocking, close-on-exec TCP socket of that address' family. */
int conn_socket(const union addr *of, bool mptcp);
/* bound may be NULL */
int conn_listen(const union addr *at, union addr *bound, bool mptcp);
int conn_accept(int listen_fd); /* like accept4(), non-blocking, close-on-exec */

#endif
