/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names of sockets. From 5.12 on a program that traces may ask for a socket's cookie, which makes
 * one where there is none. Before, it can only read one that somebody has asked for: these two ask,
 * for every TCP socket, when it is made and when it comes into being by a connection that arrives;
 * for those that were there before, sock_diag does (src/observe/cookies.c).
 */
#ifndef EW_BPF_COOKIE_H
#define EW_BPF_COOKIE_H

#include "maps.bpf.h"

/* Of an enum in linux/bpf.h, whose values are for good. */
#define BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB 5

SEC("cgroup/sock_create")
int cookie_created(struct bpf_sock *sock)
{
	bpf_get_socket_cookie(sock);
	return 1; /* always let through */
}

/* Before the change of state to ESTABLISHED (net/ipv4/tcp_input.c, tcp_rcv_state_process). */
SEC("sockops")
int cookie_accepted(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		bpf_get_socket_cookie(ops);
	return 1;
}

#endif
