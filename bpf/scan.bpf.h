/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Scan of all descriptors of all processes, in all network namespaces: sockets that existed before
 * the other programs were attached. What those have seen takes precedence.
 *
 * The kernel runs the program again on the same descriptor when the buffer was full: everything
 * must be repeatable, and a socket counts as reported only once its row has been written.
 */
#ifndef EW_BPF_SCAN_H
#define EW_BPF_SCAN_H

#include "scan_row.bpf.h"
#include "tcp.bpf.h"

static __always_inline bool scan_wants(const struct ew_ends *ends, const struct ew_task *holder)
{
	if (port_matters(ends->lport, ends->rport) || holder->tgid == scan_tgid)
		return true;
	return role_of(holder) & (EW_ROLE_AGENT | EW_ROLE_EXECUTOR);
}

#define STORE_NS 1000000000 /* longer than any preemption */

/*
 * The hook reports a change before the socket has the new state (net/ipv4/af_inet.c,
 * inet_sk_state_store): preempted in between, the socket still has the old one (seen on 6.1-rt).
 */
static __always_inline bool scan_is_behind(const struct ew_conn *conn,
					   const struct ew_scan_socket *row)
{
	return conn->from && row->state == conn->from &&
	       (__s64)(row->header.ktime_ns - conn->ktime_ns) < STORE_NS;
}

/* Repairs what was missed, or removed with an earlier listener or owner. */
static __always_inline void scan_listener(const struct ew_conn *conn, __u64 cookie,
					  const struct ew_scan_socket *row)
{
	if (conn->state != TCP_LISTEN)
		return;
	listener_learn(&conn->ends, cookie);
	if (task_same(&conn->owner, &row->holder)) /* the recorded owner is alive */
		agent_learn(conn);
}

/* Adds the socket to conns, unless an event has done so. */
static __always_inline struct ew_conn *scan_learn(struct sock *sk, __u64 cookie,
						  struct ew_scan_socket *row)
{
	struct ew_conn fresh = { .ends = row->ends,
				 .owner = row->holder,
				 .state = row->state,
				 .ktime_ns = row->header.ktime_ns };
	struct ew_conn *conn = bpf_map_lookup_elem(&conns, &cookie);
	long err;

	if (conn) {
		if (!conn->owner.tgid)
			conn->owner = row->holder;
		if (scan_is_behind(conn, row))
			row->state = conn->state;
		else if (conn->ktime_ns < row->header.ktime_ns)
			conn->state = row->state; /* repairs a missed change */
		scan_listener(conn, cookie, row);
		return conn;
	}
	err = bpf_map_update_elem(&conns, &cookie, &fresh, BPF_NOEXIST);
	if (err == -7 /* E2BIG */)
		COUNT(unfollowed);
	/* Closed in between: its last event is over, and nothing else would remove the entry. */
	if (!err && BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_CLOSE)
		bpf_map_delete_elem(&conns, &cookie);
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (conn)
		scan_listener(conn, cookie, row);
	return conn;
}

/* An owner without a descriptor is replaced later (src/observe/bpf/conns_gc.h). */
static __always_inline void scan_owner(struct ew_conn *conn, const struct ew_task *holder)
{
	if (conn->scan_number != scan_number)
		conn->owner_held = 0;
	if (task_same(&conn->owner, holder))
		conn->owner_held = 1;
}

SEC("iter/task_file")
int scan_row(struct bpf_iter__task_file *ctx)
{
	struct ew_scan_socket row = {};
	struct ew_conn *conn;
	struct sock *sk;

	sk = row_begin(ctx, &row);
	if (!sk || !scan_wants(&row.ends, &row.holder) || !row_fill(sk, &row))
		return 0;
	conn = scan_learn(sk, row.cookie, &row);
	if (conn)
		scan_owner(conn, &row.holder);
	if (conn && conn->scan_number == scan_number) {
		row_write_holder(ctx->meta->seq, &row);
		return 0;
	}
	if (!bpf_seq_write(ctx->meta->seq, &row, sizeof(row)) && conn)
		conn->scan_number = scan_number;
	return 0;
}

#endif
