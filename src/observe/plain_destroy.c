/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/plain_destroy.h"

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

#include "base/now.h"
#include "facts.h"
#include "fail.h"
#include "observe/grow.h"
#include "observe/plain_socket.h"
#include "observe/sockdiag.h"

#define LINGER (5 * NS_PER_S)

struct followed {
	uint64_t netns;
	unsigned int users;
	int64_t left_at; /* when the last of them went */
	struct plain_socket socket;
};

struct plain_destroy {
	uint16_t port;
	int epoll;
	struct followed *followed;
	size_t n, cap;
	uint64_t lost, seen; /* of namespaces that are no longer followed */
};

struct plain_destroy *plain_destroy_new(uint16_t port, int epoll)
{
	struct plain_destroy *destroy = calloc(1, sizeof(*destroy));

	if (destroy) {
		destroy->port = port;
		destroy->epoll = epoll;
	}
	return destroy;
}

void plain_destroy_free(struct plain_destroy *destroy)
{
	if (!destroy)
		return;
	for (size_t i = 0; i < destroy->n; i++)
		plain_socket_close(&destroy->followed[i].socket);
	free(destroy->followed);
	free(destroy);
}

static struct followed *find(const struct plain_destroy *destroy, uint64_t netns)
{
	for (size_t i = 0; i < destroy->n; i++)
		if (destroy->followed[i].netns == netns)
			return &destroy->followed[i];
	return NULL;
}

#define AT_ID	(NLMSG_HDRLEN + offsetof(struct inet_diag_msg, id))
#define AT_PORT (AT_ID + offsetof(struct inet_diag_sockid, idiag_sport))
#define AT_PEER (AT_ID + offsetof(struct inet_diag_sockid, idiag_dport))

static int open_in(struct plain_socket *socket, uint16_t port, int nsfd, struct fail *why)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_PORT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 2, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT_PEER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, port, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { .len = sizeof(code) / sizeof(*code), .filter = code };
	int err = plain_socket_open(socket, nsfd, NETLINK_SOCK_DIAG, &filter, why);

	if (err < 0)
		return err;
	err = plain_socket_join(socket, SKNLGRP_INET_TCP_DESTROY);
	if (!err)
		err = plain_socket_join(socket, SKNLGRP_INET6_TCP_DESTROY);
	if (err) {
		plain_socket_close(socket);
		return fail_set(why, err, "use Linux 4.2 or later with CONFIG_INET_DIAG",
				"be told by sock_diag of the end of sockets");
	}
	return 0;
}

int plain_destroy_join(struct plain_destroy *destroy, uint64_t netns, int nsfd, struct fail *why)
{
	struct followed *followed = find(destroy, netns);
	struct epoll_event event = { .events = EPOLLIN };
	struct plain_socket socket;
	int err;

	if (followed) {
		followed->users++;
		return 0;
	}
	if (grow(&destroy->followed, &destroy->cap, destroy->n, sizeof(*followed)) < 0)
		return fail_set(why, -ENOMEM, NULL, "follow a network namespace");
	err = open_in(&socket, destroy->port, nsfd, why);
	if (err < 0)
		return err;
	if (epoll_ctl(destroy->epoll, EPOLL_CTL_ADD, socket.fd, &event) < 0) {
		err = fail_set(why, -errno, NULL, "wait for a netlink socket");
		plain_socket_close(&socket);
		return err;
	}
	destroy->followed[destroy->n++] =
		(struct followed){ .netns = netns, .users = 1, .socket = socket };
	return 0;
}

void plain_destroy_leave(struct plain_destroy *destroy, uint64_t netns)
{
	struct followed *followed = find(destroy, netns);

	if (followed && followed->users > 0 && --followed->users == 0)
		followed->left_at = now_mono();
}

static void message_put(const struct followed *followed, const char *packet, size_t len,
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
	fact_put(sink, &fact);
}

static void forget(struct plain_destroy *destroy, size_t i)
{
	struct plain_socket *socket = &destroy->followed[i].socket;

	plain_socket_count(socket);
	destroy->lost += socket->lost;
	destroy->seen += socket->seen;
	plain_socket_close(socket);
	destroy->followed[i] = destroy->followed[--destroy->n];
}

void plain_destroy_drain(struct plain_destroy *destroy, const struct fact_sink *sink)
{
	int64_t now = now_mono();
	char packet[1024];
	long len;

	for (size_t i = 0; i < destroy->n; i++) {
		struct followed *followed = &destroy->followed[i];

		while ((len = plain_socket_receive(&followed->socket, packet, sizeof(packet))) >= 0)
			message_put(followed, packet, (size_t)len, sink);
	}
	for (size_t i = destroy->n; i-- > 0;)
		if (!destroy->followed[i].users && now - destroy->followed[i].left_at > LINGER)
			forget(destroy, i);
}

void plain_destroy_count(struct plain_destroy *destroy, uint64_t *lost, uint64_t *seen)
{
	*lost = destroy->lost;
	*seen = destroy->seen;
	for (size_t i = 0; i < destroy->n; i++) {
		struct plain_socket *socket = &destroy->followed[i].socket;

		plain_socket_count(socket);
		*lost += socket->lost;
		*seen += socket->seen;
	}
	*seen += *lost;
}
