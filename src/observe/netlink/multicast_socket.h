/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A netlink socket that is sent events, with a filter, a large buffer and an exact count of losses.
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
	uint64_t lost;	   /* messages that found no room */
	uint32_t drops;	   /* the kernel's own count as it was last read; it wraps */
	uint64_t overruns; /* how often the kernel said that some were lost */
};

/* Opens it in the namespace (netns.h) without joining a group: the filter is there from the start.
 */
int multicast_socket_open(struct multicast_socket *socket, int nsfd, int protocol,
			  const struct sock_fprog *filter, struct error *error);
void multicast_socket_close(struct multicast_socket *socket);

int multicast_socket_join(struct multicast_socket *socket, unsigned int group);

/*
 * One message of the kernel into buf. Returns its length, or -EAGAIN when there is none: an overrun
 * is counted and passed over.
 */
long multicast_socket_receive(struct multicast_socket *socket, void *buf, size_t size);

/* Brings lost up to date. */
void multicast_socket_count(struct multicast_socket *socket);

#endif
