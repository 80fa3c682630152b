/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connected unix(7) stream sockets by sock_diag(7): which is connected to which, and over what
 * path. */
#ifndef EW_OBSERVE_NETLINK_UNIXDIAG_H
#define EW_OBSERVE_NETLINK_UNIXDIAG_H

#include <stddef.h>
#include <stdint.h>

struct error;

struct unix_socket {
	uint64_t inode;
	uint64_t peer;	/* inode of the other end; 0: not accepted yet */
	char path[108]; /* of an accepted socket that of its listener; "" : none, or abstract */
};

struct unix_sockets {
	struct unix_socket *v; /* by inode */
	size_t n, cap;
};

/*
 * Lists those of the namespace; nsfd: a descriptor of it, or NETNS_OWN. An accepted socket is in
 * the namespace of the one that connected, net/unix/af_unix.c, unix_stream_connect(). Returns 0 or
 * a negative errno (-ENOENT: no unix_diag).
 */
int unixdiag_list(int nsfd, uint64_t netns, struct unix_sockets *ret, struct error *error);

/* NULL: none with that inode. */
const struct unix_socket *unixdiag_find(const struct unix_sockets *sockets, uint64_t inode);

void unixdiag_clear(struct unix_sockets *sockets);

#endif
