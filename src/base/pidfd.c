/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/pidfd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Numbers that are the same on every architecture; older headers lack them. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

int ew_pidfd_open(pid_t pid, bool thread)
{
	long fd = syscall(SYS_pidfd_open, pid, thread ? PIDFD_THREAD : 0);

	return fd < 0 ? -errno : (int)fd;
}

bool ew_pidfd_unsupported(int err)
{
	return err == -ENOSYS || err == -EPERM || err == -EINVAL;
}

int ew_pidfd_getfd(int pidfd, int fd)
{
	long copy = syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? -errno : (int)copy;
}

int ew_pidfd_copy_fd(pid_t pid, bool thread, int fd)
{
	int copy, pidfd = ew_pidfd_open(pid, thread);

	if (pidfd < 0)
		return ew_pidfd_unsupported(pidfd) ? -ENOSYS : pidfd;
	copy = ew_pidfd_getfd(pidfd, fd);
	close(pidfd);
	return copy;
}

bool ew_pidfd_has_ended(int pidfd)
{
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };

	return poll(&poller, 1, 0) == 1 && poller.revents & (POLLIN | POLLHUP);
}
