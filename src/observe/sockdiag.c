/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/addr.h"
#include "facts.h"
#include "fail.h"
#include "observe/nl.h"

enum { STATE_LISTEN = 10 };

/*
 * "source port is P, or destination port is P" for the kernel's inet_diag bytecode. An op jumps by
 * yes or no bytes; to land exactly at the end accepts, 4 bytes beyond it rejects. Host conditions
 * with no address compare the port alone, on every kernel (the S_EQ op is younger).
 */
struct port_cond {
	struct inet_diag_bc_op op;
	uint8_t family; /* from here on struct inet_diag_hostcond, without addresses */
	uint8_t prefix_len;
	uint16_t pad;
	int32_t port;
};

struct port_filter {
	struct port_cond source;
	struct inet_diag_bc_op accept;
	struct port_cond dest;
};

_Static_assert(sizeof(struct port_cond) ==
		       sizeof(struct inet_diag_bc_op) + sizeof(struct inet_diag_hostcond),
	       "a condition is an op and its host condition");
_Static_assert(sizeof(struct port_filter) == 28, "bytecode has no padding");

static void put_port_filter(struct nlmsghdr *msg, uint16_t port)
{
	struct port_filter code = {
		.source = {
			.op = {
				.code = INET_DIAG_BC_S_COND,
				.yes = sizeof(struct port_cond),
				.no = sizeof(struct port_cond) + sizeof(struct inet_diag_bc_op),
			},
			.port = port,
		},
		.accept = {
			.code = INET_DIAG_BC_JMP,
			.yes = sizeof(struct inet_diag_bc_op),
			.no = sizeof(struct inet_diag_bc_op) + sizeof(struct port_cond),
		},
		.dest = {
			.op = {
				.code = INET_DIAG_BC_D_COND,
				.yes = sizeof(struct port_cond),
				.no = sizeof(struct port_cond) + 4,
			},
			.port = port,
		},
	};

	mnl_attr_put(msg, INET_DIAG_REQ_BYTECODE, sizeof(code), &code);
}

static struct ew_addr addr_of(uint8_t family, const __be32 *ip, __be16 port)
{
	struct ew_addr addr = { .port = ntohs(port) };

	if (family == AF_INET)
		return addr_from_v4(ip, ntohs(port));
	memcpy(addr.ip, ip, sizeof(addr.ip));
	return addr;
}

/* Since data last went either way; tcp_info grew over the years, these two were always there. */
static int64_t idle_of(const struct nlattr *attr)
{
	const struct tcp_info *info = mnl_attr_get_payload(attr);
	uint32_t sent, received;

	if (mnl_attr_get_payload_len(attr) < offsetof(struct tcp_info, tcpi_last_ack_recv))
		return -1;
	sent = info->tcpi_last_data_sent;
	received = info->tcpi_last_data_recv;
	return (int64_t)(sent < received ? sent : received) * 1000000;
}

struct pass {
	uint64_t netns;
	void (*each)(void *ctx, const struct fact_socket *socket);
	void *ctx;
};

static int socket_row(const struct nlmsghdr *msg, void *arg)
{
	const struct pass *pass = arg;
	const struct inet_diag_msg *row = mnl_nlmsg_get_payload(msg);
	struct fact_socket socket = { .netns = pass->netns, .idle = -1 };
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(msg) < sizeof(*row))
		return 0;
	socket.cookie = (uint64_t)row->id.idiag_cookie[1] << 32 | row->id.idiag_cookie[0];
	socket.inode = row->idiag_inode;
	socket.state = row->idiag_state;
	socket.local = addr_of(row->idiag_family, row->id.idiag_src, row->id.idiag_sport);
	socket.remote = addr_of(row->idiag_family, row->id.idiag_dst, row->id.idiag_dport);
	mnl_attr_for_each(attr, msg, sizeof(*row))
		if (mnl_attr_get_type(attr) == INET_DIAG_INFO && socket.state != STATE_LISTEN)
			socket.idle = idle_of(attr);
	pass->each(pass->ctx, &socket);
	return 0;
}

static int dump_family(struct mnl_socket *nl, uint8_t family, uint16_t port, uint32_t states,
		       struct pass *pass)
{
	char buf[256];
	struct nlmsghdr *msg = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req;

	msg->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	msg->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	msg->nlmsg_seq = family;
	req = mnl_nlmsg_put_extra_header(msg, sizeof(*req));
	req->sdiag_family = family;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = states;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	if (port)
		put_port_filter(msg, port);
	return nl_dump(nl, msg, socket_row, pass);
}

int sockdiag_dump(int nsfd, uint64_t netns, uint16_t port, uint32_t states,
		  void (*each)(void *ctx, const struct fact_socket *socket), void *ctx,
		  struct fail *why)
{
	struct pass pass = { .netns = netns, .each = each, .ctx = ctx };
	struct mnl_socket *nl;
	int err = nl_open(nsfd, NETLINK_SOCK_DIAG, &nl, why);

	if (err < 0)
		return err;
	err = dump_family(nl, AF_INET, port, states, &pass);
	if (!err)
		err = dump_family(nl, AF_INET6, port, states, &pass);
	mnl_socket_close(nl);
	if (err == -ENOENT) /* what sock_diag says when the handler is missing */
		return fail_set(why, err, "load the kernel module tcp_diag",
				"list the TCP sockets of netns %llu", (unsigned long long)netns);
	if (err < 0)
		return fail_set(why, err, NULL, "list the TCP sockets of netns %llu",
				(unsigned long long)netns);
	return 0;
}
