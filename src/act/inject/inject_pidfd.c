/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_pidfd.h"
#include "act/inject/inject_result.h"
#include "base/pidfd.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static int copy_by(int pidfd, int fd)
{
	if (pidfd < 0)
		return ew_pidfd_unsupported(pidfd) ? -ENOSYS : pidfd;
	return ew_pidfd_getfd(pidfd, fd);
}

int inject_pidfd_copy(const struct inject_request *request, int pidfd, pid_t live)
{
	int thread, copy = copy_by(pidfd, request->fd);

	if (copy != -ESRCH || live <= 0 || live == request->pid)
		return copy;
	/* The first thread has ended, and its descriptor table with it: another thread's is used.
	 */
	thread = ew_pidfd_open(live, true);
	copy = copy_by(thread, request->fd);
	if (thread >= 0)
		close(thread);
	return copy;
}

int inject_pidfd_shutdown(const struct inject_request *request, int copy,
			  struct inject_result *result)
{
	result->used = INJECT_PIDFD;
	result->tid = 0;
	if (copy < 0)
		return inject_refuse(result, INJECT_R_NO_PIDFD, -ENOSYS,
				     "copy descriptor %d of process %d", request->fd, request->pid);
	result->syscalls++;
	if (shutdown(copy, SHUT_RD) == 0)
		return inject_done(result);
	result->call_ret = -errno;
	return inject_end(result, INJECT_FAILED, INJECT_R_CALL_ERROR, result->call_ret,
			  "shutdown of descriptor %d of process %d", request->fd, request->pid);
}
