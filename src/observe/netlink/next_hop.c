/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/next_hop.h"

#include <errno.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/error.h"
#include "observe/netlink/netlink.h"

struct next_hop {
	int fd;
	char buf[NETLINK_BUF];
};

int next_hop_open(int nsfd, struct next_hop **ret, struct error *error)
{
	struct next_hop *hop = calloc(1, sizeof(*hop));

	if (!hop)
		return error_set(error, -ENOMEM, NULL, "read the routes of a namespace");
	hop->fd = netlink_open(nsfd, NETLINK_ROUTE, error);
	if (hop->fd < 0) {
		int err = hop->fd;

		free(hop);
		return err;
	}
	*ret = hop;
	return 0;
}

void next_hop_close(struct next_hop *hop)
{
	if (!hop)
		return;
	close(hop->fd);
	free(hop);
}

/* One request, one answer: of the type, with a head of so many bytes. Frees the request. */
static int ask(struct next_hop *hop, struct nl_msg *request, int type, size_t head,
	       struct nlmsghdr **answer)
{
	struct nlmsghdr *msg = (void *)hop->buf;
	int len = request ? netlink_send(hop->fd, request) : -ENOMEM;
	const int *err = nlmsg_data(msg); /* what errors begin with */

	nlmsg_free(request);
	if (!len)
		len = netlink_receive(hop->fd, hop->buf);
	if (len < 0)
		return len;
	if (!nlmsg_ok(msg, len))
		return -EBADMSG;
	if (msg->nlmsg_type == NLMSG_ERROR && nlmsg_datalen(msg) >= (int)sizeof(*err) && *err)
		return *err;
	if (msg->nlmsg_type != type || nlmsg_datalen(msg) < (int)head)
		return -EBADMSG;
	*answer = msg;
	return 0;
}

static int32_t number_of(struct nlmsghdr *msg, size_t head, int type, int32_t otherwise)
{
	const struct nlattr *attr = nlmsg_find_attr(msg, (int)head, type);

	return attr && nla_len(attr) >= (int)sizeof(int32_t) ? (int32_t)nla_get_u32(attr)
							     : otherwise;
}

/* Returns the index of the device that packets leave by, 0 for an address of the namespace's own,
 * or a negative errno. */
static int route_find(struct next_hop *hop, const struct ew_addr *from, const struct ew_addr *to)
{
	bool v4 = addr_is_v4(to);
	int size = v4 ? 4 : 16, skip = 16 - size;
	const struct rtmsg head = { .rtm_family = v4 ? AF_INET : AF_INET6,
				    .rtm_dst_len = v4 ? 32 : 128 };
	struct nl_msg *request = netlink_request(RTM_GETROUTE, 0, &head, sizeof(head));
	const struct rtmsg *route;
	struct nlmsghdr *answer;
	int err, index;

	if (request)
		nla_put(request, RTA_DST, size, to->ip + skip);
	if (request && from && addr_is_v4(from) == v4)
		nla_put(request, RTA_SRC, size, from->ip + skip);
	err = ask(hop, request, RTM_NEWROUTE, sizeof(*route), &answer);
	if (err)
		return err;
	route = nlmsg_data(answer);
	if (route->rtm_type == RTN_LOCAL)
		return 0;
	index = number_of(answer, sizeof(*route), RTA_OIF, 0);
	return route->rtm_type == RTN_UNICAST && index > 0 ? index : -EHOSTUNREACH;
}

static bool is_pair(struct nlmsghdr *msg)
{
	const struct nlattr *info = nlmsg_find_attr(msg, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	const struct nlattr *kind =
		info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_KIND) : NULL;

	return kind && (nla_strcmp(kind, "veth") == 0 || nla_strcmp(kind, "netkit") == 0);
}

static int device_read(struct next_hop *hop, int index, struct way_out *way)
{
	const struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = index };
	struct nlmsghdr *answer;
	const struct nlattr *name;
	int err = ask(hop, netlink_request(RTM_GETLINK, 0, &head, sizeof(head)), RTM_NEWLINK,
		      sizeof(head), &answer);

	if (err)
		return err;
	name = nlmsg_find_attr(answer, sizeof(head), IFLA_IFNAME);
	if (name)
		nla_strlcpy(way->device, name, sizeof(way->device));
	way->netns_id = number_of(answer, sizeof(head), IFLA_LINK_NETNSID, -1);
	if (is_pair(answer) && way->netns_id >= 0)
		way->kind = WAY_PAIR;
	return 0;
}

int next_hop_find(struct next_hop *hop, const struct ew_addr *from, const struct ew_addr *to,
		  struct way_out *way, struct error *error)
{
	char text[ADDR_TEXT_MAX];
	int index, err = 0;

	*way = (struct way_out){ .kind = WAY_UNKNOWN };
	index = route_find(hop, from, to);
	if (index == 0)
		way->kind = WAY_LOCAL;
	else
		err = index < 0 ? index : device_read(hop, index, way);
	return err < 0 ? error_set(error, err, NULL, "find the way to %s", addr_text(to, text)) : 0;
}

int next_hop_is(struct next_hop *hop, int32_t id, int other)
{
	const struct rtgenmsg head = { .rtgen_family = AF_UNSPEC };
	struct nl_msg *request = netlink_request(RTM_GETNSID, 0, &head, sizeof(head));
	struct nlmsghdr *answer;
	int err;

	if (request)
		nla_put_u32(request, NETNSA_FD, (uint32_t)other);
	err = ask(hop, request, RTM_NEWNSID, sizeof(head), &answer);
	return err ? err : number_of(answer, sizeof(head), NETNSA_NSID, -1) == id;
}
