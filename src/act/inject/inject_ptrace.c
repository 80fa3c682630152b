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
	TRIES = 20,	  /* choices of threads: a busy process moves on between choice and stop */
	FIRST_CHOICE = 4, /* threads to choose from at first: most wait for good */
	EMPTY_TRIES = 5,  /* in succession, with no thread to choose from */
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
static void prepare_pages(struct inject_shared *in, const struct inject_plan *plan)
{
	uint64_t sp = plan->choice.wait.sp, from = sp - FRAME_USUAL;
	struct tracee_mem mem;

	tracee_mem_init(&mem, plan->choice.tid, &in->result.syscalls);
	tracee_mem_prepare(&mem, from > plan->low ? from : plan->low, sp);
	if (plan->tcb)
		tracee_mem_prepare(&mem, plan->tcb, plan->tcb + TCB_SIZE);
	tracee_mem_close(&mem);
}

/* All that can be found out before the moment of the injection. */
static int plan_thread(struct inject_shared *in, const struct thread_choice *choice,
		       struct inject_plan *ret)
{
	struct tracee_thread thread = { .sp = choice->wait.sp, .idle = choice->rank == 0 };
	struct tracee_stack stack;
	uint64_t start;
	int err;

	in->result.tid = choice->tid;
	err = inject_ptrace_check_thread(in, choice, &start);
	if (err)
		return err;
	thread.guard = tracee_guard_below(choice->tid, &in->maps, choice->wait.sp);
	thread.tcb = find_tcb(in, choice->tid);
	if (tracee_maps_stack(&in->maps, &thread, &stack) < 0)
		return inject_try_again(in, INJECT_R_STACK, THREAD "is on a stack of unknown size");
	*ret = (struct inject_plan){ .known = true,
				     .small = stack.small,
				     .choice = *choice,
				     .thread_start = start,
				     .low = stack.low,
				     .tcb = thread.tcb,
				     .code = in->code,
				     .scratch_fd = in->fds.scratch_fd };
	return 0;
}

/* Tries one thread, once. Returns 0, INJECT_TRY_AGAIN, or a negative errno with in->end filled. */
static int try_plan(struct inject_shared *in, const struct inject_plan *plan)
{
	prepare_pages(in, plan);
	if (plan->small) /* a contended lock looks the same, on a stack without room, but not for
			    long */
		nanosleep(&pause_1ms, NULL);
	if (!inject_ptrace_wait_unchanged(in, &plan->choice))
		return inject_try_again(in, INJECT_R_MOVED, THREAD "had moved on");

	if (!in->result.dups.n)
		in->result.dups.last_pid = inject_copies_last_pid();
	return inject_stop_and_call(in, &plan->choice, plan->low);
}

static int try_thread(struct inject_shared *in, const struct thread_choice *choice)
{
	struct inject_plan plan;
	int err = plan_thread(in, choice, &plan);

	if (err)
		return err;
	if (!in->plan_only)
		return try_plan(in, &plan);
	in->plan = plan;
	return 0;
}

/* By a plan that was made before. */
static int try_earlier_plan(struct inject_shared *in)
{
	const struct inject_plan plan = in->plan;

	in->result.tid = plan.choice.tid;
	if (!inject_ptrace_check_plan(in, &plan))
		return inject_try_again(in, INJECT_R_MOVED, THREAD "had moved on");
	return try_plan(in, &plan);
}

static int try_threads(struct inject_shared *in, int max)
{
	int err = inject_ptrace_choose(in, max);

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

static void perform(struct inject_shared *in)
{
	int err, empty = 0;

	if (in->plan.known && try_earlier_plan(in) != INJECT_TRY_AGAIN)
		return;
	in->result.tid = 0;
	err = inject_ptrace_prepare(in);
	for (int i = 0; err == 0 && i < TRIES; i++) {
		err = try_threads(in, i == 0 ? FIRST_CHOICE : THREAD_CHOICE_MAX);
		empty = in->n_threads == 0 ? empty + 1 : 0;
		if (err != INJECT_TRY_AGAIN || empty > EMPTY_TRIES)
			break;
		nanosleep(&pause_1ms, NULL);
		err = inject_ptrace_prepare(in); /* new threads have new stacks */
	}
}

void inject_ptrace_perform(struct inject_shared *in)
{
	inject_timer_set(in->request.deadline, 0);
	if (sched_getaffinity(0, sizeof(in->processors), &in->processors) < 0)
		CPU_ZERO(&in->processors);
	perform(in);
	inject_timer_end();
}
