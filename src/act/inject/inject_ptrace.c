/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One injection by ptrace up to the stop: choose a thread, check it, prepare its stack. */
#include "act/inject/inject_ptrace.h"
#include "act/inject/inject_copies.h"
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_shared.h"
#include "act/inject/inject_stopped.h"
#include "act/inject/inject_timer.h"
#include "act/inject/tracee_guard.h"
#include "act/inject/tracee_mem.h"

#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
	TRIES = 20,	 /* choices of threads: a busy process moves on between choice and stop */
	EMPTY_TRIES = 5, /* in succession, with no thread to choose from */
	FRAME_USUAL = 4096, /* bytes below the stack pointer, without matrix registers */
	TCB_SIZE = 2048,    /* of glibc's thread descriptor, from its list of robust mutexes on */
};

static const struct timespec pause_1ms = { .tv_nsec = 1000000 };

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
		return inject_try_again(in, INJECT_R_STACK, THREAD "is on a stack of unknown size");
	prepare_pages(in, &thread, choice->tid, ret->low);
	return 0;
}

/* Tries one thread, once. Returns 0, INJECT_TRY_AGAIN, or a negative errno with the result filled.
 */
static int try_thread(struct inject_shared *in, const struct thread_choice *choice)
{
	struct tracee_stack stack;
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
		return inject_try_again(in, INJECT_R_MOVED, THREAD "had moved on");

	if (!in->result.dups.n)
		in->result.dups.last_pid = inject_copies_last_pid();
	return inject_stop_and_call(in, choice, stack.low);
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
	int err, empty = 0;

	inject_timer_set(in->request.deadline, 0);
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
	inject_timer_end();
}
