/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first bytes of each send on the observed connections. One of the four programs is loaded, the
 * first that the kernel accepts:
 *   tp_btf/tcp_sendmsg_locked  6.16 and later
 *   fentry/tcp_sendmsg         where the kernel has trampolines (x86_64; arm64 from about 6.4)
 *   kprobe/tcp_sendmsg
 *   cgroup_skb/egress          sees packets: of sends that share one only the first is seen
 */
#ifndef EW_BPF_MESSAGE_H
#define EW_BPF_MESSAGE_H

#include "tcp.bpf.h"

#define HEAD 8 /* bytes that suffice to recognize the beginning of a message */

enum head_kind { HEAD_NONE, HEAD_HTTP, HEAD_TLS, HEAD_BODY, HEAD_EVENT };

static __always_inline enum head_kind head_kind(const __u8 *h)
{
	if (h[0] == 'P' && h[1] == 'O' && h[2] == 'S' && h[3] == 'T' && h[4] == ' ' && h[5] == '/')
		return HEAD_HTTP;
	if (h[0] == 'H' && h[1] == 'T' && h[2] == 'T' && h[3] == 'P' && h[4] == '/' && h[5] == '1')
		return HEAD_HTTP;
	/*
	 * Event SHUTDOWN on a v1 stream, {1: 7} or {"type":"SHUTDOWN"} (Mesos
	 * v1/executor/executor.proto): a chunk of HTTP that holds one record, which begins with its
	 * length in decimal (common/recordio.hpp).
	 */
	if (h[0] == '4' && h[1] == '\r' && h[2] == '\n' && h[3] == '2' && h[4] == '\n' &&
	    h[5] == 8 && h[6] == 7)
		return HEAD_EVENT;
	if (h[0] == '1' && h[1] == '6' && h[2] == '\r' && h[3] == '\n' && h[4] == '1' &&
	    h[5] == '9' && h[6] == '\n' && h[7] == '{')
		return HEAD_EVENT;
	/* A TLS record: handshake or data, version 3.x */
	if ((h[0] == 0x16 || h[0] == 0x17) && h[1] == 3)
		return HEAD_TLS;
	return HEAD_NONE;
}

/*
 * The v1 library sends the head and the body of a call separately (measured: Mesos 1.12), and only
 * the body names the call: the send after the head of a request is shown too, whatever its bytes.
 */
static __always_inline enum head_kind head_kind_on(struct ew_conn *conn, const __u8 *h)
{
	enum head_kind kind = head_kind(h);

	if (kind == HEAD_NONE && conn->after_request)
		kind = HEAD_BODY;
	conn->after_request = kind == HEAD_HTTP && h[0] == 'P';
	return kind;
}

/* TLS is shown once per connection: further records tell nothing more. */
static __always_inline bool message_note(struct ew_conn *conn, enum head_kind kind, __u32 seq,
					 __u32 from)
{
	if (kind == HEAD_TLS && conn->tls)
		return false;
	conn->has_message = 1;
	conn->message_seq = seq;
	conn->message_from = from;
	conn->tls |= kind == HEAD_TLS;
	return true;
}

/*
 * A send is shown once, though its hook may run again before the first byte is queued: the kernel
 * waits for buffer space, or a non-blocking sender tries again. Another thread may wait for the
 * same position in the stream: one of two waiting sends may be shown twice, but none is missed.
 */
static __always_inline bool send_is_new(struct ew_conn *conn, enum head_kind kind, __u32 seq,
					void *data)
{
	__u32 thread = bpf_get_current_pid_tgid(), from = (unsigned long)data ^ thread << 16;

	if (conn->has_message && seq == conn->message_seq && from == conn->message_from)
		return false;
	return message_note(conn, kind, seq, from);
}

/* A retransmitted packet is not new. */
static __always_inline bool packet_is_new(struct ew_conn *conn, enum head_kind kind, __u32 seq)
{
	if (conn->has_message && (__s32)(seq - conn->message_seq) <= 0)
		return false;
	return message_note(conn, kind, seq, 0);
}

static __always_inline void message_describe(struct ew_message *ev, const struct ew_conn *conn,
					     __u64 cookie, const struct ew_task *sender,
					     __u32 total)
{
	ev->cookie = cookie;
	ev->ends = conn->ends;
	ev->sender = *sender;
	ev->total = total;
	ev->len = 0;
	__builtin_memset(ev->bytes, 0, sizeof(ev->bytes));
}

/* 1 to EW_MESSAGE_MAX, in a form that the verifiers of 6.1 and later accept. */
static __always_inline __u32 message_length(__u32 total)
{
	__u32 len = (total - 1) & (2 * EW_MESSAGE_MAX - 1);

	if (total > EW_MESSAGE_MAX || len > EW_MESSAGE_MAX - 1)
		len = EW_MESSAGE_MAX - 1;
	return len + 1;
}

static __always_inline const struct iovec *iter_iovec(struct iov_iter *iter)
{
	struct iov_iter___v6_4 *now = (void *)iter;
	struct iov_iter___v6_3 *then = (void *)iter;

	if (bpf_core_field_exists(now->__iov))
		return BPF_CORE_READ(now, __iov);
	return BPF_CORE_READ(then, iov);
}

static __always_inline __u32 iter_kind(struct iov_iter *iter)
{
	struct iov_iter___v5_13 *then = (void *)iter;

	if (bpf_core_field_exists(iter->iter_type))
		return BPF_CORE_READ(iter, iter_type);
	return BPF_CORE_READ(then, type) & ~1U;
}

#define PIECES 8 /* buffers of one send that are read, at most */

/* The sender's buffers (writev, sendmsg). */
struct send {
	const struct iovec *iov; /* NULL: a single buffer */
	__u32 pieces;
	__u32 len; /* of the first */
	void *data;
};

/*
 * False: the send has begun before, or its data is in kernel memory (sendfile, io_uring). The
 * values of enum iter_type differ between 6.1 and 6.12, hence bpf_core_enum_value().
 */
static __always_inline bool send_begin(struct iov_iter *iter, struct send *send)
{
	__u32 kind = iter_kind(iter);
	const struct iovec *iov;

	if (BPF_CORE_READ(iter, iov_offset))
		return false;
	send->pieces = 1;
	if (bpf_core_enum_value_exists(enum iter_type___v6_0, ITER_UBUF___v6_0) &&
	    kind == bpf_core_enum_value(enum iter_type___v6_0, ITER_UBUF___v6_0)) {
		send->data = BPF_CORE_READ((struct iov_iter___v6_0 *)iter, ubuf);
		send->len = BPF_CORE_READ(iter, count);
		return true;
	}
	if (kind != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return false;
	iov = iter_iovec(iter);
	send->iov = iov;
	send->pieces = BPF_CORE_READ(iter, nr_segs);
	send->data = BPF_CORE_READ(iov, iov_base);
	send->len = BPF_CORE_READ(iov, iov_len);
	return true;
}

/* Buffer i, at most avail bytes of it; NULL: there is none, or it is empty. */
static __always_inline void *send_piece(const struct send *send, __u32 i, __u32 avail, __u32 *len)
{
	const struct iovec *iov = send->iov + i;
	unsigned long all = send->len;
	void *data = send->data;

	if (i >= send->pieces)
		return NULL;
	if (i) {
		all = BPF_CORE_READ(iov, iov_len);
		data = BPF_CORE_READ(iov, iov_base);
	}
	*len = all < avail ? all : avail;
	return *len ? data : NULL;
}

/* head has twice the size, so that verifiers need not track the sum of have and len. */
static __always_inline bool send_head(const struct send *send, __u8 head[2 * HEAD])
{
	__u32 have = 0, len;
	void *data;

	if (send->len >= HEAD)
		return !bpf_probe_read_user(head, HEAD, send->data);
	for (__u32 i = 0; i < PIECES && have < HEAD; i++) {
		data = send_piece(send, i, HEAD, &len);
		if (!data)
			continue;
		if (bpf_probe_read_user(head + have, len, data))
			return false;
		have += len;
	}
	return true;
}

/* A length that fits behind at in the record, in a form that verifiers accept. */
static __always_inline __u32 message_space(__u32 at)
{
	if (at <= EW_MESSAGE_MAX / 2)
		return EW_MESSAGE_MAX / 2;
	if (at <= EW_MESSAGE_MAX / 4 * 3)
		return EW_MESSAGE_MAX / 4;
	return at <= EW_MESSAGE_MAX / 8 * 7 ? EW_MESSAGE_MAX / 8 : 0;
}

/* The other buffers. The length is kept in the record, as in listener_owner(). */
static __always_inline void message_append(struct ew_message *ev, const struct send *send)
{
	for (__u32 i = 1; i < PIECES; i++) {
		__u32 at = *(volatile __u32 *)&ev->len, avail = message_space(at), len;
		void *data = avail ? send_piece(send, i, avail, &len) : NULL;

		if (!data)
			continue;
		if (bpf_probe_read_user(ev->bytes + at, len, data))
			return; /* on a page that is not in memory */
		ev->len = at + len;
	}
}

/* Enough to recognize the message: 80 bytes name any message of libprocess. */
static __always_inline bool message_is_whole(const struct ew_message *ev)
{
	return ev->len >= ev->total || ev->len >= EW_MESSAGE_MAX / 4;
}

static __always_inline void message_fill(struct ew_message *ev, const struct send *send,
					 const __u8 head[2 * HEAD])
{
	__u32 len = message_length(send->len);

	if (send->len && bpf_probe_read_user(ev->bytes, len, send->data)) {
		/* its end is on a page that is not in memory */
		__builtin_memcpy(ev->bytes, head, HEAD);
		ev->len = HEAD;
		return;
	}
	ev->len = send->len ? len : 0;
	message_append(ev, send);
}

/* Runs in the sender's context. */
static __always_inline int message_sending(struct sock *sk, struct msghdr *msg, __u64 cookie)
{
	struct ew_conn *conn;
	struct ew_message *ev;
	struct send send = {};
	struct ew_task sender;
	__u8 head[2 * HEAD] = {};
	enum head_kind kind;
	__u32 total;

	if (!cookie || !is_active()) /* 0: none is assigned yet, so it is in no map */
		return 0;
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (!conn)
		return 0;
	COUNT(message_seen);
	conn_owner_confirm(conn, cookie);
	total = BPF_CORE_READ(msg, msg_iter.count);
	if (total < HEAD || !send_begin(&msg->msg_iter, &send))
		goto filtered;
	if (!send_head(&send, head)) {
		COUNT(message_unread);
		return 0;
	}
	kind = head_kind_on(conn, head);
	if (kind == HEAD_NONE ||
	    !send_is_new(conn, kind, BPF_CORE_READ((struct tcp_sock *)sk, write_seq), send.data))
		goto filtered;
	ev = message_reserve();
	if (!ev)
		return 0;
	sender = task_current();
	message_describe(ev, conn, cookie, &sender, total);
	message_fill(ev, &send, head);
	if (message_is_whole(ev))
		COUNT(message_shown);
	else
		COUNT(message_unread);
	bpf_ringbuf_submit(ev, 0);
	return 0;
filtered:
	COUNT(message_filtered);
	return 0;
}

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(message_tp, struct sock *sk, struct msghdr *msg)
{
	return message_sending(sk, msg, sk->__sk_common.skc_cookie.counter);
}

SEC("fentry/tcp_sendmsg")
int BPF_PROG(message_fentry, struct sock *sk, struct msghdr *msg)
{
	return message_sending(sk, msg, sk->__sk_common.skc_cookie.counter);
}

/*
 * Registers are read by CO-RE, since the object is the same for all architectures; and by a helper,
 * since the verifier rejects direct context accesses with a relocated offset.
 */
SEC("kprobe/tcp_sendmsg")
int message_kprobe(void *ctx)
{
	struct pt_regs___x86 *x86 = ctx;
	struct pt_regs___arm64 *arm64 = ctx;
	struct msghdr *msg;
	struct sock *sk;

	if (bpf_core_field_exists(x86->di)) {
		sk = (void *)BPF_CORE_READ(x86, di);
		msg = (void *)BPF_CORE_READ(x86, si);
	} else if (bpf_core_field_exists(arm64->regs)) {
		sk = (void *)BPF_CORE_READ(arm64, regs[0]);
		msg = (void *)BPF_CORE_READ(arm64, regs[1]);
	} else {
		return 0;
	}
	return message_sending(sk, msg, BPF_CORE_READ(sk, __sk_common.skc_cookie.counter));
}

#define ETH_P_IP   0x0800
#define ETH_P_IPV6 0x86dd

/* Offset of the TCP header; 0: not TCP. IPv6 extension headers are not followed. */
static __always_inline __u32 packet_tcp_offset(struct __sk_buff *skb)
{
	__u8 byte = 0;

	if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, 6, &byte, 1) || byte != IPPROTO_TCP)
			return 0;
		return 40;
	}
	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, 9, &byte, 1) ||
	    byte != IPPROTO_TCP || bpf_skb_load_bytes(skb, 0, &byte, 1))
		return 0;
	return (byte & 0xf) * 4;
}

static __always_inline void packet_message(struct __sk_buff *skb, __u32 tcp, struct ew_conn *conn,
					   __u64 cookie)
{
	struct ew_message *ev;
	struct ew_task sender;
	__u8 head[HEAD] = {};
	enum head_kind kind;
	__u32 data, len;
	__u8 doff = 0;
	__be32 seq = 0;

	COUNT(message_seen);
	if (bpf_skb_load_bytes(skb, tcp + 4, &seq, sizeof(seq)) ||
	    bpf_skb_load_bytes(skb, tcp + 12, &doff, 1))
		goto filtered;
	data = tcp + (doff >> 4) * 4;
	if (skb->len < data + HEAD || bpf_skb_load_bytes(skb, data, head, sizeof(head)))
		goto filtered;
	kind = head_kind_on(conn, head);
	if (kind == HEAD_NONE || !packet_is_new(conn, kind, bpf_ntohl(seq)))
		goto filtered;
	ev = message_reserve();
	if (!ev)
		return;
	sender = owner_living(conn);
	message_describe(ev, conn, cookie, &sender, skb->len - data);
	len = message_length(skb->len - data);
	if (!bpf_skb_load_bytes(skb, data, ev->bytes, len))
		ev->len = len;
	COUNT(message_shown);
	bpf_ringbuf_submit(ev, 0);
	return;
filtered:
	COUNT(message_filtered);
}

/* Often in a softirq: the sender is the connection's owner, if known. */
SEC("cgroup_skb/egress")
int message_packet(struct __sk_buff *skb)
{
	__u32 tcp = packet_tcp_offset(skb);
	struct ew_conn *conn;
	__u64 cookie;

	if (!tcp || !is_active())
		return 1;
	cookie = bpf_get_socket_cookie(skb);
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (conn)
		packet_message(skb, tcp, conn, cookie);
	return 1; /* always allow */
}

#endif
