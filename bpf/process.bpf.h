/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* fork, exec, exit and signals. */
#ifndef EW_BPF_PROCESS_H
#define EW_BPF_PROCESS_H

#include "task.bpf.h"

#define SIGNAL_GROUP_EXIT 0x00000004

#define SIGHUP	 1
#define SIGINT	 2
#define SIGQUIT	 3
#define SIGKILL	 9
#define SIGTERM	 15
#define SIGCHLD	 17
#define SIGCONT	 18
#define SIGSTOP	 19
#define SIGTSTP	 20
#define SIGTTIN	 21
#define SIGTTOU	 22
#define SIGURG	 23
#define SIGWINCH 28
#define SIGMAX	 64

#define SI_USER		       0
#define SI_QUEUE	       (-1)
#define SI_TKILL	       (-6)
#define SEND_SIG_NOINFO	       0 /* in place of the pointer to siginfo; so is the next */
#define SEND_SIG_PRIV	       1
#define TRACE_SIGNAL_DELIVERED 0

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_forked, struct task_struct *parent, struct task_struct *child)
{
	struct ew_proc *proc;
	struct ew_fork *ev;
	struct ew_task born;

	if (child->pid != child->tgid || !is_active()) /* a thread */
		return 0;
	COUNT(life_seen);
	proc = proc_find(parent->tgid, parent);
	if (!proc || !proc->depth) {
		COUNT(life_filtered);
		return 0;
	}
	born = task_of(child);
	proc_learn(&born, EW_ROLE_CHILD, proc->depth - 1);
	ev = life_reserve(EW_FORK, sizeof(*ev));
	if (!ev)
		return 0;
	ev->child = born;
	ev->parent = task_of(parent);
	bpf_ringbuf_submit(ev, 0);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_execed, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	struct ew_exec *ev;

	if (!is_active())
		return 0;
	COUNT(life_seen);
	if (!proc_find(task->tgid, task)) {
		COUNT(life_filtered);
		return 0;
	}
	ev = life_reserve(EW_EXEC, sizeof(*ev));
	if (!ev)
		return 0;
	ev->task = task_of(task);
	BPF_CORE_READ_STR_INTO(&ev->comm, task, comm);
	__builtin_memset(ev->filename, 0, sizeof(ev->filename));
	bpf_probe_read_kernel_str(ev->filename, sizeof(ev->filename),
				  BPF_CORE_READ(bprm, filename));
	bpf_ringbuf_submit(ev, 0);
	return 0;
}

/*
 * As wait(2) will return it (kernel/exit.c, wait_task_zombie). The last thread to exit may have set
 * the group's code (5.17 and later); otherwise it is the leader's.
 */
static __always_inline int exit_status(struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	if (BPF_CORE_READ(signal, flags) & SIGNAL_GROUP_EXIT)
		return BPF_CORE_READ(signal, group_exit_code);
	return BPF_CORE_READ(task, group_leader, exit_code);
}

/* The killer sent the last fatal signal that was delivered, if the status names that signal. */
static __always_inline void exit_describe(struct ew_exit *ev, struct task_struct *task,
					  const struct ew_proc *proc)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	__builtin_memset(ev, 0, sizeof(*ev));
	ev->task = task_of(task);
	ev->status = exit_status(task);
	BPF_CORE_READ_STR_INTO(&ev->comm, leader, comm);
	if (!proc->signal || proc->signal != (ev->status & 0x7f))
		return;
	ev->signal = proc->signal;
	ev->killer = proc->killer;
	__builtin_memcpy(ev->killer_comm, proc->killer_comm, EW_COMM_MAX);
}

/*
 * Runs for each thread, in the thread. The process ends with the last one. Two threads that exit at
 * the same time may both see 0 alive: the first to add the exit to the map reports it.
 */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exited, struct task_struct *task)
{
	struct ew_exit_key key = {};
	struct ew_exit end, *ev;
	struct ew_proc *proc;

	if (task->signal->live.counter > 0 || !is_active())
		return 0;
	COUNT(life_seen);
	proc = proc_find(task->tgid, task);
	if (!proc)
		goto filtered;
	exit_describe(&end, task, proc);
	end.header.ktime_ns = bpf_ktime_get_ns();
	end.header.type = EW_EXIT;
	end.header.size = sizeof(end);
	key.tgid = end.task.tgid;
	key.start_ticks = end.task.start_ticks;
	switch (bpf_map_update_elem(&exits, &key, &end, BPF_NOEXIST)) {
	case 0:
		break;
	case -17: /* EEXIST: another thread was first */
		goto filtered;
	default:
		COUNT(unfollowed);
	}
	bpf_map_delete_elem(&procs, &key.tgid);
	ev = life_reserve(EW_EXIT, sizeof(*ev));
	if (!ev)
		return 0;
	end.header = ev->header;
	*ev = end;
	bpf_ringbuf_submit(ev, 0);
	return 0;
filtered:
	COUNT(life_filtered);
	return 0;
}

static __always_inline bool signal_has_handler(struct task_struct *task, int sig)
{
	struct sighand_struct *sighand = BPF_CORE_READ(task, sighand);
	void *handler = NULL;
	__u64 offset;

	offset = bpf_core_field_offset(sighand->action) +
		 (__u64)(sig - 1) * bpf_core_type_size(struct k_sigaction) +
		 bpf_core_field_offset(((struct k_sigaction *)0)->sa.sa_handler);
	bpf_probe_read_kernel(&handler, sizeof(handler), (void *)sighand + offset);
	return handler != NULL; /* SIG_DFL is 0 */
}

/* Can the signal kill? Most signals of a host are SIGCHLD. */
static __always_inline bool signal_may_end(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGURG:
	case SIGWINCH:
		return false;
	}
	return sig > 0 && sig <= SIGMAX;
}

/*
 * Kills the target, or asks it to exit. Other signals that the target handles do not: Java virtual
 * machines raise SIGSEGV for themselves all the time.
 */
static __always_inline bool signal_ends(struct task_struct *task, int sig)
{
	switch (sig) {
	case SIGHUP:
	case SIGINT:
	case SIGQUIT:
	case SIGKILL:
	case SIGTERM:
		return true;
	}
	return !signal_has_handler(task, sig);
}

/*
 * If a process sent the signal, it is the current one. The pid in siginfo is not used: it belongs
 * to the target's pid namespace, or is part of an address (SIGSEGV). The kernel's own signals
 * (SEND_SIG_PRIV: out of memory, timers, end of a pid namespace; positive codes: faults) may be
 * sent while any process runs.
 */
static __always_inline bool signal_has_sender(struct kernel_siginfo *info)
{
	int code;

	if ((unsigned long)info <= SEND_SIG_PRIV)
		return (unsigned long)info == SEND_SIG_NOINFO;
	code = BPF_CORE_READ(info, si_code);
	return code == SI_USER || code == SI_QUEUE || code == SI_TKILL;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(signal_sent, int sig, struct kernel_siginfo *info, struct task_struct *task, int group,
	     int result)
{
	struct ew_proc *proc;
	struct ew_signal *ev;

	/* Ignored, pending already, or the process is exiting already: not the cause. */
	if (result != TRACE_SIGNAL_DELIVERED || !signal_may_end(sig) || !is_active())
		return 0;
	COUNT(life_seen);
	proc = proc_find(task->tgid, task);
	if (!proc || !signal_ends(task, sig)) {
		COUNT(life_filtered);
		return 0;
	}
	proc->signal = sig;
	__builtin_memset(&proc->killer, 0, sizeof(proc->killer));
	__builtin_memset(proc->killer_comm, 0, sizeof(proc->killer_comm));
	if (signal_has_sender(info)) {
		proc->killer = task_of((void *)bpf_get_current_task());
		bpf_get_current_comm(proc->killer_comm, sizeof(proc->killer_comm));
	}
	ev = life_reserve(EW_SIGNAL, sizeof(*ev));
	if (!ev)
		return 0;
	ev->target = task_of(task);
	ev->sender = proc->killer;
	__builtin_memcpy(ev->sender_comm, proc->killer_comm, EW_COMM_MAX);
	ev->signal = sig;
	ev->pad = 0;
	bpf_ringbuf_submit(ev, 0);
	return 0;
}

#endif
