/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Socket cookies. From 5.12 on a tracing program may ask for a socket's cookie, which assigns one
 * if there is none. Before, it can only read a cookie that was assigned already: these two programs
 * have one assigned to every TCP socket when it is created, and when it results from an incoming
 * connection; for older sockets sock_diag does (src/observe/netlink/sock_cookies.c).
 */
#ifndef EW_BPF_COOKIE_H
#define EW_BPF_COOKIE_H

#include "maps.bpf.h"

/* From an enum in linux/bpf.h, whose values never change. */
#define BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB 5

SEC("cgroup/sock_create")
int cookie_created(struct bpf_sock *sock)
{
	bpf_get_socket_cookie(sock);
	return 1; /* always allow */
}

/* Runs before the state changes to ESTABLISHED (net/ipv4/tcp_input.c, tcp_rcv_state_process). */
SEC("sockops")
int cookie_accepted(struct bpf_sock_ops *ops)
{
	if (ops->op == BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB)
		bpf_get_socket_cookie(ops);
	return 1;
}

#endif
