/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One injection by ptrace: choose a thread, check it, stop it, check again, write the frames, have
 * the descriptor duplicated, check the duplicate, commit, detach.
 */
#include "act/inject/inject_ptrace.h"
#include "act/inject/inject_copies.h"
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_shared.h"
#include "act/inject/inject_socket.h"
#include "act/inject/tracee.h"
#include "act/inject/tracee_guard.h"
#include "act/inject/tracee_mem.h"
#include "base/now.h"
#include "base/proc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 20,	 /* choices of threads: a busy process moves on between choice and stop */
	STOP_MS = 1000,	 /* a thread in an uninterruptible wait has not stopped by then */
	EMPTY_TRIES = 5, /* in succession, with no thread to choose from */
	FRAME_USUAL = 4096, /* bytes below the stack pointer, without matrix registers */
	TCB_SIZE = 2048,    /* of glibc's thread descriptor, from its list of robust mutexes on */
};

static const struct timespec pause_1ms = { .tv_nsec = 1000000 };

/* SIGALRM will end this process, and with it the trace. limit_ms 0: at the deadline. */
static void set_timer(struct inject_shared *in, int64_t limit_ms)
{
	int64_t now = now_mono(), end = now + limit_ms * NS_PER_MS;
	int64_t us;
	struct itimerval timer = { 0 };

	if (limit_ms == 0 || end > in->request.deadline)
		end = in->request.deadline;
	us = end > now + 1000 ? (end - now) / 1000 : 1;
	timer.it_value.tv_sec = (time_t)(us / 1000000);
	timer.it_value.tv_usec = (suseconds_t)(us % 1000000);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int try_again(struct inject_shared *in, enum inject_reason reason, const char *what)
{
	inject_refuse(&in->result, reason, -EAGAIN, "thread %d of process %d %s", in->result.tid,
		      in->request.pid, what);
	return INJECT_TRY_AGAIN;
}

/* Whether the thread's scratch descriptor is the requested socket. */
static bool scratch_is_socket(struct inject_shared *in)
{
	pid_t tid = in->result.tid;
	uint64_t inode;

	in->result.syscalls++;
	if (in->copy >= 0 && inject_socket_same(in->copy, tid, in->fds.scratch_fd))
		return true;
	in->result.syscalls++;
	return proc_thread_socket(in->request.pid, tid, in->fds.scratch_fd, &inode) == 0 &&
	       inode == in->request.inode;
}

/* Waits for the requested stop. Returns 0, INJECT_TRY_AGAIN, or a refusal. */
static int await_stop(struct inject_shared *in, struct tracee *t)
{
	enum tracee_event event;
	int err = tracee_wait(t, &event);

	if (err < 0)
		return try_again(in, INJECT_R_VANISHED, "ended");
	switch (event) {
	case TRACEE_STOPPED:
		return 0;
	case TRACEE_GROUP:
		return inject_refuse(&in->result, INJECT_R_STOPPED, -EBUSY,
				     "process %d is stopped by job control", in->request.pid);
	case TRACEE_SIGNAL:
		return try_again(in, INJECT_R_MOVED, "was about to take a signal");
	default:
		return try_again(in, INJECT_R_VANISHED, "ended");
	}
}

/* At the stop: still the wait that was chosen, with room below it? */
static int check_stop(struct inject_shared *in, struct tracee *t,
		      const struct thread_choice *choice)
{
	bool in_rseq;
	int err = tracee_read_regs(t, &in->stop);

	if (err == -ENOTSUP)
		return inject_refuse(&in->result, INJECT_R_ARCH, err,
				     "thread %d of process %d does not run 64-bit code", t->tid,
				     in->request.pid);
	if (err < 0)
		return try_again(in, INJECT_R_VANISHED, "ended");
	if (!sigframe_restarts(&in->stop.regs, choice->wait.nr, choice->wait.pc) ||
	    sigframe_sp(&in->stop.regs) != choice->wait.sp)
		return try_again(in, INJECT_R_MOVED, "had moved on");
	if (tracee_has_unsupported_regsets(t))
		return inject_refuse(&in->result, INJECT_R_SHADOW_STACK, -ENOTSUP,
				     "thread %d of process %d has a shadow stack or matrix state",
				     t->tid, in->request.pid);
	if (tracee_dispatches_calls(t))
		return inject_refuse(&in->result, INJECT_R_DISPATCH, -ENOTSUP,
				     "thread %d of process %d dispatches its own system calls",
				     t->tid, in->request.pid);
	err = tracee_in_rseq(t, sigframe_pc(&in->stop.regs), &in_rseq);
	if (err < 0 || in_rseq)
		return try_again(in, INJECT_R_RSEQ, "is in a restartable sequence");
	return 0;
}

/* Writes the frames below the stack pointer; the thread itself is unchanged after this. */
static int write_frames(struct inject_shared *in, struct tracee *t, struct tracee_mem *mem,
			uint64_t low)
{
	int err = tracee_read_state(t, &in->stop);

	if (err == -ESRCH)
		return try_again(in, INJECT_R_VANISHED, "ended");
	if (err < 0) /* ENODEV: a processor, or a guest's, without XSAVE */
		return inject_refuse(&in->result, INJECT_R_ARCH, err,
				     "read the extended state of thread %d of process %d", t->tid,
				     in->request.pid);
	err = sigframe_build(&in->stop, &in->code, &in->fds, &in->layout, &in->frame);
	if (err == -EAGAIN)
		return try_again(in, INJECT_R_NO_GADGET,
				 "waits at the instruction that would be used");
	if (err < 0)
		return inject_refuse(
			&in->result, INJECT_R_ARCH, err,
			"the extended state of thread %d of process %d is larger than known",
			t->tid, in->request.pid);
	if (in->frame.addr < low)
		return try_again(in, INJECT_R_STACK, "has too little stack left");
	err = tracee_mem_write(mem, in->frame.addr, in->frame.bytes, in->frame.len);
	if (err < 0)
		return try_again(in, INJECT_R_STACK, "has a stack that cannot be written");
	return 0;
}

/* Resumes to the next stop at system call nr of the frames. A signal on the way is delivered. */
static int run_to_call(struct inject_shared *in, struct tracee *t, long nr)
{
	for (;;) {
		enum tracee_event event;
		int err = tracee_step_call(t);

		if (err < 0)
			return err;
		err = tracee_wait(t, &event);
		if (err < 0)
			return err;
		if (event == TRACEE_ENDED)
			return -ESRCH;
		if (event != TRACEE_SYSCALL)
			continue;
		err = tracee_read_regs(t, &in->stop);
		if (err < 0 || sigframe_at_call(&in->stop.regs, &in->code, nr))
			return err;
	}
}

/* From before system call nr to its exit. */
static int follow_call(struct inject_shared *in, struct tracee *t, long nr)
{
	int err = run_to_call(in, t, nr);

	if (err == 0)
		err = run_to_call(in, t, nr);
	return err;
}

static int end_vanished(struct inject_shared *in)
{
	return inject_end(&in->result, INJECT_UNSURE, INJECT_R_VANISHED, -ESRCH,
			  "thread %d of process %d ended during the call", in->result.tid,
			  in->request.pid);
}

static bool by_effect(const struct inject_shared *in)
{
	return in->request.proof == INJECT_BY_EFFECT && in->copy >= 0;
}

static int end_committed(struct inject_shared *in)
{
	int wait_ms = by_effect(in) ? now_ms_until(in->request.deadline) : 0;

	if (in->result.call_ret < 0)
		return inject_end(&in->result, INJECT_FAILED, INJECT_R_CALL_ERROR,
				  in->result.call_ret, "shutdown of descriptor %d in process %d",
				  in->request.fd, in->request.pid);
	if (in->copy >= 0 && !inject_socket_is_shut(in->copy, wait_ms))
		return inject_end(
			&in->result, INJECT_UNSURE, INJECT_R_NO_EFFECT, -ESTALE,
			"shutdown of descriptor %d in process %d: the socket is as before",
			in->request.fd, in->request.pid);
	return inject_done(&in->result);
}

/* Why the thread has no duplicate of the requested socket. got: what fcntl returned. */
static int explain_dup(struct inject_shared *in, struct tracee *t, long got)
{
	if (got >= 0 && got != in->fds.scratch_fd)
		return try_again(in, INJECT_R_NO_SCRATCH_FD,
				 "has taken the free descriptor number");
	if (got == -EINVAL) /* of fcntl, for a number beyond the limit */
		got = -EMFILE;
	if (got == -EMFILE || got == -ENOMEM)
		return inject_refuse(&in->result, INJECT_R_NO_SCRATCH_FD, (int)got,
				     "copy descriptor %d inside process %d", in->request.fd,
				     in->request.pid);
	if (tracee_read_regs(t, &in->stop) == -ESRCH) /* killed: its descriptors are closed */
		return try_again(in, INJECT_R_VANISHED, "ended");
	return inject_refuse(&in->result, INJECT_R_OTHER_SOCKET, -ESTALE,
			     "descriptor %d of process %d was closed or replaced meanwhile",
			     in->request.fd, in->request.pid);
}

/*
 * Has the thread duplicate the descriptor, and checks the duplicate. Whatever happens from here on,
 * the thread closes it and restores itself. Returns 0: it is at the exit of fcntl, with the
 * requested socket.
 */
static int dup_descriptor(struct inject_shared *in, struct tracee *t)
{
	long got;
	int err;

	set_timer(in, 0);
	inject_copies_note(&in->result.dups, in->fds.scratch_fd);
	err = tracee_write_regs(t, &in->frame.dup, sizeof(in->frame.dup));
	if (err < 0)
		return try_again(in, INJECT_R_VANISHED, "ended");
	/* A handler that does not return (cancellation, longjmp) would leave the duplicate open. */
	tracee_block_signals(t);
	err = follow_call(in, t, SYS_fcntl);
	if (err < 0)
		return try_again(in, INJECT_R_VANISHED, "ended");
	got = sigframe_call_value(&in->stop.regs);
	if (got == in->fds.scratch_fd && scratch_is_socket(in))
		return 0;
	if (got != in->fds.scratch_fd) { /* that number is not ours: the thread must not close it */
		if (got >= 0)
			inject_copies_note(&in->result.dups, (int)got);
		sigframe_close_other(&in->frame, got < 0 ? -1 : (int)got);
		tracee_write_regs(t, &in->frame.close, sizeof(in->frame.close));
	}
	return explain_dup(in, t, got);
}

/* The one write that makes the call happen. Returns 0; negative errno: the result was not seen. */
static int commit(struct inject_shared *in, struct tracee *t)
{
	int err;

	in->phase = INJECT_PHASE_COMMITTED;
	err = tracee_write_regs(t, &in->frame.shutdown, sizeof(in->frame.shutdown));
	if (err < 0 || by_effect(in))
		return err;
	err = follow_call(in, t, SYS_shutdown);
	if (err == 0)
		in->result.call_ret = (int)sigframe_call_value(&in->stop.regs);
	return err;
}

static bool fd_is_open(pid_t pid, pid_t tid, int fd)
{
	char path[PROC_PATH_MAX], name[16], target[8];

	snprintf(name, sizeof(name), "fd/%d", fd);
	return readlink(proc_path(path, pid, tid, name), target, sizeof(target)) >= 0;
}

/* Detaches, and counts the time that the thread was stopped. */
static int release(struct inject_shared *in, struct tracee *t)
{
	int err = tracee_release(t);
	int64_t now = now_mono();

	if (t->seen_at) {
		in->result.stopped_ns += (uint64_t)(now - t->seen_at);
		in->result.interrupted_ns += (uint64_t)(now - t->asked_at);
	}
	t->seen_at = 0;
	return err;
}

/* All that happens while the thread is stopped. */
static int inject_stopped(struct inject_shared *in, struct tracee *t,
			  const struct thread_choice *choice, uint64_t low)
{
	struct tracee_mem mem;
	int err;

	tracee_mem_init(&mem, t->tid, &in->result.syscalls);
	err = check_stop(in, t, choice);
	if (err == 0)
		err = write_frames(in, t, &mem, low);
	if (err == 0)
		err = inject_ptrace_check_seccomp(in, t->tid);
	if (err == 0 && fd_is_open(in->request.pid, t->tid, in->fds.scratch_fd))
		err = try_again(in, INJECT_R_NO_SCRATCH_FD, "has taken the free descriptor number");
	if (err == 0)
		err = dup_descriptor(in, t);
	if (err == 0)
		err = commit(in, t);
	if (release(in, t) < 0 && by_effect(in))
		err = err ? err : -ESRCH;
	tracee_mem_close(&mem);
	if (in->phase != INJECT_PHASE_COMMITTED)
		return err;
	return err < 0 ? end_vanished(in) : end_committed(in);
}

/*
 * Address of the C library's thread descriptor (TCB): the list of robust mutexes is in it, and the
 * kernel knows the address of that. 0: not known.
 */
static uint64_t find_tcb(struct inject_shared *in, pid_t tid)
{
	uint64_t list;
	size_t len;

	in->result.syscalls++;
	return syscall(SYS_get_robust_list, tid, &list, &len) == 0 ? list : 0;
}

/*
 * Faults in the pages that will be written now, while the thread still runs: copying a page that a
 * fork has left shared is slow. The kernel writes to the TCB when the thread resumes (rseq: the
 * number of the CPU).
 */
static void prepare_pages(struct inject_shared *in, const struct tracee_thread *thread, pid_t tid,
			  uint64_t low)
{
	uint64_t from = thread->sp - FRAME_USUAL;
	struct tracee_mem mem;

	tracee_mem_init(&mem, tid, &in->result.syscalls);
	tracee_mem_prepare(&mem, from > low ? from : low, thread->sp);
	if (thread->tcb)
		tracee_mem_prepare(&mem, thread->tcb, thread->tcb + TCB_SIZE);
	tracee_mem_close(&mem);
}

/* Finds the end of the thread's stack, and faults in what will be written. */
static int prepare_stack(struct inject_shared *in, const struct thread_choice *choice,
			 struct tracee_stack *ret)
{
	const struct tracee_thread thread = {
		.sp = choice->wait.sp,
		.guard = tracee_guard_below(choice->tid, &in->maps, choice->wait.sp),
		.tcb = find_tcb(in, choice->tid),
		.idle = choice->rank == 0,
	};
	int err = tracee_maps_stack(&in->maps, &thread, ret);

	if (err < 0)
		return try_again(in, INJECT_R_STACK, "is on a stack of unknown size");
	prepare_pages(in, &thread, choice->tid, ret->low);
	return 0;
}

/*
 * The worker goes to the processor of the thread for the stop: then neither waits for another
 * processor to wake up, nor for its turn on one that others keep busy. Measured on two processors
 * with four busy loops: 99 % of the stops below 4 ms, from elsewhere below 12 ms.
 */
static void join_processor(const struct inject_shared *in)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	if (in->processor < CPU_SETSIZE && CPU_ISSET(in->processor, &in->processors)) {
		CPU_SET(in->processor, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
}

static void leave_processor(const struct inject_shared *in)
{
	if (CPU_COUNT(&in->processors))
		sched_setaffinity(0, sizeof(in->processors), &in->processors);
}

/* Tries one thread, once. Returns 0, INJECT_TRY_AGAIN, or a negative errno with the result filled.
 */
static int try_thread(struct inject_shared *in, const struct thread_choice *choice)
{
	struct tracee_stack stack;
	struct tracee t;
	int err;

	in->result.tid = choice->tid;
	err = inject_ptrace_check_thread(in, choice);
	if (err)
		return err;
	err = prepare_stack(in, choice, &stack);
	if (err)
		return err;
	if (stack.small) /* a contended lock looks the same, on a stack without room, but not for
			    long */
		nanosleep(&pause_1ms, NULL);
	if (!inject_ptrace_wait_unchanged(in, choice))
		return try_again(in, INJECT_R_MOVED, "had moved on");

	if (!in->result.dups.n)
		in->result.dups.last_pid = inject_copies_last_pid();
	tracee_init(&t, choice->tid, &in->result.syscalls);
	in->phase = INJECT_PHASE_STOPPING;
	join_processor(in);
	set_timer(in, STOP_MS);
	err = tracee_stop(&t);
	if (err < 0)
		err = inject_ptrace_explain_seize(in, choice->tid, err);
	else
		err = await_stop(in, &t);
	if (err == 0)
		err = inject_stopped(in, &t, choice, stack.low);
	release(in, &t);
	leave_processor(in);
	in->must_exit_to_detach |= t.must_exit_to_detach;
	if (in->phase == INJECT_PHASE_STOPPING)
		in->phase = INJECT_PHASE_PREPARING;
	set_timer(in, 0);
	return err;
}

static int try_threads(struct inject_shared *in)
{
	int err = inject_ptrace_choose(in);

	if (err)
		return err;
	for (int i = 0; i < in->n_threads; i++) {
		err = try_thread(in, &in->threads[i]);
		if (err != INJECT_TRY_AGAIN)
			return err;
	}
	return INJECT_TRY_AGAIN;
}

/* Faults in the buffers, so that this does not happen while a thread is stopped. */
void inject_ptrace_warm(struct inject_shared *in)
{
	memset(&in->stop, 0, sizeof(in->stop));
	memset(&in->frame, 0, sizeof(in->frame));
	xstate_layout_read(&in->layout);
}

void inject_ptrace_perform(struct inject_shared *in)
{
	static const struct itimerval off;
	int err, empty = 0;

	set_timer(in, 0);
	if (sched_getaffinity(0, sizeof(in->processors), &in->processors) < 0)
		CPU_ZERO(&in->processors);
	err = inject_ptrace_prepare(in);
	for (int i = 0; err == 0 && i < TRIES; i++) {
		err = try_threads(in);
		empty = in->n_threads == 0 ? empty + 1 : 0;
		if (err != INJECT_TRY_AGAIN || empty > EMPTY_TRIES)
			break;
		nanosleep(&pause_1ms, NULL);
		err = inject_ptrace_prepare(in); /* new threads have new stacks */
	}
	in->phase = INJECT_PHASE_COMPLETE;
	setitimer(ITIMER_REAL, &off, NULL);
}
