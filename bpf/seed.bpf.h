/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is there already: a walk over every descriptor of every process, in all network namespaces.
 * Runs after the live programs are attached; what they have seen wins. Threads that share their
 * leader's table are skipped by the iterator, others come with rows of their own.
 *
 * The kernel runs the program again on the same descriptor when the buffer was full: all it does
 * must be repeatable, and it notes only what it has written.
 */
#ifndef EW_BPF_SEED_H
#define EW_BPF_SEED_H

#include "tcp.bpf.h"

#define S_IFMT   0170000
#define S_IFSOCK 0140000

static __always_inline __s64 sock_idle(struct sock *sk, __u32 state)
{
	__u32 now = bpf_jiffies64();
	__u32 sent = now - BPF_CORE_READ((struct tcp_sock *)sk, lsndtime);
	__u32 received = now - BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ack.lrcvtime);

	if (state == TCP_LISTEN || state == TCP_SYN_SENT || state == TCP_CLOSE)
		return -1;
	return sent < received ? sent : received;
}

static __always_inline bool seed_wants(const struct ew_ends *ends, const struct ew_task *holder)
{
	if (port_matters(ends->lport, ends->rport) || holder->tgid == seed_tgid)
		return true;
	return role_of(holder) & (EW_ROLE_AGENT | EW_ROLE_EXECUTOR);
}

#define STORE_NS 1000000000 /* longer than any preemption */

/*
 * The hook tells of a change before the socket has the new state (net/ipv4/af_inet.c,
 * inet_sk_state_store): preempted in between, it still shows the old one (seen on 6.1-rt).
 */
static __always_inline bool seed_is_behind(const struct ew_conn *conn,
					   const struct ew_seed_socket *row)
{
	return conn->from && row->state == conn->from &&
	       (__s64)(row->header.ktime_ns - conn->ktime_ns) < STORE_NS;
}

/* Enters what the walk has found, unless a live event was there first. */
static __always_inline struct ew_conn *seed_learn(struct sock *sk, __u64 cookie,
						  struct ew_seed_socket *row)
{
	struct ew_conn fresh = { .ends = row->ends, .owner = row->holder, .state = row->state,
				 .ktime_ns = row->header.ktime_ns };
	struct ew_conn *conn = bpf_map_lookup_elem(&conns, &cookie);
	long err;

	if (conn) {
		if (!conn->owner.tgid)
			conn->owner = row->holder;
		if (seed_is_behind(conn, row))
			row->state = conn->state;
		else if (conn->ktime_ns < row->header.ktime_ns)
			conn->state = row->state; /* heals a change that was missed */
		return conn;
	}
	err = bpf_map_update_elem(&conns, &cookie, &fresh, BPF_NOEXIST);
	if (err == -7 /* E2BIG */)
		COUNT(map_full);
	if (row->state == TCP_LISTEN)
		listener_learn(&row->ends, &row->holder, cookie);
	/* Closed in between: its last event has gone by, nobody would remove the entry. */
	if (!err && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE)
		bpf_map_delete_elem(&conns, &cookie);
	return bpf_map_lookup_elem(&conns, &cookie);
}

static __always_inline void seed_holder(struct seq_file *seq, const struct ew_seed_socket *row)
{
	struct ew_seed_holder holder = {
		.header = { .type = EW_SEED_HOLDER, .size = sizeof(holder),
			    .ktime_ns = row->header.ktime_ns },
		.cookie = row->cookie,
		.holder = row->holder,
		.fd = row->fd,
	};

	bpf_seq_write(seq, &holder, sizeof(holder));
}

/* The state is read after the time is taken: an event of the same change then comes later. */
static __always_inline void seed_describe(struct ew_seed_socket *row, struct sock *sk,
					  struct file *file)
{
	row->header.type = EW_SEED_SOCKET;
	row->header.size = sizeof(*row);
	row->inode = BPF_CORE_READ(file, f_inode, i_ino);
	row->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	row->idle_jiffies = sock_idle(sk, row->state);
}

static __always_inline struct sock *file_sock(struct file *file)
{
	struct socket *socket;

	if (has_file_helper) {
		socket = bpf_sock_from_file(file);
		return socket ? socket->sk : NULL;
	}
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return NULL;
	return BPF_CORE_READ(socket, sk);
}

SEC("iter/task_file")
int seed_row(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct ew_seed_socket row = {};
	struct file *file = ctx->file;
	struct ew_conn *conn;
	struct sock *sk;
	__u16 family;

	if (!task || !file)
		return 0;
	sk = file_sock(file);
	if (!sk)
		return 0;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return 0;
	row.header.ktime_ns = bpf_ktime_get_ns();
	sock_ends(sk, &row.ends);
	row.holder = task_of(task);
	if (!row.ends.lport || !seed_wants(&row.ends, &row.holder))
		return 0;
	row.cookie = sock_cookie(sk);
	if (!row.cookie)
		return 0;
	row.fd = ctx->fd;
	seed_describe(&row, sk, file);
	conn = seed_learn(sk, row.cookie, &row);
	if (conn && conn->pass == seed_pass) {
		seed_holder(ctx->meta->seq, &row);
		return 0;
	}
	if (!bpf_seq_write(ctx->meta->seq, &row, sizeof(row)) && conn)
		conn->pass = seed_pass;
	return 0;
}

#endif
