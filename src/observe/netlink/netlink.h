/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A netlink socket in a namespace, and its dumps. Messages and attributes are libnl's. */
#ifndef EW_OBSERVE_NETLINK_NETLINK_H
#define EW_OBSERVE_NETLINK_NETLINK_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct nl_msg;
struct nlmsghdr;

/*
 * Opens a netlink socket of that protocol in the namespace (NETNS_OWN: ours), which receives from
 * the kernel alone. Receiving fails with -EAGAIN after 5 seconds: the kernel answers at once or
 * never. Returns the descriptor, the caller's, or a negative errno.
 */
int netlink_open(int nsfd, int protocol, struct error *error);

/* Size of a buffer for any packet of a dump. */
#define NETLINK_BUF (64 * 1024)

/* Receives one packet into NETLINK_BUF bytes. Returns its length or a negative errno. */
int netlink_receive(int fd, void *buf);

/*
 * Sends the request and calls each(msg, ctx) for every message of the answer; each returns 0 to go
 * on or a negative errno to end. Returns 0, or a negative errno: the kernel's own when it refused
 * or could not finish, -EINTR when the list changed while it was dumped (the socket then holds the
 * rest: open another).
 */
int netlink_dump(int fd, struct nl_msg *request, int (*each)(struct nlmsghdr *msg, void *ctx),
		 void *ctx);

/* netlink_dump() in parts: sends the request. Returns 0 or a negative errno. */
int netlink_send(int fd, struct nl_msg *request);

/*
 * Receives one packet of the dump with that sequence number into buf, NETLINK_BUF bytes, and calls
 * each for its messages. Returns 1 when more is to come, 0 at the end, or as netlink_dump().
 */
int netlink_dump_next(int fd, uint32_t seq, void *buf, int (*each)(struct nlmsghdr *msg, void *ctx),
		      void *ctx);

/* Size of a request with its header, more than any here needs: adding attributes does not fail. */
#define NETLINK_REQUEST_MAX 256

/* Begins a request, freed with nlmsg_free(); sequence number 1. NULL: out of memory. */
struct nl_msg *netlink_request(int type, int flags, const void *head, size_t head_len);

/* The same for nfnetlink: subsystem and type of linux/netfilter/nfnetlink.h. */
struct nl_msg *netlink_netfilter(uint8_t subsystem, uint8_t type, int flags, uint8_t family);

#endif
