// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which threads have to be looked at in /proc: those that are neither running nor in interruptible
 * sleep, and those with a tracer. One pass over all threads of the host costs less than to read the
 * stat files of ten executors. A light skeleton, as bpf/scan_once.bpf.c (5.17 and later).
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define PF_KTHREAD 0x00200000 /* linux/sched.h, as those that follow */

#define TASK_INTERRUPTIBLE 0x0001
#define TASK_FREEZABLE	   0x2000 /* 6.1 and later, with interruptible sleep; before, no state */

/* Every other bit counts, also one that a later kernel adds: then /proc is read. */
static __always_inline bool is_plain(struct task_struct *task)
{
	unsigned int state = BPF_CORE_READ(task, __state);

	return !(state & ~(TASK_INTERRUPTIBLE | TASK_FREEZABLE)) && !BPF_CORE_READ(task, ptrace);
}

SEC("iter/task")
int thread_row(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__s32 tgid;

	if (!task || BPF_CORE_READ(task, flags) & PF_KTHREAD || is_plain(task))
		return 0;
	tgid = BPF_CORE_READ(task, tgid);
	bpf_seq_write(ctx->meta->seq, &tgid, sizeof(tgid));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
