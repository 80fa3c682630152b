/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process by its pidfd (pidfd_open(2), since 5.3), and its end by what the kernel still shows. */
#ifndef EW_OBSERVE_PROC_PIDFD_EXIT_H
#define EW_OBSERVE_PROC_PIDFD_EXIT_H

#include <stdbool.h>
#include <stdint.h>

/* Readable when the whole process has ended. -ENOSYS before 5.3, -ESRCH: it is gone. */
int pidfd_exit_open(int32_t pid);

/* Has the whole process ended? Unlike a thread group's leader, which may end before its threads. */
bool pidfd_exit_gone(int pidfd);

/* The same by /proc, for want of a pidfd. */
bool pidfd_exit_gone_by_proc(int32_t pid, uint64_t start);

/*
 * How it ended, as wait(2) gives it; -1: the kernel does not tell. Asks the pidfd (since 6.15, when
 * its parent has waited for it), then /proc (while it is a zombie).
 */
int32_t pidfd_exit_status(int pidfd, int32_t pid, uint64_t start);

#endif
