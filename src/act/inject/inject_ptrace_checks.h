/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The checks before a thread is touched, and that of its seccomp filters, which needs its stop.
 * Each returns 0, INJECT_PTRACE_AGAIN (another thread or moment may do), or a negative errno;
 * unless 0 the report is filled.
 */
#ifndef EW_ACT_INJECT_INJECT_PTRACE_CHECKS_H
#define EW_ACT_INJECT_INJECT_PTRACE_CHECKS_H

#include <stdbool.h>
#include <sys/types.h>

struct inject_ptrace;
struct thread_choice;

enum { INJECT_PTRACE_AGAIN = 1 };

/* The process: not stopped, frozen, traced, of this architecture; reads its maps. */
int inject_ptrace_prepare(struct inject_ptrace *in);

/* Fills in->threads, and in->code if it is not yet known. */
int inject_ptrace_choose(struct inject_ptrace *in);

/* The thread: asleep, not traced, no strict seccomp, no shadow stack. */
int inject_ptrace_check_thread(struct inject_ptrace *in, const struct thread_choice *choice);

/* Whether the thread is still in the wait it was chosen for. */
bool inject_ptrace_wait_unchanged(struct inject_ptrace *in, const struct thread_choice *choice);

/* The stopped thread's filters let the call and rt_sigreturn pass. */
int inject_ptrace_check_seccomp(struct inject_ptrace *in, pid_t tid);

/* Why the kernel refused PTRACE_SEIZE with err. */
int inject_ptrace_explain_seize(struct inject_ptrace *in, pid_t tid, int err);

#endif
