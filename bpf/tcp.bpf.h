/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Changes of TCP state. The current process is the acting one (measured on 6.1, 6.12, 6.18) at
 * ->LISTEN, ->SYN_SENT, ->FIN_WAIT1, ->LAST_ACK and LISTEN->CLOSE. All other changes happen in a
 * softirq, which may interrupt any process; on loopback, the peer.
 */
#ifndef EW_BPF_TCP_H
#define EW_BPF_TCP_H

#include "cookie.bpf.h"
#include "listener.bpf.h"

static __always_inline bool tcp_context_trusted(int from, int to)
{
	return to == TCP_LISTEN || to == TCP_SYN_SENT || to == TCP_FIN_WAIT1 ||
	       to == TCP_LAST_ACK || (from == TCP_LISTEN && to == TCP_CLOSE);
}

/* The owner has closed it, and execwatch's scan released it last: the owner is in the map. */
static __always_inline bool tcp_closed_by_scan(const struct ew_conn *conn, int to)
{
	return (to == TCP_FIN_WAIT1 || to == TCP_LAST_ACK || to == TCP_CLOSE) &&
	       bpf_get_current_pid_tgid() >> 32 == own_tgid && conn->owner.tgid != own_tgid;
}

/* Does a socket that matters begin here? Sets its owner, if known. */
static __always_inline bool tcp_matters(const struct ew_ends *ends, int from, int to,
					struct ew_task *owner)
{
	bool port = port_matters(ends->lport, ends->rport);

	if (to == TCP_LISTEN || to == TCP_SYN_SENT) {
		__u32 role;

		*owner = task_current();
		role = role_of(owner);
		if (to == TCP_SYN_SENT && port_is_agents(ends->rport))
			proc_learn(owner, EW_ROLE_PEER, 0);
		if (to == TCP_LISTEN)
			role &= ~EW_ROLE_PEER;
		else
			role &= EW_ROLE_AGENT | EW_ROLE_EXECUTOR;
		return port || role;
	}
	if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED)
		return port || listener_matters(ends);
	return port;
}

/* NULL: not added, and the reason has been counted. */
static __always_inline struct ew_conn *tcp_learn(struct sock *sk, int from, int to, __u64 *cookie)
{
	struct ew_conn fresh = { .ktime_ns = bpf_ktime_get_ns(), .state = to, .from = from };
	struct ew_conn *conn;

	sock_ends(sk, &fresh.ends);
	if (!tcp_matters(&fresh.ends, from, to, &fresh.owner)) {
		COUNT(life_filtered);
		return NULL;
	}
	*cookie = sock_cookie(sk);
	if (!*cookie) {
		COUNT(life_unnamed);
		return NULL;
	}
	fresh.owner_sure = to == TCP_LISTEN || to == TCP_SYN_SENT;
	bpf_map_update_elem(&conns, cookie, &fresh, BPF_ANY);
	conn = bpf_map_lookup_elem(&conns, cookie);
	if (!conn)
		COUNT(life_unkept);
	else if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED)
		listener_owner(conn);
	return conn;
}

/* The local port is not set before the event of SYN_SENT is over. */
static __always_inline void tcp_renew(struct ew_conn *conn, struct sock *sk, int from, int to)
{
	conn->ktime_ns = bpf_ktime_get_ns();
	conn->state = to;
	conn->from = from;
	sock_ends(sk, &conn->ends);
	/* connected again after connect(AF_UNSPEC), or made to listen */
	if (to == TCP_SYN_SENT || to == TCP_LISTEN) {
		conn->owner = task_current();
		conn->owner_sure = 1;
		conn->has_message = 0;
	}
}

static __always_inline void tcp_report(__u16 type, const struct ew_conn *conn, __u64 cookie,
				       const struct ew_task *task, int from, int to, int error)
{
	struct ew_tcp *ev = life_reserve(type, sizeof(*ev));

	if (!ev)
		return;
	ev->cookie = cookie;
	ev->ends = conn->ends;
	ev->task = *task;
	ev->from = from;
	ev->to = to;
	ev->pad = 0;
	ev->error = error;
	bpf_ringbuf_submit(ev, 0);
}

/*
 * The current process uses the socket. This determines the owner of an accepted socket: its
 * listener may be shared, or have been passed to another process.
 */
static __always_inline void conn_owner_confirm(struct ew_conn *conn, __u64 cookie)
{
	struct ew_task who;

	if (conn->owner_sure)
		return;
	who = task_current();
	if (!who.tgid)
		return;
	conn->owner_sure = 1;
	if (task_same(&conn->owner, &who))
		return;
	conn->owner = who;
	COUNT(life_seen);
	tcp_report(EW_TCP_OWNER, conn, cookie, &who, conn->state, conn->state, 0);
}

static __always_inline bool tcp_begins(int from, int to)
{
	return to == TCP_LISTEN || to == TCP_SYN_SENT ||
	       (from == TCP_SYN_RECV && to == TCP_ESTABLISHED);
}

/*
 * Excludes nearly all connections of a host by direct loads, without a map lookup. A socket without
 * an assigned cookie is in no map.
 */
static __always_inline bool tcp_prefilter(struct sock *sk, int from, int to)
{
	/* 6.1 and 6.12 pass the unfinished child, with its listener's cookie and addresses. */
	if (sk->sk_protocol != IPPROTO_TCP || to == TCP_SYN_RECV || to == TCP_NEW_SYN_RECV)
		return false;
	return sk->__sk_common.skc_cookie.counter || tcp_begins(from, to) ||
	       port_matters(sk->__sk_common.skc_num, bpf_ntohs(sk->__sk_common.skc_dport));
}

/* One map lookup where a connection begins. */
static __always_inline bool tcp_may_matter(struct sock *sk, int from, int to)
{
	struct ew_listen_key key = { .port = sk->__sk_common.skc_num };
	__u32 tgid;

	if (port_matters(key.port, bpf_ntohs(sk->__sk_common.skc_dport)))
		return true;
	if (to == TCP_LISTEN || to == TCP_SYN_SENT) {
		tgid = bpf_get_current_pid_tgid() >> 32;
		return bpf_map_lookup_elem(&procs, &tgid);
	}
	if (from != TCP_SYN_RECV || to != TCP_ESTABLISHED)
		return false;
	key.netns = sk->__sk_common.skc_net.net->ns.inum;
	return bpf_map_lookup_elem(&listeners, &key);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state_set, struct sock *sk, int from, int to)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	struct ew_conn *conn = NULL;
	struct ew_task task = {};

	if (!tcp_prefilter(sk, from, to) || !is_active())
		return 0;
	COUNT(life_seen);
	if (cookie)
		conn = bpf_map_lookup_elem(&conns, &cookie);
	if (conn)
		tcp_renew(conn, sk, from, to);
	else if (tcp_may_matter(sk, from, to))
		conn = tcp_learn(sk, from, to, &cookie);
	else
		COUNT(life_filtered);
	if (!conn)
		return 0;
	if (tcp_context_trusted(from, to) && !tcp_closed_by_scan(conn, to))
		task = task_current();
	else if (from == TCP_SYN_RECV && to == TCP_ESTABLISHED)
		task = conn->owner;
	if (to == TCP_LISTEN) {
		listener_learn(&conn->ends, cookie);
		agent_learn(conn);
	}
	tcp_report(EW_TCP_STATE, conn, cookie, &task, from, to, sk->sk_err);
	if (to != TCP_CLOSE)
		return 0;
	if (from == TCP_LISTEN)
		listener_forget(&conn->ends, cookie);
	/* Last: the memory of a deleted entry may be reused at once. */
	bpf_map_delete_elem(&conns, &cookie);
	return 0;
}

/* Runs in the process that has just received data. */
SEC("tp_btf/tcp_rcv_space_adjust")
int BPF_PROG(tcp_data_read, struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;
	struct ew_conn *conn;

	if (!cookie) /* 0: none is assigned yet, so it is in no map */
		return 0;
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (conn && is_active())
		conn_owner_confirm(conn, cookie);
	return 0;
}

#endif
