/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The checks before a thread is touched, and that of its seccomp filters, which needs its stop.
 * Each returns 0, INJECTOR_AGAIN (another thread or moment may do), or a negative errno; unless 0
 * the report is filled.
 */
#ifndef EW_ACT_INJECTOR_CHECK_H
#define EW_ACT_INJECTOR_CHECK_H

#include <stdbool.h>
#include <sys/types.h>

struct injector;
struct thread_choice;

enum { INJECTOR_AGAIN = 1 };

/* The process: not stopped, frozen, traced, of this architecture; reads its maps. */
int injector_prepare(struct injector *in);

/* Fills in->threads, and in->code if it is not yet known. */
int injector_choose(struct injector *in);

/* The thread: asleep, not traced, no strict seccomp, no shadow stack. */
int injector_check_thread(struct injector *in, const struct thread_choice *choice);

/* Whether the thread is still in the wait it was chosen for. */
bool injector_wait_unchanged(struct injector *in, const struct thread_choice *choice);

/* The stopped thread's filters let the call and rt_sigreturn pass. */
int injector_check_seccomp(struct injector *in, pid_t tid);

/* Why the kernel refused PTRACE_SEIZE with err. */
int injector_explain_seize(struct injector *in, pid_t tid, int err);

#endif
