/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The listeners of a port. There may be several: for different addresses, for IPv4 and IPv6, or for
 * the same address by SO_REUSEPORT. A newly accepted socket has no reference to its listener.
 */
#ifndef EW_BPF_LISTENER_H
#define EW_BPF_LISTENER_H

#include "sock.bpf.h"

/* An address in two halves. IPv4: high is 0, low is ::ffff:a.b.c.d, in network byte order. */
struct ip_halves {
	__u64 high, low;
};

static __always_inline struct ip_halves ip_halves(const __u8 ip[16])
{
	struct ip_halves halves;

	__builtin_memcpy(&halves, ip, sizeof(halves));
	return halves;
}

#define V4_ANY bpf_cpu_to_be64(0x0000ffff00000000ULL)

static __always_inline bool ip_is_v4(struct ip_halves ip)
{
	return !ip.high && (ip.low & bpf_cpu_to_be64(0xffffffff00000000ULL)) == V4_ANY;
}

/* The kernel takes the listener with the best score (net/ipv4/inet_hashtables.c, compute_score). */
static __always_inline int listener_score(const struct ew_conn *listener,
					  const struct ew_ends *accepted)
{
	struct ip_halves at = ip_halves(listener->ends.laddr), ip = ip_halves(accepted->laddr);

	if (listener->state != TCP_LISTEN)
		return 0;
	if (at.high == ip.high && at.low == ip.low)
		return 3;
	if (at.high)
		return 0;
	if (ip_is_v4(ip))
		return at.low == V4_ANY ? 2 : !at.low;
	return at.low ? 0 : 2;
}

/* Does a process whose connections matter own one of the listeners? */
static __always_inline bool listener_matters(const struct ew_ends *accepted)
{
	struct ew_listen_key key = { .netns = accepted->netns, .port = accepted->lport };
	struct ew_listeners *all = bpf_map_lookup_elem(&listeners, &key);

	for (int i = 0; all && i < EW_LISTENERS_MAX; i++) {
		__u64 cookie = all->cookies[i];
		struct ew_conn *one = cookie ? bpf_map_lookup_elem(&conns, &cookie) : NULL;

		if (one && role_accepts(role_of(&one->owner)))
			return true;
	}
	return false;
}

static __always_inline void listener_offer(struct ew_conn *accepted, const struct ew_conn *listener)
{
	int fit = listener_score(listener, &accepted->ends);
	struct ew_task owner, none = {};

	if (!fit || fit < accepted->listener_fit)
		return;
	owner = owner_living(listener);
	if (fit > accepted->listener_fit)
		accepted->owner = owner;
	else if (!task_same(&accepted->owner, &owner))
		accepted->owner = none;
	accepted->listener_fit = fit;
}

/*
 * Sets the owner of an accepted socket, if that is certain. With two listeners of the same address,
 * or after the listening process has exited, the owner is unknown until the socket is used. The
 * hook runs in a softirq, which may interrupt any process. Results are kept in the entry, not in
 * registers: otherwise the verifier explores each combination of the listeners before.
 */
static __always_inline void listener_owner(struct ew_conn *accepted)
{
	struct ew_listen_key key = { .netns = accepted->ends.netns, .port = accepted->ends.lport };
	struct ew_listeners *all = bpf_map_lookup_elem(&listeners, &key);
	struct ew_task none = {};

	for (int i = 0; all && i < EW_LISTENERS_MAX; i++) {
		__u64 cookie = all->cookies[i];
		struct ew_conn *one = cookie ? bpf_map_lookup_elem(&conns, &cookie) : NULL;

		if (one)
			listener_offer(accepted, one);
		barrier();
	}
	if (all && all->cookies[EW_LISTENERS_MAX - 1] == EW_LISTENERS_MORE)
		accepted->owner = none;
}

static __always_inline bool listener_is_gone(__u64 cookie)
{
	return !cookie || (cookie != EW_LISTENERS_MORE && !bpf_map_lookup_elem(&conns, &cookie));
}

static __always_inline void listener_enter(struct ew_listeners *all, __u64 cookie)
{
	for (int i = 0; i < EW_LISTENERS_MAX; i++)
		if (all->cookies[i] == cookie)
			return;
	for (int i = 0; i < EW_LISTENERS_MAX; i++) {
		if (listener_is_gone(all->cookies[i])) {
			all->cookies[i] = cookie;
			return;
		}
	}
	all->cookies[EW_LISTENERS_MAX - 1] = EW_LISTENERS_MORE;
}

/* The socket must be in conns already. Safe to repeat. */
static __always_inline void listener_learn(const struct ew_ends *ends, __u64 cookie)
{
	struct ew_listen_key key = { .netns = ends->netns, .port = ends->lport };
	struct ew_listeners fresh = { .cookies = { cookie } }, *all;

	all = bpf_map_lookup_elem(&listeners, &key);
	if (!all) {
		if (!bpf_map_update_elem(&listeners, &key, &fresh, BPF_NOEXIST))
			return;
		all = bpf_map_lookup_elem(&listeners, &key); /* another CPU was first */
	}
	if (all)
		listener_enter(all, cookie);
	else
		COUNT(unfollowed);
}

/* A process that listens on the agent port is an agent. */
static __always_inline void agent_learn(const struct ew_conn *listener)
{
	if (listener->ends.lport == agent_port)
		proc_learn(&listener->owner, EW_ROLE_AGENT, agent_depth);
}

static __always_inline void listener_forget(const struct ew_ends *ends, __u64 cookie)
{
	struct ew_listen_key key = { .netns = ends->netns, .port = ends->lport };
	struct ew_listeners *all = bpf_map_lookup_elem(&listeners, &key);
	__u64 left = 0;

	for (int i = 0; all && i < EW_LISTENERS_MAX; i++) {
		if (all->cookies[i] == cookie)
			all->cookies[i] = 0;
		if (all->cookies[i] != EW_LISTENERS_MORE)
			left |= all->cookies[i];
	}
	if (all && !left)
		bpf_map_delete_elem(&listeners, &key);
}

#endif
