/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows of the iterator over descriptors. The kernel skips threads that share their leader's table;
 * other threads have rows of their own.
 */
#ifndef EW_BPF_SCAN_ROW_H
#define EW_BPF_SCAN_ROW_H

#include "read.bpf.h"

#define S_IFMT	 0170000
#define S_IFSOCK 0140000

/* Set before each scan. */
__u32 scan_number;
__u32 scan_tgid; /* 0: all processes; else besides all TCP sockets of this one */

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

static __always_inline struct sock *file_tcp(struct file *file)
{
	struct sock *sk = file_sock(file);
	__u16 family;

	if (!sk)
		return NULL;
	family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if ((family != AF_INET && family != AF_INET6) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return NULL;
	return sk;
}

/* The TCP socket of this row; fills in its ends, descriptor and holder. NULL: no TCP socket, or one
 * without a local port. */
static __always_inline struct sock *row_begin(struct bpf_iter__task_file *ctx,
					      struct ew_scan_socket *row)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;

	if (!task || !file)
		return NULL;
	sk = file_tcp(file);
	if (!sk)
		return NULL;
	row->header.ktime_ns = bpf_ktime_get_ns();
	sock_ends(sk, &row->ends);
	row->holder = task_of(task);
	row->fd = ctx->fd;
	row->inode = BPF_CORE_READ(file, f_inode, i_ino);
	return row->ends.lport ? sk : NULL;
}

static __always_inline __s64 sock_idle(struct sock *sk, __u32 state)
{
	__u32 now = bpf_jiffies64();
	__u32 sent = now - BPF_CORE_READ((struct tcp_sock *)sk, lsndtime);
	__u32 received = now - BPF_CORE_READ((struct inet_connection_sock *)sk, icsk_ack.lrcvtime);

	if (state == TCP_LISTEN || state == TCP_SYN_SENT || state == TCP_CLOSE)
		return -1;
	return sent < received ? sent : received;
}

/*
 * Cookie and state; false: no cookie. The time is taken before the state is read: the event of a
 * change that the row does not show is then later than the row.
 */
static __always_inline bool row_fill(struct sock *sk, struct ew_scan_socket *row)
{
	row->cookie = sock_cookie(sk);
	row->header.type = EW_SCAN_SOCKET;
	row->header.size = sizeof(*row);
	row->state = BPF_CORE_READ(sk, __sk_common.skc_state);
	row->idle_jiffies = sock_idle(sk, row->state);
	return row->cookie;
}

/* Another descriptor of a socket that this scan has reported. */
static __always_inline void row_write_holder(struct seq_file *seq, const struct ew_scan_socket *row)
{
	struct ew_scan_holder holder = {
		.header = { .type = EW_SCAN_HOLDER,
			    .size = sizeof(holder),
			    .ktime_ns = row->header.ktime_ns },
		.cookie = row->cookie,
		.holder = row->holder,
		.fd = row->fd,
	};

	bpf_seq_write(seq, &holder, sizeof(holder));
}

#endif
