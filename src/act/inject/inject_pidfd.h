/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A copy of another process's descriptor: pidfd_getfd, Linux 5.6. */
#ifndef EW_ACT_INJECT_INJECT_PIDFD_H
#define EW_ACT_INJECT_INJECT_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Returns a pidfd or a negative errno. thread: for one thread of a process whose first thread has
 * ended (Linux 6.9; before: -EINVAL).
 */
int pidfd_take(pid_t pid, bool thread);

/*
 * Whether pidfd_take() failed with err because this kernel has no pidfds (of that kind), or a
 * container's filter forbids them, rather than for this once (-EMFILE, -ENOMEM).
 */
bool pidfd_lacking(int err);

/*
 * Returns the copy, close-on-exec, or a negative errno (-EBADF: no such descriptor, -ESRCH: process
 * or its first thread ended, -EPERM). The copy keeps the socket open: close it at once.
 */
int inject_pidfd_copy(int pidfd, int fd);

#endif
