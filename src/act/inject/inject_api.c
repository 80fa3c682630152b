/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_api.h"
#include "act/inject/inject_claims.h"
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_worker.h"
#include "base/pidfd.h"
#include "base/proc.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/* By INJECT_PIDFD. copy: checked, or -1 if this kernel cannot make one. */
static int shut_copy(int copy, struct inject_result *result, struct inject_end *end)
{
	result->used = INJECT_PIDFD;
	result->tid = 0;
	if (copy < 0)
		return inject_refuse(end, INJECT_R_NO_PIDFD, -ENOSYS,
				     "copy descriptor {fd} of process {pid}");
	result->syscalls++;
	if (shutdown(copy, SHUT_RD) == 0)
		return inject_done(end);
	result->call_ret = -errno;
	return inject_end_as(end, INJECT_FAILED, INJECT_R_CALL_ERROR, result->call_ret,
			     "shutdown of descriptor {fd} of process {pid}");
}

/* Whether ptrace was refused for a reason that does not concern the other method. */
static bool pidfd_may_do(const struct inject_end *end)
{
	if (end->status != INJECT_REFUSED)
		return false;
	switch (end->reason) {
	case INJECT_R_GONE:
	case INJECT_R_ZOMBIE:
	case INJECT_R_EXITING:
	case INJECT_R_VANISHED:
	case INJECT_R_OTHER_SOCKET:
	case INJECT_R_CLAIMED:
		return false;
	default:
		return true;
	}
}

static void by_method(struct inject_worker *worker, const struct inject_request *request, int copy,
		      struct inject_result *result, struct inject_end *end)
{
	if (request->method != INJECT_PIDFD) {
		inject_worker_run(worker, request, copy, result, end);
		if (request->method != INJECT_AUTO || copy < 0 || !pidfd_may_do(end))
			return;
	}
	shut_copy(copy, result, end);
}

int inject_shutdown(struct inject_worker *worker, const struct inject_request *request,
		    struct inject_result *result)
{
	struct inject_end end;
	int copy;

	*result = (struct inject_result){ .used = request->method };
	if (inject_preflight(request, &copy, &end) == 0)
		by_method(worker, request, copy, result, &end);
	if (copy >= 0)
		close(copy);
	return inject_result_fill(request, &end, result);
}

/* ---- a process that was identified before ---- */

/* The copy keeps the socket open: the caller closes it at once. */
static int copy_checked(const struct inject_request *request, int pidfd, struct inject_end *end)
{
	int err, copy = ew_pidfd_getfd(pidfd, request->fd);

	if (copy == -ESRCH) { /* perhaps only its first thread has ended */
		pid_t live = proc_live_thread(request->pid, request->start);

		if (live > 0 && live != request->pid)
			copy = ew_pidfd_copy_fd(live, true, request->fd);
	}
	if (copy < 0)
		return inject_refuse(end,
				     copy == -EBADF   ? INJECT_R_NO_FD
				     : copy == -ESRCH ? INJECT_R_GONE
						      : INJECT_R_SYSTEM,
				     copy, "copy descriptor {fd} of process {pid}");
	err = inject_socket_check(request, copy, end);
	if (!err)
		return copy;
	close(copy);
	return err;
}

/* As inject_preflight(), without the checks of the process. */
static int prepared_copy(const struct inject_request *request, int pidfd,
			 struct inject_result *result, struct inject_end *end)
{
	int err = inject_claims_check(request, end);

	*result = (struct inject_result){ .used = request->method };
	return err ? err : copy_checked(request, pidfd, end);
}

int inject_prepared_check(const struct inject_request *request, int pidfd,
			  struct inject_result *result)
{
	struct inject_end end;
	int copy = prepared_copy(request, pidfd, result, &end);

	if (copy >= 0) {
		inject_done(&end);
		close(copy);
	}
	return inject_result_fill(request, &end, result);
}

int inject_prepared_shutdown(struct inject_worker *worker, const struct inject_request *request,
			     int pidfd, struct inject_result *result)
{
	struct inject_end end;
	int copy = prepared_copy(request, pidfd, result, &end);

	if (copy >= 0) {
		by_method(worker, request, copy, result, &end);
		close(copy);
	}
	return inject_result_fill(request, &end, result);
}
