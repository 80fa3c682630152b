/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads tasks and sockets of the kernel. Uses no map: shared by all objects. */
#ifndef EW_BPF_READ_H
#define EW_BPF_READ_H

#include "events.h"

/* Set before loading. */
const volatile __u16 agent_port = 5051;
/*
 * Other ports that this agent advertises; 0: none. User space may add some at any time. A socket
 * with one of them at either end is observed; only agent_port makes its listener an agent.
 */
__u16 more_ports[EW_PORTS_MAX - 1];
/* May tracing programs call bpf_get_socket_cookie (5.12) and bpf_sock_from_file (5.11)? */
const volatile bool has_cookie_helper = true;
const volatile bool has_file_helper = true;

#define NSEC_PER_TICK 10000000 /* USER_HZ is 100 wherever execwatch runs */

#define AF_INET	    2
#define AF_INET6    10
#define IPPROTO_TCP 6

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_NEW_SYN_RECV = 12,
};

/* At CLOSE skc_num is 0 already (the bind bucket is released); inet_sport is not. */
static __always_inline __u16 sock_local_port(struct sock *sk)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_num);

	if (port)
		return port;
	return bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
}

static __always_inline __u16 sock_remote_port(struct sock *sk)
{
	return bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
}

static __always_inline void ip_map_v4(__u8 ip[16], __be32 v4)
{
	__builtin_memset(ip, 0, 10);
	ip[10] = 0xff;
	ip[11] = 0xff;
	__builtin_memcpy(ip + 12, &v4, sizeof(v4));
}

/* An unconnected socket yields all-zero addresses. */
static __always_inline void sock_ends(struct sock *sk, struct ew_ends *ends)
{
	__builtin_memset(ends, 0, sizeof(*ends));
	ends->lport = sock_local_port(sk);
	ends->rport = sock_remote_port(sk);
	ends->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&ends->laddr, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr8);
		BPF_CORE_READ_INTO(&ends->raddr, sk, __sk_common.skc_v6_daddr.in6_u.u6_addr8);
		return;
	}
	ip_map_v4(ends->laddr, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
	ip_map_v4(ends->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
}

static __always_inline bool port_is_agents(__u16 port)
{
	if (port == agent_port)
		return true;
	for (int i = 0; i < EW_PORTS_MAX - 1; i++)
		if (more_ports[i] && port == more_ports[i])
			return true;
	return false;
}

static __always_inline bool port_matters(__u16 local, __u16 remote)
{
	if (local == agent_port || remote == agent_port)
		return true;
	/* Nearly all agents advertise the port that they listen on. */
	return more_ports[0] && (port_is_agents(local) || port_is_agents(remote));
}

static __always_inline __u64 task_start_ticks(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct task_struct___v5_4 *old = (void *)leader;

	if (bpf_core_field_exists(old->real_start_time))
		return BPF_CORE_READ(old, real_start_time) / NSEC_PER_TICK;
	return BPF_CORE_READ(leader, start_boottime) / NSEC_PER_TICK;
}

static __always_inline struct ew_task task_of(struct task_struct *task)
{
	struct ew_task who = {
		.tgid = BPF_CORE_READ(task, tgid),
		.start_ticks = task_start_ticks(task),
	};
	return who;
}

/* 0: none is assigned (before 5.12). */
static __always_inline __u64 sock_cookie(struct sock *sk)
{
	if (has_cookie_helper)
		return bpf_get_socket_cookie(sk);
	return BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
}

#endif
