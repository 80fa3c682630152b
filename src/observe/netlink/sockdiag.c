/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/agent_ports.h"
#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "observe/netlink/netlink.h"

/*
 * "the port of either end is one of these" for the kernel's inet_diag bytecode. An op jumps by yes
 * or no bytes; to land exactly at the end accepts, 4 bytes beyond it rejects. Host conditions with
 * no address compare the port alone, on every kernel (the S_EQ op is younger).
 */
struct port_cond {
	struct inet_diag_bc_op op;
	uint8_t family; /* from here on struct inet_diag_hostcond, without addresses */
	uint8_t prefix_len;
	uint16_t pad;
	int32_t port;
};

/* A condition that leads to the jump when it holds, and past the jump when it does not. */
struct port_test {
	struct port_cond cond;
	struct inet_diag_bc_op accept;
};

enum { TESTS_MAX = 2 * AGENT_PORTS_MAX };

_Static_assert(sizeof(struct port_cond) ==
		       sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond),
	       "a condition is an op and its host condition");
_Static_assert(sizeof(struct port_test) == 16, "bytecode has no padding");
_Static_assert(TESTS_MAX * sizeof(struct port_test) < 256, "yes has one byte");

/* left: tests that follow. The last one fails beyond the end. */
static struct port_test port_test(uint8_t code, uint16_t port, int left)
{
	return (struct port_test){
		.cond = {
			.op = {
				.code = code,
				.yes = sizeof(struct port_cond),
				.no = sizeof(struct port_test) + (left ? 0 : 4),
			},
			.port = port,
		},
		.accept = {
			.code = INET_DIAG_BC_JMP,
			.yes = sizeof(struct inet_diag_bc_op),
			.no = (uint16_t)(sizeof(struct inet_diag_bc_op) +
					 (size_t)left * sizeof(struct port_test)),
		},
	};
}

static void add_port_filter(struct nl_msg *msg, const struct agent_ports *ports)
{
	struct port_test code[TESTS_MAX];
	int n = 0, left;

	for (int i = 0; i < AGENT_PORTS_MAX; i++)
		n += ports->v[i] ? 2 : 0;
	left = n;
	for (int i = 0; i < AGENT_PORTS_MAX; i++) {
		if (!ports->v[i])
			continue;
		code[n - left] = port_test(INET_DIAG_BC_S_COND, ports->v[i], left - 1);
		code[n - left + 1] = port_test(INET_DIAG_BC_D_COND, ports->v[i], left - 2);
		left -= 2;
	}
	nla_put(msg, INET_DIAG_REQ_BYTECODE, n * (int)sizeof(*code), code);
}

struct ew_addr sockdiag_addr(uint8_t family, const __be32 *ip, __be16 port)
{
	struct ew_addr addr = { .port = ntohs(port) };

	if (family == AF_INET)
		return addr_from_v4(ip, ntohs(port));
	memcpy(addr.ip, ip, sizeof(addr.ip));
	return addr;
}

struct ew_addr sockdiag_sockaddr(const struct sockaddr_storage *from)
{
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->ss_family == AF_INET6)
		return sockdiag_addr(AF_INET6, v6->sin6_addr.s6_addr32, v6->sin6_port);
	return sockdiag_addr(AF_INET, &v4->sin_addr.s_addr, v4->sin_port);
}

/* Since data last went either way; tcp_info grew over the years, these two were always there. */
static int64_t idle_of(const struct nlattr *attr)
{
	const struct tcp_info *info = nla_data(attr);
	uint32_t sent, received;

	if (nla_len(attr) < (int)offsetof(struct tcp_info, tcpi_last_ack_recv))
		return -1;
	sent = info->tcpi_last_data_sent;
	received = info->tcpi_last_data_recv;
	return (int64_t)(sent < received ? sent : received) * 1000000;
}

/* Its keepalive timer (inet_csk_diag_fill(), net/ipv4/inet_diag.c: 2); 0: another one runs, or
 * none.
 */
static int64_t probe_in(const struct inet_diag_msg *row)
{
	if (row->idiag_timer != 2)
		return 0;
	return row->idiag_expires ? (int64_t)row->idiag_expires * NS_PER_MS : 1;
}

struct sockdiag {
	int fd;
	uint64_t netns;
	struct agent_ports ports; /* none: every port */
	uint32_t states;
	uint8_t family; /* being listed; 0: the list is complete */
	bool asked;	/* for that family */
	struct netlink_dump dump;
	struct fact_socket socket; /* the last one given */
};

/* The name of the protocol above TCP; told to those with CAP_NET_ADMIN, from Linux 5.3 on. */
static bool is_mptcp(struct nlmsghdr *msg)
{
	const struct nlattr *ulp =
		nlmsg_find_attr(msg, sizeof(struct inet_diag_msg), INET_DIAG_ULP_INFO);
	const struct nlattr *name =
		ulp ? nla_find(nla_data(ulp), nla_len(ulp), INET_ULP_INFO_NAME) : NULL;

	return name && nla_strcmp(name, "mptcp") == 0;
}

/* Into list->socket. False: the message is too short for a socket. */
static bool socket_read(struct sockdiag *list, struct nlmsghdr *msg)
{
	const struct inet_diag_msg *row = nlmsg_data(msg);
	struct fact_socket *socket = &list->socket;
	const struct nlattr *info;

	if (nlmsg_datalen(msg) < (int)sizeof(*row))
		return false;
	*socket = (struct fact_socket){ .netns = list->netns, .idle = -1 };
	socket->cookie = (uint64_t)row->id.idiag_cookie[1] << 32 | row->id.idiag_cookie[0];
	socket->inode = row->idiag_inode;
	socket->state = row->idiag_state;
	socket->local = sockdiag_addr(row->idiag_family, row->id.idiag_src, row->id.idiag_sport);
	socket->remote = sockdiag_addr(row->idiag_family, row->id.idiag_dst, row->id.idiag_dport);
	socket->mptcp = is_mptcp(msg);
	socket->probe_in = probe_in(row);
	info = nlmsg_find_attr(msg, sizeof(*row), INET_DIAG_INFO);
	if (info && socket->state != TCP_LISTEN)
		socket->idle = idle_of(info);
	return true;
}

static int ask(struct sockdiag *list)
{
	const struct inet_diag_req_v2 req = {
		.sdiag_family = list->family,
		.sdiag_protocol = IPPROTO_TCP,
		.idiag_states = list->states,
		.idiag_ext = 1 << (INET_DIAG_INFO - 1),
	};
	struct nl_msg *msg = netlink_request(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	int err;

	if (msg && list->ports.v[0])
		add_port_filter(msg, &list->ports);
	err = netlink_dump_begin(&list->dump, list->fd, msg);
	nlmsg_free(msg);
	list->asked = true;
	return err;
}

/* IPv4 comes first, then IPv6. */
static void family_end(struct sockdiag *list)
{
	netlink_dump_end(&list->dump);
	list->family = list->family == AF_INET ? AF_INET6 : 0;
	list->asked = false;
}

static int list_failed(const struct sockdiag *list, int err, struct error *error)
{
	/* -ENOENT is what sock_diag answers when the handler is missing. */
	return error_set(error, err, err == -ENOENT ? "load the kernel module tcp_diag" : NULL,
			 "list the TCP sockets of netns %llu", (unsigned long long)list->netns);
}

int sockdiag_open(int nsfd, uint64_t netns, const struct agent_ports *ports, uint32_t states,
		  struct sockdiag **ret, struct error *error)
{
	struct sockdiag *list = calloc(1, sizeof(*list));

	if (!list)
		return error_set(error, -ENOMEM, NULL, "list the TCP sockets of netns %llu",
				 (unsigned long long)netns);
	list->netns = netns;
	if (ports)
		list->ports = *ports;
	list->states = states;
	list->family = AF_INET;
	list->fd = netlink_open(nsfd, NETLINK_SOCK_DIAG, error);
	if (list->fd < 0) {
		int err = list->fd;

		free(list);
		return err;
	}
	*ret = list;
	return 0;
}

void sockdiag_close(struct sockdiag *list)
{
	if (!list)
		return;
	netlink_dump_end(&list->dump);
	close(list->fd);
	free(list);
}

int sockdiag_next(struct sockdiag *list, const struct fact_socket **ret, struct error *error)
{
	struct nlmsghdr *msg;

	while (list->family) {
		int more = list->asked ? 0 : ask(list);

		if (!more)
			more = netlink_dump_next(&list->dump, &msg);
		if (more < 0)
			return list_failed(list, more, error);
		if (!more) {
			family_end(list);
		} else if (socket_read(list, msg)) {
			*ret = &list->socket;
			return 1;
		}
	}
	return 0;
}
