/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "fail.h"
#include "observe/netns.h"

int nl_open(int nsfd, int protocol, struct mnl_socket **ret_socket, struct fail *why)
{
	struct timeval bound = { .tv_sec = 5 };
	struct mnl_socket *nl;
	int fd = netns_socket(nsfd, AF_NETLINK, SOCK_RAW, protocol, why);
	int err;

	if (fd < 0)
		return fd;
	nl = mnl_socket_fdopen(fd);
	if (!nl) {
		close(fd);
		return fail_set(why, -ENOMEM, NULL, "open a netlink socket");
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) < 0 ||
	    mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		mnl_socket_close(nl);
		return fail_set(why, err, NULL, "bind a netlink socket of protocol %d", protocol);
	}
	*ret_socket = nl;
	return 0;
}

struct dump {
	int (*each)(const struct nlmsghdr *msg, void *ctx);
	void *ctx;
	int err;
};

static int dump_one(const struct nlmsghdr *msg, void *arg)
{
	struct dump *dump = arg;

	dump->err = dump->each(msg, dump->ctx);
	return dump->err < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

int nl_dump(struct mnl_socket *socket, struct nlmsghdr *request,
	    int (*each)(const struct nlmsghdr *msg, void *ctx), void *ctx)
{
	struct dump dump = { .each = each, .ctx = ctx };
	unsigned int portid = mnl_socket_get_portid(socket);
	char *buf = malloc(NL_BUF);
	ssize_t len;
	int more = MNL_CB_OK, err = 0;

	if (!buf)
		return -ENOMEM;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		err = -errno;
	while (!err && more > MNL_CB_STOP) {
		len = mnl_socket_recvfrom(socket, buf, NL_BUF);
		if (len < 0) {
			err = -errno;
			break;
		}
		more = mnl_cb_run(buf, (size_t)len, request->nlmsg_seq, portid, dump_one, &dump);
		if (more < 0)
			err = dump.err < 0 ? dump.err : -errno;
	}
	free(buf);
	return err;
}

struct nlmsghdr *nl_netfilter_request(void *buf, uint8_t subsystem, uint8_t type, uint16_t flags,
				      uint8_t family)
{
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	msg->nlmsg_type = (uint16_t)(subsystem << 8 | type);
	msg->nlmsg_flags = NLM_F_REQUEST | flags;
	msg->nlmsg_seq = 1;
	nfg = mnl_nlmsg_put_extra_header(msg, sizeof(*nfg));
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return msg;
}
