/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_stopped.h"
#include "act/inject/inject_copies.h"
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_shared.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_timer.h"
#include "act/inject/tracee.h"
#include "act/inject/tracee_mem.h"
#include "base/now.h"
#include "base/proc.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STOP_MS = 1000 }; /* a thread in an uninterruptible wait has not stopped by then */

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
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	switch (event) {
	case TRACEE_STOPPED:
		return 0;
	case TRACEE_GROUP:
		return inject_refuse(&in->end, INJECT_R_STOPPED, -EBUSY,
				     "process {pid} is stopped by job control");
	case TRACEE_SIGNAL:
		return inject_try_again(in, INJECT_R_MOVED, THREAD "was about to take a signal");
	default:
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	}
}

/* At the stop: still the wait that was chosen, with room below it? */
static int check_stop(struct inject_shared *in, struct tracee *t,
		      const struct thread_choice *choice)
{
	bool in_rseq;
	int err = tracee_read_regs(t, &in->stop);

	if (err == -ENOTSUP)
		return inject_refuse(&in->end, INJECT_R_ARCH, err,
				     "thread {tid} of process {pid} does not run 64-bit code");
	if (err < 0)
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	if (!sigframe_restarts(&in->stop.regs, choice->wait.nr, choice->wait.pc) ||
	    sigframe_sp(&in->stop.regs) != choice->wait.sp)
		return inject_try_again(in, INJECT_R_MOVED, THREAD "had moved on");
	if (tracee_has_unsupported_regsets(t))
		return inject_refuse(
			&in->end, INJECT_R_SHADOW_STACK, -ENOTSUP,
			"thread {tid} of process {pid} has a shadow stack or matrix state");
	if (tracee_dispatches_calls(t))
		return inject_refuse(
			&in->end, INJECT_R_DISPATCH, -ENOTSUP,
			"thread {tid} of process {pid} dispatches its own system calls");
	err = tracee_in_rseq(t, sigframe_pc(&in->stop.regs), &in_rseq);
	if (err < 0 || in_rseq)
		return inject_try_again(in, INJECT_R_RSEQ, THREAD "is in a restartable sequence");
	return 0;
}

/* Writes the frames below the stack pointer; the thread itself is unchanged after this. */
static int write_frames(struct inject_shared *in, struct tracee *t, struct tracee_mem *mem,
			uint64_t low)
{
	int err = tracee_read_state(t, &in->stop);

	if (err == -ESRCH)
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	if (err < 0) /* ENODEV: a processor, or a guest's, without XSAVE */
		return inject_refuse(&in->end, INJECT_R_ARCH, err,
				     "read the extended state of thread {tid} of process {pid}");
	err = sigframe_build(&in->stop, &in->code, &in->fds, &in->layout, &in->frame);
	if (err == -EAGAIN)
		return inject_try_again(in, INJECT_R_NO_GADGET,
					THREAD "waits at the instruction that would be used");
	if (err < 0)
		return inject_refuse(
			&in->end, INJECT_R_ARCH, err,
			"the extended state of thread {tid} of process {pid} is larger than known");
	if (in->frame.addr < low)
		return inject_try_again(in, INJECT_R_STACK, THREAD "has too little stack left");
	err = tracee_mem_write(mem, in->frame.addr, in->frame.bytes, in->frame.len);
	if (err < 0)
		return inject_try_again(in, INJECT_R_STACK,
					THREAD "has a stack that cannot be written");
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
	return inject_end_as(&in->end, INJECT_UNSURE, INJECT_R_VANISHED, -ESRCH,
			     "thread {tid} of process {pid} ended during the call");
}

static bool by_effect(const struct inject_shared *in)
{
	return in->request.proof == INJECT_BY_EFFECT && in->copy >= 0;
}

static int end_committed(struct inject_shared *in)
{
	int wait_ms = by_effect(in) ? now_ms_until(in->request.deadline) : 0;

	if (in->result.call_ret < 0)
		return inject_end_as(&in->end, INJECT_FAILED, INJECT_R_CALL_ERROR,
				     in->result.call_ret,
				     "shutdown of descriptor {fd} in process {pid}");
	if (in->copy >= 0 && !inject_socket_is_shut(in->copy, wait_ms))
		return inject_end_as(
			&in->end, INJECT_UNSURE, INJECT_R_NO_EFFECT, -ESTALE,
			"shutdown of descriptor {fd} in process {pid}: the socket is as before");
	return inject_done(&in->end);
}

/* Why the thread has no duplicate of the requested socket. got: what fcntl returned. */
static int explain_dup(struct inject_shared *in, struct tracee *t, long got)
{
	if (got >= 0 && got != in->fds.scratch_fd)
		return inject_try_again(in, INJECT_R_NO_SCRATCH_FD,
					THREAD "has taken the free descriptor number");
	if (got == -EINVAL) /* of fcntl, for a number beyond the limit */
		got = -EMFILE;
	if (got == -EMFILE || got == -ENOMEM)
		return inject_refuse(&in->end, INJECT_R_NO_SCRATCH_FD, (int)got,
				     "copy descriptor {fd} inside process {pid}");
	if (tracee_read_regs(t, &in->stop) == -ESRCH) /* killed: its descriptors are closed */
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	return inject_refuse(&in->end, INJECT_R_OTHER_SOCKET, -ESTALE,
			     "descriptor {fd} of process {pid} was closed or replaced meanwhile");
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

	inject_timer_set(in->request.deadline, 0);
	inject_copies_note(&in->result.dups, in->fds.scratch_fd);
	err = tracee_write_regs(t, &in->frame.dup, sizeof(in->frame.dup));
	if (err < 0)
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
	/* A handler that does not return (cancellation, longjmp) would leave the duplicate open. */
	tracee_block_signals(t);
	err = follow_call(in, t, SYS_fcntl);
	if (err < 0)
		return inject_try_again(in, INJECT_R_VANISHED, THREAD "ended");
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
static int call_stopped(struct inject_shared *in, struct tracee *t,
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
		err = inject_try_again(in, INJECT_R_NO_SCRATCH_FD,
				       THREAD "has taken the free descriptor number");
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

int inject_stop_and_call(struct inject_shared *in, const struct thread_choice *choice, uint64_t low)
{
	struct tracee t;
	int err;

	tracee_init(&t, choice->tid, !in->first, &in->result.syscalls);
	in->phase = INJECT_PHASE_STOPPING;
	join_processor(in);
	inject_timer_set(in->request.deadline, STOP_MS);
	err = tracee_stop(&t);
	if (err < 0)
		err = inject_ptrace_explain_seize(in, choice->tid, err);
	else
		err = await_stop(in, &t);
	if (err == 0)
		err = call_stopped(in, &t, choice, low);
	release(in, &t);
	leave_processor(in);
	in->must_exit_to_detach |= t.must_exit_to_detach;
	if (in->phase == INJECT_PHASE_STOPPING)
		in->phase = INJECT_PHASE_PREPARING;
	inject_timer_set(in->request.deadline, 0);
	return err;
}
