/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes, and those that are followed. */
#ifndef EW_BPF_TASK_H
#define EW_BPF_TASK_H

#include "ring.bpf.h"

#define PF_KTHREAD 0x00200000

/*
 * The current process, for hooks that run in the process they are about. Kernel threads yield
 * tgid 0: they close files on behalf of others (delayed fput).
 */
static __always_inline struct ew_task task_current(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct ew_task none = {};

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return none;
	return task_of(task);
}

/* NULL: not followed. An entry of an earlier process, whose exit was missed, is removed. */
static __always_inline struct ew_proc *proc_find(__u32 tgid, struct task_struct *task)
{
	struct ew_proc *proc = bpf_map_lookup_elem(&procs, &tgid);

	if (!proc || proc->start_ticks == task_start_ticks(task))
		return proc;
	bpf_map_delete_elem(&procs, &tgid);
	return NULL;
}

static __always_inline struct ew_proc *proc_current(void)
{
	return proc_find(bpf_get_current_pid_tgid() >> 32, (void *)bpf_get_current_task());
}

static __always_inline void proc_learn(const struct ew_task *who, __u32 role, __u32 depth)
{
	struct ew_proc *proc,
		fresh = { .start_ticks = who->start_ticks, .role = role, .depth = depth };
	__u32 tgid = who->tgid;

	if (!tgid)
		return;
	proc = bpf_map_lookup_elem(&procs, &tgid);
	if (proc && proc->start_ticks == who->start_ticks) {
		proc->role |= role;
		if (proc->depth < depth)
			proc->depth = depth;
		return;
	}
	if (bpf_map_update_elem(&procs, &tgid, &fresh, BPF_ANY))
		COUNT(unfollowed);
}

#endif
