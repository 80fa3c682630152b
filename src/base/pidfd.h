/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes by descriptor, which unlike a number never comes to mean another process. The calls of
 * glibc 2.36 by the same names are not used: they need newer headers, and set errno.
 */
#ifndef EW_BASE_PIDFD_H
#define EW_BASE_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * pidfd_open(2), Linux 5.3; close-on-exec. thread: of one thread, also of a process whose first
 * thread has ended (PIDFD_THREAD, Linux 6.9; before: -EINVAL). Returns the descriptor, the
 * caller's, or a negative errno: -ESRCH the process has ended, and see ew_pidfd_unsupported().
 */
int ew_pidfd_open(pid_t pid, bool thread);

/*
 * Whether ew_pidfd_open() failed with err because this kernel has no pidfds (of that kind), or a
 * container's seccomp filter forbids them; false for what may pass (-EMFILE, -ENOMEM).
 */
bool ew_pidfd_unsupported(int err);

/*
 * pidfd_getfd(2), Linux 5.6: a copy of the process' descriptor fd, close-on-exec, the caller's. It
 * keeps the file open: close it soon. Returns it, or a negative errno: -EBADF no such descriptor,
 * -ESRCH the process or its first thread has ended, -EPERM ptrace(2) would be refused too, -ENOSYS.
 */
int ew_pidfd_getfd(int pidfd, int fd);

/*
 * The same by the id of a process, or of one thread (Linux 6.9). -ENOSYS: also where
 * ew_pidfd_unsupported().
 */
int ew_pidfd_copy_fd(pid_t pid, bool thread, int fd);

/* Whether the whole process has ended, not only its first thread. */
bool ew_pidfd_has_ended(int pidfd);

#endif
