/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets, and which of them matter. */
#ifndef EW_BPF_SOCK_H
#define EW_BPF_SOCK_H

#include "task.bpf.h"

#define AF_INET     2
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

/* At CLOSE skc_num is 0 already (the bind bucket is released), inet_sport is not. */
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

/* A zeroed socket's family (before connect) gives zeroes. */
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

static __always_inline bool port_matters(__u16 local, __u16 remote)
{
	return local == agent_port || remote == agent_port;
}

static __always_inline bool role_accepts(__u32 role)
{
	/* An executor just born: a descendant of the agent that talks to the agent. */
	return role & (EW_ROLE_AGENT | EW_ROLE_EXECUTOR) ||
	       (role & (EW_ROLE_CHILD | EW_ROLE_PEER)) == (EW_ROLE_CHILD | EW_ROLE_PEER);
}

static __always_inline __u32 role_of(const struct ew_task *who)
{
	__u32 tgid = who->tgid;
	struct ew_proc *proc = bpf_map_lookup_elem(&procs, &tgid);

	return proc && proc->start_ticks == who->start_ticks ? proc->role : 0;
}

/*
 * Does the process that listens here accept connections that matter? Fills in who it is. The
 * child's own context is a softirq that may interrupt anybody: its owner is the listener's.
 */
static __always_inline bool listener_matters(const struct ew_ends *ends, struct ew_task *owner)
{
	struct ew_listen_key key = { .netns = ends->netns, .port = ends->lport };
	struct ew_listener *listener = bpf_map_lookup_elem(&listeners, &key);

	if (listener)
		*owner = listener->owner;
	if (ends->lport == agent_port)
		return true;
	return listener && role_accepts(role_of(owner));
}

static __always_inline void listener_learn(const struct ew_ends *ends, const struct ew_task *owner,
					   __u64 cookie)
{
	struct ew_listen_key key = { .netns = ends->netns, .port = ends->lport };
	struct ew_listener listener = { .owner = *owner, .cookie = cookie };

	if (bpf_map_update_elem(&listeners, &key, &listener, BPF_ANY))
		COUNT(map_full);
	if (ends->lport == agent_port)
		proc_learn(owner, EW_ROLE_AGENT, agent_depth);
}

/* Another socket may listen at the port by now (SO_REUSEPORT): only the own entry goes. */
static __always_inline void listener_forget(const struct ew_ends *ends, __u64 cookie)
{
	struct ew_listen_key key = { .netns = ends->netns, .port = ends->lport };
	struct ew_listener *listener = bpf_map_lookup_elem(&listeners, &key);

	if (listener && listener->cookie == cookie)
		bpf_map_delete_elem(&listeners, &key);
}

#endif
