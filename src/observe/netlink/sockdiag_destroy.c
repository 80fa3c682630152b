/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/netlink/sockdiag_destroy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/agent_ports.h"
#include "base/now.h"
#include "facts.h"
#include "base/error.h"
#include "base/array.h"
#include "observe/netlink/multicast_socket.h"
#include "observe/netlink/sockdiag.h"

#define LINGER (5 * NS_PER_S)

struct followed {
	uint64_t netns;
	unsigned int users;
	int64_t left_at; /* when the last user left */
	struct multicast_socket socket;
};

struct sockdiag_destroy {
	struct agent_ports ports;
	int epoll;
	struct followed *followed;
	size_t n, cap;
	uint64_t lost, seen; /* of namespaces that are no longer followed */
};

struct sockdiag_destroy *sockdiag_destroy_new(uint16_t port, int epoll)
{
	struct sockdiag_destroy *destroy = calloc(1, sizeof(*destroy));

	if (destroy) {
		destroy->ports.v[0] = port;
		destroy->epoll = epoll;
	}
	return destroy;
}

void sockdiag_destroy_free(struct sockdiag_destroy *destroy)
{
	if (!destroy)
		return;
	for (size_t i = 0; i < destroy->n; i++)
		multicast_socket_close(&destroy->followed[i].socket);
	free(destroy->followed);
	free(destroy);
}

static struct followed *find(const struct sockdiag_destroy *destroy, uint64_t netns)
{
	for (size_t i = 0; i < destroy->n; i++)
		if (destroy->followed[i].netns == netns)
			return &destroy->followed[i];
	return NULL;
}

#define AT_ID	(NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id))
#define AT_PORT (AT_ID + offsetof(struct inet_diag_sockid, idiag_sport))
#define AT_PEER (AT_ID + offsetof(struct inet_diag_sockid, idiag_dport))

/* Loads the port of either end, compares it with each of the agent's, then rejects, or accepts. */
#define FILTER_LEN (2 * (1 + AGENT_PORTS_MAX) + 2)

static struct sock_fprog filter_of(const struct agent_ports *ports, struct sock_filter *code)
{
	static const uint32_t at[] = { AT_PORT, AT_PEER };
	uint8_t n = 0;

	for (size_t end = 0; end < 2; end++) {
		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, at[end]);
		for (int i = 0; i < AGENT_PORTS_MAX; i++, n++)
			code[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							       ports->v[i] ?: ports->v[0],
							       FILTER_LEN - 2 - n, 0);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	return (struct sock_fprog){ .len = n, .filter = code };
}

int sockdiag_destroy_set_ports(struct sockdiag_destroy *destroy, const struct agent_ports *ports)
{
	struct sock_filter code[FILTER_LEN];
	struct sock_fprog filter;
	int err = 0;

	memcpy(destroy->ports.v + 1, ports->v + 1, sizeof(ports->v) - sizeof(ports->v[0]));
	filter = filter_of(&destroy->ports, code);
	for (size_t i = 0; i < destroy->n; i++)
		if (setsockopt(destroy->followed[i].socket.fd, SOL_SOCKET, SO_ATTACH_FILTER,
			       &filter, sizeof(filter)) < 0)
			err = -errno;
	return err;
}

static int open_in(struct multicast_socket *socket, const struct agent_ports *ports, int nsfd,
		   struct error *error)
{
	struct sock_filter code[FILTER_LEN];
	struct sock_fprog filter = filter_of(ports, code);
	int err = multicast_socket_open(socket, nsfd, NETLINK_SOCK_DIAG, &filter, error);

	if (err < 0)
		return err;
	err = multicast_socket_join(socket, SKNLGRP_INET_TCP_DESTROY);
	if (!err)
		err = multicast_socket_join(socket, SKNLGRP_INET6_TCP_DESTROY);
	if (err) {
		multicast_socket_close(socket);
		return error_set(error, err, "use Linux 4.2 or later with CONFIG_INET_DIAG",
				 "listen to the destroy notifications of sock_diag");
	}
	return 0;
}

int sockdiag_destroy_join(struct sockdiag_destroy *destroy, uint64_t netns, int nsfd,
			  struct error *error)
{
	struct followed *followed = find(destroy, netns);
	struct epoll_event event = { .events = EPOLLIN };
	struct multicast_socket socket;
	int err;

	if (followed) {
		followed->users++;
		return 0;
	}
	if (array_reserve(&destroy->followed, &destroy->cap, destroy->n, sizeof(*followed)) < 0)
		return error_set(error, -ENOMEM, NULL, "follow a network namespace");
	err = open_in(&socket, &destroy->ports, nsfd, error);
	if (err < 0)
		return err;
	if (epoll_ctl(destroy->epoll, EPOLL_CTL_ADD, socket.fd, &event) < 0) {
		err = error_set(error, -errno, NULL, "wait for a netlink socket");
		multicast_socket_close(&socket);
		return err;
	}
	destroy->followed[destroy->n++] =
		(struct followed){ .netns = netns, .users = 1, .socket = socket };
	return 0;
}

void sockdiag_destroy_leave(struct sockdiag_destroy *destroy, uint64_t netns)
{
	struct followed *followed = find(destroy, netns);

	if (followed && followed->users > 0 && --followed->users == 0)
		followed->left_at = now_mono();
}

static void message_emit(const struct followed *followed, const char *packet, size_t len,
			 const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_TCP, .mono = now_mono() };
	struct inet_diag_msg row;

	if (len < NLMSG_HDRLEN + sizeof(row))
		return;
	memcpy(&row, packet + NLMSG_HDRLEN, sizeof(row));
	fact.tcp.cookie = (uint64_t)row.id.idiag_cookie[1] << 32 | row.id.idiag_cookie[0];
	fact.tcp.netns = followed->netns;
	fact.tcp.local = sockdiag_addr(row.idiag_family, row.id.idiag_src, row.id.idiag_sport);
	fact.tcp.remote = sockdiag_addr(row.idiag_family, row.id.idiag_dst, row.id.idiag_dport);
	fact.tcp.to = TCP_CLOSE;
	fact_emit(sink, &fact);
}

static void forget(struct sockdiag_destroy *destroy, size_t i)
{
	struct multicast_socket *socket = &destroy->followed[i].socket;

	multicast_socket_count(socket);
	destroy->lost += socket->lost;
	destroy->seen += socket->seen;
	multicast_socket_close(socket);
	destroy->followed[i] = destroy->followed[--destroy->n];
}

void sockdiag_destroy_drain(struct sockdiag_destroy *destroy, const struct fact_sink *sink)
{
	int64_t now = now_mono();
	char packet[1024];
	long len;

	for (size_t i = 0; i < destroy->n; i++) {
		struct followed *followed = &destroy->followed[i];

		while ((len = multicast_socket_receive(&followed->socket, packet,
						       sizeof(packet))) >= 0)
			message_emit(followed, packet, (size_t)len, sink);
	}
	for (size_t i = destroy->n; i-- > 0;)
		if (!destroy->followed[i].users && now - destroy->followed[i].left_at > LINGER)
			forget(destroy, i);
}

void sockdiag_destroy_count(struct sockdiag_destroy *destroy, uint64_t *lost, uint64_t *seen)
{
	*lost = destroy->lost;
	*seen = destroy->seen;
	for (size_t i = 0; i < destroy->n; i++) {
		struct multicast_socket *socket = &destroy->followed[i].socket;

		multicast_socket_count(socket);
		*lost += socket->lost;
		*seen += socket->seen;
	}
	*seen += *lost;
}
