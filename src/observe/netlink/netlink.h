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
 * A dump: the messages that answer one request, taken one at a time. begin sends the request, which
 * stays the caller's (NULL gives -ENOMEM); end frees the buffer, also after a begin that failed,
 * and of a zeroed dump.
 */
struct netlink_dump {
	int fd;
	uint32_t seq;
	char *buf;
	struct nlmsghdr *at; /* the next message in buf */
	int left;	     /* bytes of buf from there on */
};
int netlink_dump_begin(struct netlink_dump *dump, int fd, struct nl_msg *request);
void netlink_dump_end(struct netlink_dump *dump);

/*
 * The next message, which lives until the next call. Returns 1 with a message, 0 at the end, or a
 * negative errno: the kernel's own when it refused or could not finish, -EINTR when the list
 * changed while it was dumped (the socket then holds the rest: open another).
 */
int netlink_dump_next(struct netlink_dump *dump, struct nlmsghdr **ret);

/* Sends one request. Returns 0 or a negative errno. */
int netlink_send(int fd, struct nl_msg *request);

/* Size of a request with its header, more than any here needs: adding attributes does not fail. */
#define NETLINK_REQUEST_MAX 256

/* Begins a request, freed with nlmsg_free(); sequence number 1. NULL: out of memory. */
struct nl_msg *netlink_request(int type, int flags, const void *head, size_t head_len);

/* The same for nfnetlink: subsystem and type of linux/netfilter/nfnetlink.h. */
struct nl_msg *netlink_netfilter(uint8_t subsystem, uint8_t type, int flags, uint8_t family);

#endif
