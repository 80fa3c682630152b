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

struct dump {
	uint32_t seq;
	int (*each)(struct nlmsghdr *msg, void *ctx);
	void *ctx;
};

/* Returns 1 when more will come, 0 at the end, or a negative errno. */
static int dump_one(const struct dump *dump, struct nlmsghdr *msg)
{
	const int *err = nlmsg_data(msg); /* what errors and ends begin with */

	if (msg->nlmsg_seq != dump->seq)
		return -EPROTO;
	if (msg->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	if (msg->nlmsg_type == NLMSG_ERROR || msg->nlmsg_type == NLMSG_DONE)
		return nlmsg_datalen(msg) >= (int)sizeof(*err) ? *err : -EBADMSG;
	return dump->each(msg, dump->ctx) ?: 1;
}

int netlink_send(int fd, struct nl_msg *request)
{
	const struct nlmsghdr *head = nlmsg_hdr(request);

	return send(fd, head, head->nlmsg_len, 0) < 0 ? -errno : 0;
}

int netlink_dump_next(int fd, uint32_t seq, void *buf, int (*each)(struct nlmsghdr *msg, void *ctx),
		      void *ctx)
{
	struct dump dump = { .seq = seq, .each = each, .ctx = ctx };
	struct nlmsghdr *msg = buf;
	int more = 1, len = netlink_receive(fd, buf);

	if (len < 0)
		return len;
	for (; more > 0 && nlmsg_ok(msg, len); msg = nlmsg_next(msg, &len))
		more = dump_one(&dump, msg);
	return more;
}

int netlink_dump(int fd, struct nl_msg *request, int (*each)(struct nlmsghdr *msg, void *ctx),
		 void *ctx)
{
	char *buf = malloc(NETLINK_BUF);
	int more;

	if (!buf)
		return -ENOMEM;
	more = netlink_send(fd, request) ?: 1;
	while (more > 0)
		more = netlink_dump_next(fd, nlmsg_hdr(request)->nlmsg_seq, buf, each, ctx);
	free(buf);
	return more;
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
