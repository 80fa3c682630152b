/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

int pidfd_take(pid_t pid, bool thread)
{
	long got = syscall(SYS_pidfd_open, pid, thread ? PIDFD_THREAD : 0);

	return got < 0 ? -errno : (int)got;
}

bool pidfd_lacking(int err)
{
	return err == -ENOSYS || err == -EPERM || err == -EINVAL;
}

int inject_pidfd_copy(int pidfd, int fd)
{
	long got = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return got < 0 ? -errno : (int)got;
}
