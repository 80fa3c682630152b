/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The checks before a thread is touched, and that of its seccomp filters, which needs the stop.
 * Each returns 0, INJECT_TRY_AGAIN (another thread or another moment may do), or a negative errno;
 * unless 0 in->end is filled.
 */
#ifndef EW_ACT_INJECT_INJECT_PTRACE_CHECKS_H
#define EW_ACT_INJECT_INJECT_PTRACE_CHECKS_H

#include <stdbool.h>
#include <sys/types.h>

#include "act/inject/inject_api.h"

struct inject_shared;
struct thread_choice;

enum { INJECT_TRY_AGAIN = 1 };

/* Begins the text of an end (inject_result.h). */
#define THREAD "thread {tid} of process {pid} "

/* Notes why this thread, or this moment, does not do. Returns INJECT_TRY_AGAIN. */
int inject_try_again(struct inject_shared *in, enum inject_reason reason, const char *what);

/* The process: alive, not stopped, frozen or traced, of this architecture. Reads its maps. */
int inject_ptrace_prepare(struct inject_shared *in);

/* Fills in->threads with at most max of them, and in->code if it is not yet known. */
int inject_ptrace_choose(struct inject_shared *in, int max);

/*
 * The thread: not stopped or traced, no strict seccomp, no shadow stack. Sets in->fds and
 * in->processor, and *ret_start to the thread's start time.
 */
int inject_ptrace_check_thread(struct inject_shared *in, const struct thread_choice *choice,
			       uint64_t *ret_start);

/*
 * Is the thread of the plan the same one, not frozen, and are the instructions where they were?
 * Sets in->fds, in->code and in->processor.
 */
bool inject_ptrace_check_plan(struct inject_shared *in, const struct inject_plan *plan);

/* Whether the thread is still in the wait that it was chosen for. */
bool inject_ptrace_wait_unchanged(struct inject_shared *in, const struct thread_choice *choice);

/* The stopped thread's seccomp filters allow all system calls of the frames. */
int inject_ptrace_check_seccomp(struct inject_shared *in, pid_t tid);

/* Why the kernel has refused PTRACE_SEIZE with err. */
int inject_ptrace_explain_seize(struct inject_shared *in, pid_t tid, int err);

#endif
