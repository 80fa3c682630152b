/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/unixdiag.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "observe/netlink/netlink.h"

enum { STATE_ESTABLISHED = 1 };

static int socket_add(struct unix_sockets *sockets, struct nlmsghdr *msg)
{
	const struct unix_diag_msg *row = nlmsg_data(msg);
	struct unix_socket added = { 0 };
	const struct nlattr *name, *peer;
	int err;

	if (nlmsg_datalen(msg) < (int)sizeof(*row) || row->udiag_type != SOCK_STREAM)
		return 0;
	added.inode = row->udiag_ino;
	peer = nlmsg_find_attr(msg, sizeof(*row), UNIX_DIAG_PEER);
	if (peer)
		added.peer = nla_get_u32(peer);
	name = nlmsg_find_attr(msg, sizeof(*row), UNIX_DIAG_NAME);
	/* An abstract name begins with a NUL: it is no path. */
	if (name && nla_len(name) < (int)sizeof(added.path))
		memcpy(added.path, nla_data(name), (size_t)nla_len(name));
	err = array_reserve(&sockets->v, &sockets->cap, sockets->n, sizeof(added));
	if (!err)
		sockets->v[sockets->n++] = added;
	return err;
}

static int inode_order(const void *a, const void *b)
{
	const struct unix_socket *x = a, *y = b;

	return (x->inode > y->inode) - (x->inode < y->inode);
}

static int sockets_read(int fd, struct unix_sockets *ret)
{
	const struct unix_diag_req request = {
		.sdiag_family = AF_UNIX,
		.udiag_states = 1u << STATE_ESTABLISHED,
		.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER,
	};
	struct nl_msg *msg =
		netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &request, sizeof(request));
	struct netlink_dump dump;
	struct nlmsghdr *row;
	int more = netlink_dump_begin(&dump, fd, msg);

	nlmsg_free(msg);
	while (!more && (more = netlink_dump_next(&dump, &row)) > 0)
		more = socket_add(ret, row);
	netlink_dump_end(&dump);
	return more;
}

int unixdiag_list(int nsfd, uint64_t netns, struct unix_sockets *ret, struct error *error)
{
	int err, fd;

	*ret = (struct unix_sockets){ 0 };
	fd = netlink_open(nsfd, NETLINK_SOCK_DIAG, error);
	if (fd < 0)
		return fd;
	err = sockets_read(fd, ret);
	close(fd);
	if (err < 0) {
		unixdiag_clear(ret);
		return error_set(error, err,
				 err == -ENOENT ? "load the kernel module unix_diag" : NULL,
				 "list the unix sockets of netns %llu", (unsigned long long)netns);
	}
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), inode_order);
	return 0;
}

const struct unix_socket *unixdiag_find(const struct unix_sockets *sockets, uint64_t inode)
{
	struct unix_socket key = { .inode = inode };

	return sockets->n ? bsearch(&key, sockets->v, sockets->n, sizeof(key), inode_order) : NULL;
}

void unixdiag_clear(struct unix_sockets *sockets)
{
	free(sockets->v);
	*sockets = (struct unix_sockets){ 0 };
}
