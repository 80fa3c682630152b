/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sequence of one injection: choose, check, stop, check again, write, commit, let go. */
#include "act/inject/inject_ptrace.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_worker.h"
#include "act/inject/tracee.h"
#include "act/inject/tracee_guard.h"
#include "act/inject/tracee_mem.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS = 20,	 /* choices of threads: a busy process moves on between choice and stop */
	STOP_MS = 1000,	 /* a thread in an uninterruptible wait has not stopped by then */
	IDLE_ROUNDS = 5, /* in succession, with no thread to choose from */
	FRAME_USUAL = 4096, /* bytes below the stack pointer, without matrix registers */
	DESCRIPTOR = 2048,  /* of what glibc keeps of a thread, from its list of mutexes on */
};

static const struct timespec nap = { .tv_nsec = 1000000 };

/* SIGALRM ends this process, and with it the trace. */
static void set_timer(struct inject_ptrace *in, uint64_t limit_ms)
{
	uint64_t now = inject_worker_now(), end = now + limit_ms * 1000000;
	uint64_t us;
	struct itimerval timer = { 0 };

	if (limit_ms == 0 || end > in->deadline_ns)
		end = in->deadline_ns;
	us = end > now + 1000 ? (end - now) / 1000 : 1;
	timer.it_value.tv_sec = (time_t)(us / 1000000);
	timer.it_value.tv_usec = (suseconds_t)(us % 1000000);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static int again(struct inject_ptrace *in, enum inject_reason reason, const char *what)
{
	inject_refuse(&in->rep, reason, -EAGAIN, "thread %d of process %d %s", in->rep.res.tid,
		      in->target.pid, what);
	return INJECT_PTRACE_AGAIN;
}

/* Whether the thread's spare descriptor is the socket that is meant. */
static bool spare_is_socket(struct inject_ptrace *in)
{
	pid_t tid = in->rep.res.tid;

	in->rep.res.syscalls++;
	if (in->copy >= 0 && inject_socket_same(in->copy, tid, in->fds.spare))
		return true;
	in->rep.res.syscalls++;
	return inject_socket_inode(in->target.pid, tid, in->fds.spare) == in->target.inode;
}

/* Waits for the stop that was asked for. Returns 0, INJECT_PTRACE_AGAIN, or a refusal. */
static int await_stop(struct inject_ptrace *in, struct tracee *t)
{
	enum tracee_event event;
	int err = tracee_wait(t, &event);

	if (err < 0)
		return again(in, INJECT_R_VANISHED, "ended");
	switch (event) {
	case TRACEE_STOPPED:
		return 0;
	case TRACEE_GROUP:
		return inject_refuse(&in->rep, INJECT_R_STOPPED, -EBUSY,
				     "process %d is stopped by job control", in->target.pid);
	case TRACEE_SIGNAL:
		return again(in, INJECT_R_MOVED, "was about to take a signal");
	default:
		return again(in, INJECT_R_VANISHED, "ended");
	}
}

/* At the stop: still the wait that was chosen, with room below it? */
static int check_stop(struct inject_ptrace *in, struct tracee *t,
		      const struct thread_choice *choice)
{
	bool in_rseq;
	int err = tracee_read_regs(t, &in->stop);

	if (err == -ENOTSUP)
		return inject_refuse(&in->rep, INJECT_R_ARCH, err,
				     "thread %d of process %d does not run 64-bit code", t->tid,
				     in->target.pid);
	if (err < 0)
		return again(in, INJECT_R_VANISHED, "ended");
	if (!sigframe_restarts(&in->stop.regs, choice->wait.nr, choice->wait.pc) ||
	    sigframe_sp(&in->stop.regs) != choice->wait.sp)
		return again(in, INJECT_R_MOVED, "had moved on");
	if (tracee_has_foreign_state(t))
		return inject_refuse(&in->rep, INJECT_R_SHADOW_STACK, -ENOTSUP,
				     "thread %d of process %d has a shadow stack or matrix state",
				     t->tid, in->target.pid);
	if (tracee_dispatches_calls(t))
		return inject_refuse(&in->rep, INJECT_R_DISPATCH, -ENOTSUP,
				     "thread %d of process %d dispatches its calls itself", t->tid,
				     in->target.pid);
	err = tracee_in_rseq(t, sigframe_pc(&in->stop.regs), &in_rseq);
	if (err < 0 || in_rseq)
		return again(in, INJECT_R_RSEQ, "is in a restartable sequence");
	return 0;
}

/* Writes what lies on the stack; the thread itself is unchanged after this. */
static int lay_frame(struct inject_ptrace *in, struct tracee *t, struct tracee_mem *mem,
		     uint64_t low)
{
	int err = tracee_read_state(t, &in->stop);

	if (err == -ESRCH)
		return again(in, INJECT_R_VANISHED, "ended");
	if (err < 0) /* ENODEV: a processor, or a guest's, without XSAVE */
		return inject_refuse(&in->rep, INJECT_R_ARCH, err,
				     "read the extended state of thread %d of process %d", t->tid,
				     in->target.pid);
	err = sigframe_build(&in->stop, &in->code, &in->fds, &in->layout, &in->frame);
	if (err == -EAGAIN)
		return again(in, INJECT_R_NO_GADGET, "waits in the very call that would be used");
	if (err < 0)
		return inject_refuse(
			&in->rep, INJECT_R_ARCH, err,
			"the extended state of thread %d of process %d is larger than known",
			t->tid, in->target.pid);
	if (in->frame.addr < low)
		return again(in, INJECT_R_STACK, "has too little stack left");
	if (!gadget_verify(mem, &in->code))
		return again(in, INJECT_R_NO_GADGET, "has unmapped the code that was found");
	err = tracee_mem_write(mem, in->frame.addr, in->frame.bytes, in->frame.len);
	if (err < 0)
		return again(in, INJECT_R_STACK, "has a stack that cannot be written");
	return 0;
}

/*
 * Goes on to the next stop at call nr of the frame. Signals are blocked; one that comes all the
 * same is delivered.
 */
static int run_to_call(struct inject_ptrace *in, struct tracee *t, long nr)
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

/* From before call nr to its exit. */
static int follow_call(struct inject_ptrace *in, struct tracee *t, long nr)
{
	int err = run_to_call(in, t, nr);

	if (err == 0)
		err = run_to_call(in, t, nr);
	return err;
}

static int report_vanished(struct inject_ptrace *in)
{
	return inject_report_set(&in->rep, INJECT_UNSURE, INJECT_R_VANISHED, -ESRCH,
				 "thread %d of process %d ended during the call", in->rep.res.tid,
				 in->target.pid);
}

static int report_done(struct inject_ptrace *in)
{
	bool by_effect = in->target.proof == INJECT_BY_EFFECT;
	int wait_ms = by_effect ? inject_worker_left_ms(in->deadline_ns) : 0;

	if (in->rep.res.call_ret < 0)
		return inject_report_set(
			&in->rep, INJECT_FAILED, INJECT_R_CALL_ERROR, in->rep.res.call_ret,
			"shutdown of descriptor %d in process %d", in->target.fd, in->target.pid);
	if (in->copy >= 0 && !inject_socket_is_shut(in->copy, wait_ms))
		return inject_report_set(
			&in->rep, INJECT_UNSURE, INJECT_R_NO_EFFECT, -ESTALE,
			"shutdown of descriptor %d in process %d: the socket is as before",
			in->target.fd, in->target.pid);
	if (in->copy < 0 && by_effect)
		return inject_report_set(&in->rep, INJECT_UNSURE, INJECT_R_NO_PIDFD, -ENOSYS,
					 "the effect on descriptor %d of process %d cannot be seen",
					 in->target.fd, in->target.pid);
	in->rep.res.status = INJECT_DONE;
	in->rep.res.reason = INJECT_R_NONE;
	return 0;
}

/* Why the thread has no copy of the right socket. got: what fcntl said. */
static int explain_take(struct inject_ptrace *in, struct tracee *t, long got)
{
	if (got >= 0 && got != in->fds.spare)
		return again(in, INJECT_R_NO_SPARE, "has taken the free descriptor number");
	if (got == -EINVAL) /* fcntl's word for a number beyond the limit */
		got = -EMFILE;
	if (got == -EMFILE || got == -ENOMEM)
		return inject_refuse(&in->rep, INJECT_R_NO_SPARE, (int)got,
				     "copy descriptor %d inside process %d", in->target.fd,
				     in->target.pid);
	if (tracee_read_regs(t, &in->stop) == -ESRCH) /* killed: its descriptors are closed */
		return again(in, INJECT_R_VANISHED, "ended");
	return inject_refuse(&in->rep, INJECT_R_OTHER_SOCKET, -ESTALE,
			     "descriptor %d of process %d was closed or replaced meanwhile",
			     in->target.fd, in->target.pid);
}

/*
 * Lets the thread duplicate the descriptor, and looks what it got. Whatever happens from here on,
 * it closes that and restores itself. Returns 0: it is at the exit of fcntl with the right socket.
 */
static int take(struct inject_ptrace *in, struct tracee *t)
{
	long got;
	int err;

	set_timer(in, 0);
	err = tracee_write_regs(t, &in->frame.take, sizeof(in->frame.take));
	if (err < 0)
		return again(in, INJECT_R_VANISHED, "ended");
	/* A handler that does not return (a cancellation, longjmp) would leave the copy open. */
	tracee_block_signals(t);
	err = follow_call(in, t, SYS_fcntl);
	if (err < 0)
		return again(in, INJECT_R_VANISHED, "ended");
	got = sigframe_call_value(&in->stop.regs);
	if (got == in->fds.spare && spare_is_socket(in))
		return 0;
	if (got != in->fds.spare) { /* that number is another's: the thread must not close it */
		sigframe_drop_other(&in->frame, got < 0 ? -1 : (int)got);
		tracee_write_regs(t, &in->frame.drop, sizeof(in->frame.drop));
	}
	return explain_take(in, t, got);
}

/* The one write that makes the call happen. Returns 0, or a negative errno: result not seen. */
static int commit(struct inject_ptrace *in, struct tracee *t)
{
	int err;

	in->phase = INJECT_PTRACE_COMMITTED;
	err = tracee_write_regs(t, &in->frame.act, sizeof(in->frame.act));
	if (err < 0 || in->target.proof == INJECT_BY_EFFECT)
		return err;
	err = follow_call(in, t, SYS_shutdown);
	if (err == 0)
		in->rep.res.call_ret = (int)sigframe_call_value(&in->stop.regs);
	return err;
}

/* Everything that happens while the thread is stopped. */
static int at_stop(struct inject_ptrace *in, struct tracee *t, const struct thread_choice *choice,
		   uint64_t low)
{
	uint64_t stopped_at = inject_worker_now();
	struct tracee_mem mem;
	int err;

	tracee_mem_init(&mem, t->tid, &in->rep.res.syscalls);
	err = check_stop(in, t, choice);
	if (err == 0)
		err = lay_frame(in, t, &mem, low);
	if (err == 0)
		err = inject_ptrace_check_seccomp(in, t->tid);
	if (err == 0 && inject_socket_open(in->target.pid, t->tid, in->fds.spare))
		err = again(in, INJECT_R_NO_SPARE, "has taken the free descriptor number");
	if (err == 0)
		err = take(in, t);
	if (err == 0)
		err = commit(in, t);
	if (tracee_release(t) < 0 && in->target.proof == INJECT_BY_EFFECT)
		err = err ? err : -ESRCH;
	in->rep.res.stopped_ns += inject_worker_now() - stopped_at;
	tracee_mem_close(&mem);
	if (in->phase != INJECT_PTRACE_COMMITTED)
		return err;
	return err < 0 ? report_vanished(in) : report_done(in);
}

/*
 * The thread's descriptor: the C libraries keep the list of robust mutexes in it, and of that the
 * kernel tells the address. 0: not known.
 */
static uint64_t find_descriptor(struct inject_ptrace *in, pid_t tid)
{
	uint64_t list;
	size_t len;

	in->rep.res.syscalls++;
	return syscall(SYS_get_robust_list, tid, &list, &len) == 0 ? list : 0;
}

/*
 * Faults of the pages that will be written, slow where a fork has left them shared, happen while
 * the thread runs, not while it is stopped. In its descriptor the kernel writes the number of the
 * CPU when the thread goes on (rseq).
 */
static void prepare_pages(struct inject_ptrace *in, const struct tracee_thread *thread, pid_t tid,
			  uint64_t low)
{
	uint64_t from = thread->sp - FRAME_USUAL;
	struct tracee_mem mem;

	tracee_mem_init(&mem, tid, &in->rep.res.syscalls);
	tracee_mem_prepare(&mem, from > low ? from : low, thread->sp);
	if (thread->descriptor)
		tracee_mem_prepare(&mem, thread->descriptor, thread->descriptor + DESCRIPTOR);
	tracee_mem_close(&mem);
}

/* Where the thread's stack ends, as far as that is known. */
static int prepare_stack(struct inject_ptrace *in, const struct thread_choice *choice,
			 struct tracee_stack *ret)
{
	const struct tracee_thread thread = {
		.sp = choice->wait.sp,
		.guard = tracee_guard_below(choice->tid, &in->maps, choice->wait.sp),
		.descriptor = find_descriptor(in, choice->tid),
		.idle = choice->rank == 0,
	};
	int err = tracee_maps_stack(&in->maps, &thread, ret);

	if (err < 0)
		return again(in, INJECT_R_STACK, "is on a stack whose end is not known");
	prepare_pages(in, &thread, choice->tid, ret->low);
	return 0;
}

/* One thread, once. Returns 0, INJECT_PTRACE_AGAIN, or a negative errno with the report filled. */
static int attempt(struct inject_ptrace *in, const struct thread_choice *choice)
{
	struct tracee_stack stack;
	struct tracee t;
	int err;

	in->rep.res.tid = choice->tid;
	err = inject_ptrace_check_thread(in, choice);
	if (err)
		return err;
	err = prepare_stack(in, choice, &stack);
	if (err)
		return err;
	if (stack.small) /* a contended lock looks the same, on a stack with no room: see it last */
		nanosleep(&nap, NULL);
	if (!inject_ptrace_wait_unchanged(in, choice))
		return again(in, INJECT_R_MOVED, "had moved on");

	tracee_init(&t, choice->tid, &in->rep.res.syscalls);
	in->phase = INJECT_PTRACE_STOPPING;
	set_timer(in, STOP_MS);
	err = tracee_stop(&t);
	if (err < 0)
		err = inject_ptrace_explain_seize(in, choice->tid, err);
	else
		err = await_stop(in, &t);
	if (err == 0)
		err = at_stop(in, &t, choice, stack.low);
	tracee_release(&t);
	in->holds |= t.lost;
	if (in->phase == INJECT_PTRACE_STOPPING)
		in->phase = INJECT_PTRACE_PREPARING;
	set_timer(in, 0);
	return err;
}

static int round_of_threads(struct inject_ptrace *in)
{
	int err = inject_ptrace_choose(in);

	if (err)
		return err;
	for (int i = 0; i < in->n_threads; i++) {
		err = attempt(in, &in->threads[i]);
		if (err != INJECT_PTRACE_AGAIN)
			return err;
	}
	return INJECT_PTRACE_AGAIN;
}

/* So that these do not fault for the first time while the thread is stopped. */
void inject_ptrace_warm(struct inject_ptrace *in)
{
	memset(&in->stop, 0, sizeof(in->stop));
	memset(&in->frame, 0, sizeof(in->frame));
	sigframe_layout_read(&in->layout);
}

void inject_ptrace_perform(struct inject_ptrace *in)
{
	static const struct itimerval off;
	int err, idle = 0;

	set_timer(in, 0);
	err = inject_ptrace_prepare(in);
	for (int round = 0; err == 0 && round < ROUNDS; round++) {
		err = round_of_threads(in);
		idle = in->n_threads == 0 ? idle + 1 : 0;
		if (err != INJECT_PTRACE_AGAIN || idle > IDLE_ROUNDS)
			break;
		nanosleep(&nap, NULL);
		err = inject_ptrace_prepare(in); /* new threads have new stacks */
	}
	in->phase = INJECT_PTRACE_ENDED;
	setitimer(ITIMER_REAL, &off, NULL);
}
