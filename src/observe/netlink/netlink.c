/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/netlink.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/netns.h"

int netlink_open(int nsfd, int protocol, struct error *error)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval bound = { .tv_sec = 5 };
	int fd = netns_socket(nsfd, AF_NETLINK, SOCK_RAW, protocol, error);
	int err;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) < 0 ||
	    connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		err = -errno;
		close(fd);
		return error_set(error, err, NULL, "connect a netlink socket of protocol %d",
				 protocol);
	}
	return fd;
}

int netlink_receive(int fd, void *buf)
{
	ssize_t len = recv(fd, buf, NETLINK_BUF, MSG_TRUNC);

	if (len < 0)
		return -errno;
	return len <= NETLINK_BUF ? (int)len : -EMSGSIZE;
}

/* Returns 1 for a message of the list, 0 at its end, or a negative errno. */
static int message_check(const struct netlink_dump *dump, const struct nlmsghdr *msg)
{
	const int *err = nlmsg_data(msg); /* what errors and ends begin with */

	if (msg->nlmsg_seq != dump->seq)
		return -EPROTO;
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE)
		return nlmsg_datalen(msg) >= (int)sizeof(*err) ? *err : -EBADMSG;
	return 1;
}

int netlink_send(int fd, struct nl_msg *request)
{
	const struct nlmsghdr *head = nlmsg_hdr(request);

	return send(fd, head, head->nlmsg_len, 0) < 0 ? -errno : 0;
}

int netlink_dump_begin(struct netlink_dump *dump, int fd, struct nl_msg *request)
{
	*dump = (struct netlink_dump){ .fd = fd, .buf = malloc(NETLINK_BUF) };
	if (!dump->buf || !request)
		return -ENOMEM;
	dump->seq = nlmsg_hdr(request)->nlmsg_seq;
	return netlink_send(fd, request);
}

void netlink_dump_end(struct netlink_dump *dump)
{
	free(dump->buf);
	dump->buf = NULL;
}

int netlink_dump_next(struct netlink_dump *dump, struct nlmsghdr **ret)
{
	while (!dump->at || !nlmsg_ok(dump->at, dump->left)) {
		int len = netlink_receive(dump->fd, dump->buf);

		if (len < 0)
			return len;
		dump->at = (void *)dump->buf;
		dump->left = len;
	}
	*ret = dump->at;
	dump->at = nlmsg_next(dump->at, &dump->left);
	return message_check(dump, *ret);
}

struct nl_msg *netlink_request(int type, int flags, const void *head, size_t head_len)
{
	struct nl_msg *msg = nlmsg_alloc_size(NETLINK_REQUEST_MAX);

	if (msg)
		memcpy(nlmsg_data(nlmsg_put(msg, 0, 1, type, (int)head_len, NLM_F_REQUEST | flags)),
		       head, head_len);
	return msg;
}

struct nl_msg *netlink_netfilter(uint8_t subsystem, uint8_t type, int flags, uint8_t family)
{
	const struct nfgenmsg head = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return netlink_request(subsystem << 8 | type, flags, &head, sizeof(head));
}
