/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_prepared.h"

#include <errno.h>
#include <unistd.h>

#include "act/inject/inject_pidfd.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_socket.h"
#include "base/pidfd.h"
#include "base/proc.h"

/* The copy keeps the socket open: the caller closes it at once. */
static int copy_checked(const struct inject_request *request, int pidfd,
			struct inject_result *result)
{
	int err, copy = ew_pidfd_getfd(pidfd, request->fd);

	*result = (struct inject_result){ .used = INJECT_PIDFD };
	if (copy == -ESRCH) /* perhaps only its first thread has ended */
		copy = inject_pidfd_copy(request, pidfd,
					 proc_live_thread(request->pid, request->start));
	if (copy < 0)
		return inject_refuse(result,
				     copy == -EBADF   ? INJECT_R_NO_FD
				     : copy == -ESRCH ? INJECT_R_GONE
						      : INJECT_R_SYSTEM,
				     copy, "copy descriptor %d of process %d", request->fd,
				     request->pid);
	err = inject_socket_check(request, copy, result);
	if (!err)
		return copy;
	close(copy);
	return err;
}

int inject_prepared_check(const struct inject_request *request, int pidfd,
			  struct inject_result *result)
{
	int copy = copy_checked(request, pidfd, result);

	if (copy < 0)
		return copy;
	close(copy);
	return 0;
}

int inject_prepared_shutdown(const struct inject_request *request, int pidfd,
			     struct inject_result *result)
{
	int err, copy = copy_checked(request, pidfd, result);

	if (copy < 0)
		return copy;
	err = inject_pidfd_shutdown(request, copy, result);
	close(copy);
	return err;
}
