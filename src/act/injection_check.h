/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The checks before a thread is touched, and that of its seccomp filters, which needs its stop.
 * Each returns 0, INJECTION_AGAIN (another thread or moment may do), or a negative errno; unless 0
 * the report is filled.
 */
#ifndef EW_ACT_INJECTION_CHECK_H
#define EW_ACT_INJECTION_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

struct injection;
struct thread_choice;

enum { INJECTION_AGAIN = 1 };

/* The process: not stopped, frozen, traced, of this architecture; reads its maps. */
int injection_prepare(struct injection *in);

/* Fills in->threads, and in->code if it is not yet known. */
int injection_choose(struct injection *in);

/* The thread: asleep, not traced, no strict seccomp, no shadow stack. */
int injection_check_thread(struct injection *in, const struct thread_choice *choice);

/* Whether the thread is still in the wait it was chosen for. */
bool injection_wait_unchanged(struct injection *in, const struct thread_choice *choice);

/* The stopped thread's filters let the call and rt_sigreturn pass. */
int injection_check_seccomp(struct injection *in, pid_t tid);

/* Why the kernel refused PTRACE_SEIZE with err. */
int injection_explain_seize(struct injection *in, pid_t tid, int err);

#endif
