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

/* Whose role is not known has ended, or is none that is followed: it may not own this any more. */
static __always_inline struct ew_task owner_living(const struct ew_conn *conn)
{
	struct ew_task nobody = {};

	return role_of(&conn->owner) ? conn->owner : nobody;
}

static __always_inline bool task_same(const struct ew_task *a, const struct ew_task *b)
{
	return a->tgid == b->tgid && a->start_ticks == b->start_ticks;
}

#endif
