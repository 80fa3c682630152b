/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/multicast_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netns.h"

/* Some 20,000 events: the kernel doubles the size, and charges 768 bytes for a small message. */
enum { RCVBUF_SIZE = 8 << 20 };

int multicast_socket_open(struct multicast_socket *socket, int nsfd, int protocol,
			  const struct sock_fprog *filter, struct error *error)
{
	struct sockaddr_nl own = { .nl_family = AF_NETLINK };
	int fd = netns_socket(nsfd, AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, protocol, error);
	int bytes = RCVBUF_SIZE, err;

	if (fd < 0)
		return fd;
	/* More than net.core.rmem_max needs CAP_NET_ADMIN; without it, as much as is allowed. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, filter, sizeof(*filter)) < 0 ||
	    bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0) {
		err = -errno;
		close(fd);
		return error_set(error, err, NULL, "prepare a netlink socket of protocol %d",
				 protocol);
	}
	*socket = (struct multicast_socket){ .fd = fd };
	return 0;
}

void multicast_socket_close(struct multicast_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}

int multicast_socket_join(struct multicast_socket *socket, unsigned int group)
{
	int err =
		setsockopt(socket->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));

	return err < 0 ? -errno : 0;
}

long multicast_socket_receive(struct multicast_socket *socket, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t len;

	for (;;) {
		len = recvfrom(socket->fd, buf, size, MSG_DONTWAIT, (struct sockaddr *)&from,
			       &from_len);
		if (len < 0 && errno != ENOBUFS && errno != EINTR)
			return -EAGAIN;
		socket->overruns += len < 0 && errno == ENOBUFS;
		if (len < 0 ||
		    from.nl_pid !=
			    0) /* not from the kernel: any process may send to a netlink socket */
			continue;
		socket->seen++;
		return len;
	}
}

void multicast_socket_count(struct multicast_socket *socket)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (socket->fd < 0)
		return;
	if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, info, &len) < 0) {
		socket->lost = socket->overruns; /* before 4.12: at least so many */
		return;
	}
	socket->lost += (uint32_t)(info[SK_MEMINFO_DROPS] - socket->drops);
	socket->drops = info[SK_MEMINFO_DROPS];
}
