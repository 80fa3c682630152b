/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The first bytes of what is sent on connections that matter. One of the four programs is loaded,
 * the first that the kernel takes:
 *   tp_btf/tcp_sendmsg_locked  6.16 and later
 *   fentry/tcp_sendmsg         where trampolines are (x86_64; arm64 from about 6.4)
 *   kprobe/tcp_sendmsg
 *   cgroup_skb/egress          sees packets: sends that are coalesced into one hide in it
 */
#ifndef EW_BPF_MESSAGE_H
#define EW_BPF_MESSAGE_H

#include "tcp.bpf.h"

#define HEAD 8 /* enough to tell whether a message begins here */

enum head_kind { HEAD_NONE, HEAD_HTTP, HEAD_TLS, HEAD_BODY };

static __always_inline enum head_kind head_kind(const __u8 *h)
{
	if (h[0] == 'P' && h[1] == 'O' && h[2] == 'S' && h[3] == 'T' && h[4] == ' ' && h[5] == '/')
		return HEAD_HTTP;
	if (h[0] == 'H' && h[1] == 'T' && h[2] == 'T' && h[3] == 'P' && h[4] == '/' && h[5] == '1')
		return HEAD_HTTP;
	/* A TLS record: handshake or data, version 3.x */
	if ((h[0] == 0x16 || h[0] == 0x17) && h[1] == 3)
		return HEAD_TLS;
	return HEAD_NONE;
}

/*
 * The v1 library sends a call's head and body apart (measured: Mesos 1.12), and only the body says
 * what the call is: the send after a request's head is shown too, whatever it begins with.
 */
static __always_inline enum head_kind head_kind_on(struct ew_conn *conn, const __u8 *h)
{
	enum head_kind kind = head_kind(h);

	if (kind == HEAD_NONE && conn->after_request)
		kind = HEAD_BODY;
	conn->after_request = kind == HEAD_HTTP && h[0] == 'P';
	return kind;
}

/*
 * A send is shown once, though its hook may fire again before the first byte is queued (no memory)
 * and packets are sent again. TLS is shown once per connection: the rest says nothing more.
 */
static __always_inline bool message_is_new(struct ew_conn *conn, enum head_kind kind, __u32 seq)
{
	if (conn->has_message && (__s32)(seq - conn->message_seq) <= 0)
		return false;
	if (kind == HEAD_TLS && conn->tls)
		return false;
	conn->has_message = 1;
	conn->message_seq = seq;
	conn->tls |= kind == HEAD_TLS;
	return true;
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

/* 1 to EW_MESSAGE_MAX, in a way that the verifiers of 6.1 and later follow. */
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

/*
 * The user memory that a send begins with; NULL: the send is under way already, or its data is in
 * kernel memory (sendfile, io_uring). The numbers of the kinds have changed places between 6.1 and
 * 6.12, hence bpf_core_enum_value().
 */
static __always_inline void *iter_start(struct iov_iter *iter, __u32 *len)
{
	__u32 kind = iter_kind(iter);
	const struct iovec *iov;

	*len = BPF_CORE_READ(iter, count);
	if (BPF_CORE_READ(iter, iov_offset))
		return NULL;
	if (bpf_core_enum_value_exists(enum iter_type___v6_0, ITER_UBUF___v6_0) &&
	    kind == bpf_core_enum_value(enum iter_type___v6_0, ITER_UBUF___v6_0))
		return BPF_CORE_READ((struct iov_iter___v6_0 *)iter, ubuf);
	if (kind != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return NULL;
	iov = iter_iovec(iter);
	*len = BPF_CORE_READ(iov, iov_len);
	return BPF_CORE_READ(iov, iov_base);
}

/* In the sender's context. */
static __always_inline int message_sending(struct sock *sk, struct msghdr *msg, __u64 cookie)
{
	struct ew_conn *conn;
	struct ew_message *ev;
	struct ew_task sender;
	__u8 head[HEAD] = {};
	enum head_kind kind;
	__u32 len = 0, total;
	void *data;

	if (!cookie || !on_duty()) /* 0: nobody has asked for it yet, so it is in no map */
		return 0;
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (!conn)
		return 0;
	COUNT(message_seen);
	conn_owner_confirm(conn, cookie);
	data = iter_start(&msg->msg_iter, &len);
	total = BPF_CORE_READ(msg, msg_iter.count);
	if (!data || len < HEAD)
		goto filtered;
	if (bpf_probe_read_user(head, sizeof(head), data)) {
		COUNT(message_unread);
		return 0;
	}
	kind = head_kind_on(conn, head);
	if (kind == HEAD_NONE ||
	    !message_is_new(conn, kind, BPF_CORE_READ((struct tcp_sock *)sk, write_seq)))
		goto filtered;
	ev = message_reserve();
	if (!ev)
		return 0;
	sender = task_current();
	message_describe(ev, conn, cookie, &sender, total);
	len = message_length(len);
	if (!bpf_probe_read_user(ev->bytes, len, data)) {
		ev->len = len;
	} else { /* its end is on a page that is not there */
		__builtin_memcpy(ev->bytes, head, sizeof(head));
		ev->len = sizeof(head);
	}
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
 * Registers are read by CO-RE, for the object does not know which architecture it will run on; and
 * by a helper, for the verifier takes no context whose offset depends on that.
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

/* Where the TCP header is; 0: none in this packet. Extension headers of IPv6 are not followed. */
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
	if (kind == HEAD_NONE || !message_is_new(conn, kind, bpf_ntohl(seq)))
		goto filtered;
	ev = message_reserve();
	if (!ev)
		return;
	sender = owner_living(conn);
	message_describe(ev, conn, cookie, &sender, skb->len - data);
	len = message_length(skb->len - data);
	if (!bpf_skb_load_bytes(skb, data, ev->bytes, len))
		ev->len = len;
	bpf_ringbuf_submit(ev, 0);
	return;
filtered:
	COUNT(message_filtered);
}

/* Often in a softirq: the sender is the connection's owner as far as that is known. */
SEC("cgroup_skb/egress")
int message_packet(struct __sk_buff *skb)
{
	__u32 tcp = packet_tcp_offset(skb);
	struct ew_conn *conn;
	__u64 cookie;

	if (!tcp || !on_duty())
		return 1;
	cookie = bpf_get_socket_cookie(skb);
	conn = bpf_map_lookup_elem(&conns, &cookie);
	if (conn)
		packet_message(skb, tcp, conn, cookie);
	return 1; /* always let through */
}

#endif
