/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/conntrack_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netns.h"
#include "base/now.h"
#include "base/proc.h"
#include "observe/netlink/netlink.h"

static uint32_t number_of(struct nlmsghdr *msg, int type)
{
	const struct nlattr *attr = nlmsg_find_attr(msg, sizeof(struct nfgenmsg), type);

	return attr && nla_len(attr) >= (int)sizeof(uint32_t) ? ntohl(nla_get_u32(attr)) : 0;
}

static int count_read(struct nlmsghdr *msg, int len, uint64_t *entries, uint64_t *limit)
{
	const struct nlmsgerr *error = nlmsg_data(msg);

	if (!nlmsg_ok(msg, len))
		return -EBADMSG;
	if (msg->nlmsg_type != NLMSG_ERROR) {
		*entries = number_of(msg, CTA_STATS_GLOBAL_ENTRIES);
		*limit = number_of(msg, CTA_STATS_GLOBAL_MAX_ENTRIES);
		return 0;
	}
	if (nlmsg_datalen(msg) < (int)sizeof(*error))
		return -EBADMSG;
	/* -EINVAL: no such subsystem, nfnetlink_rcv_msg() of net/netfilter/nfnetlink.c. */
	return error->error == -EINVAL ? -EOPNOTSUPP : error->error;
}

int conntrack_count(int nsfd, uint64_t *entries, uint64_t *limit)
{
	struct nl_msg *request =
		netlink_netfilter(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC);
	char *buf = malloc(NETLINK_BUF);
	int fd = -1, len = request && buf ? 0 : -ENOMEM;

	if (!len)
		len = fd = netlink_open(nsfd, NETLINK_NETFILTER, NULL);
	if (len >= 0)
		len = netlink_send(fd, request);
	if (len >= 0)
		len = netlink_receive(fd, buf);
	if (len >= 0)
		len = count_read((void *)buf, len, entries, limit);
	if (fd >= 0)
		close(fd);
	nlmsg_free(request);
	free(buf);
	return len;
}

/* Files below /proc/sys/net are those of the reader's own namespace (net_ctl_header_lookup(),
 * net/sysctl_net.c). */
static int established_read(void *arg)
{
	int64_t *seconds = arg;
	char text[32], *end;
	ssize_t len =
		proc_read(AT_FDCWD, "/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established",
			  text, sizeof(text));

	if (len <= 0)
		return -ENOENT;
	*seconds = strtoll(text, &end, 10);
	return *end == '\n' && *seconds > 0 ? 0 : -EBADMSG;
}

int64_t conntrack_established_timeout(int nsfd)
{
	int64_t seconds = 0;

	if (netns_run(nsfd, established_read, &seconds, NULL) < 0)
		return 0;
	return seconds < INT64_MAX / NS_PER_S ? seconds * NS_PER_S : 0;
}
