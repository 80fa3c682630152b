/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes' sockets matter. */
#ifndef EW_BPF_SOCK_H
#define EW_BPF_SOCK_H

#include "task.bpf.h"

static __always_inline bool role_accepts(__u32 role)
{
	/* A new executor: a descendant of the agent that has connected to the agent. */
	return role & (EW_ROLE_AGENT | EW_ROLE_EXECUTOR) ||
	       (role & (EW_ROLE_CHILD | EW_ROLE_PEER)) == (EW_ROLE_CHILD | EW_ROLE_PEER);
}

static __always_inline __u32 role_of(const struct ew_task *who)
{
	__u32 tgid = who->tgid;
	struct ew_proc *proc = bpf_map_lookup_elem(&procs, &tgid);

	return proc && proc->start_ticks == who->start_ticks ? proc->role : 0;
}

/* A process without a role has exited or is not followed: it may not own the socket any more. */
static __always_inline struct ew_task owner_living(const struct ew_conn *conn)
{
	struct ew_task none = {};

	return role_of(&conn->owner) ? conn->owner : none;
}

static __always_inline bool task_same(const struct ew_task *a, const struct ew_task *b)
{
	return a->tgid == b->tgid && a->start_ticks == b->start_ticks;
}

#endif
