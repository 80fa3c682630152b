/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A netlink socket in a namespace, and its dumps. */
#ifndef EW_OBSERVE_NL_H
#define EW_OBSERVE_NL_H

#include <stdint.h>

struct fail;
struct mnl_socket;
struct nlmsghdr;

/*
 * Opens a netlink socket of that protocol in the namespace (NETNS_OWN: ours) into *ret_socket,
 * closed with mnl_socket_close(). An answer that does not come within seconds ends in -EAGAIN: the
 * kernel answers at once or never.
 */
int nl_open(int nsfd, int protocol, struct mnl_socket **ret_socket, struct fail *why);

/* Room for a whole netlink skb of a dump. */
#define NL_BUF (64 * 1024)

/*
 * Sends the request and calls each(msg, ctx) for every message of the answer; each returns 0 to go
 * on or a negative errno to end. Returns 0, or a negative errno: the kernel's own when it refused,
 * -EINTR when what was dumped changed meanwhile (the socket then holds the rest: open another).
 */
int nl_dump(struct mnl_socket *socket, struct nlmsghdr *request,
	    int (*each)(const struct nlmsghdr *msg, void *ctx), void *ctx);

/* Begins a nfnetlink request in buf: subsystem and type of linux/netfilter/nfnetlink.h. */
struct nlmsghdr *nl_netfilter_request(void *buf, uint8_t subsystem, uint8_t type, uint16_t flags,
				      uint8_t family);

#endif
