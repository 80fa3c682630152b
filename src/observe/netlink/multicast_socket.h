/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A netlink socket that receives multicasts, with a filter, a large buffer and a count of losses.
 */
#ifndef EW_OBSERVE_NETLINK_MULTICAST_SOCKET_H
#define EW_OBSERVE_NETLINK_MULTICAST_SOCKET_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct sock_fprog;

struct multicast_socket {
	int fd;		   /* -1: closed */
	uint64_t seen;	   /* messages received */
	uint64_t lost;	   /* messages dropped by the kernel, the buffer being full */
	uint32_t drops;	   /* the kernel's own count as it was last read; it wraps */
	uint64_t overruns; /* how often recvfrom(2) failed with ENOBUFS */
};

/* Opens it in the namespace (base/netns.h), in no group yet: so the filter misses no message. */
int multicast_socket_open(struct multicast_socket *socket, int nsfd, int protocol,
			  const struct sock_fprog *filter, struct error *error);
void multicast_socket_close(struct multicast_socket *socket);

int multicast_socket_join(struct multicast_socket *socket, unsigned int group);

/*
 * Reads one message of the kernel into buf. Returns its length, or -EAGAIN when there is none. An
 * overrun is counted, and reading goes on.
 */
long multicast_socket_receive(struct multicast_socket *socket, void *buf, size_t size);

/* Updates lost. */
void multicast_socket_count(struct multicast_socket *socket);

#endif
