/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets, and which of them matter. */
#ifndef EW_BPF_SOCK_H
#define EW_BPF_SOCK_H

#include "task.bpf.h"

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
