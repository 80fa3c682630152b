/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_pidfd.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_socket.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int check_request(const struct inject_request *request, struct inject_result *result)
{
	if (now_mono() >= request->deadline)
		return inject_refuse(result, INJECT_R_DEADLINE, -ETIMEDOUT,
				     "no time left for process %d", request->pid);
	if (request->pid <= 1)
		return inject_refuse(result, INJECT_R_BAD_PID, -EINVAL,
				     "process %d is never touched", request->pid);
	if (request->pid == getpid())
		return inject_refuse(result, INJECT_R_OWN_PROCESS, -EINVAL,
				     "process %d is this process", request->pid);
	if (request->fd < 0)
		return inject_refuse(result, INJECT_R_NO_FD, -EBADF, "%d is not a descriptor",
				     request->fd);
	return 0;
}

static int refuse_gone(const struct inject_request *request, struct inject_result *result)
{
	return inject_refuse(result, INJECT_R_GONE, -ESRCH, "process %d has ended", request->pid);
}

/* *ret_live: a thread of the process that is alive, or 0. */
static int read_process(pid_t pid, struct proc_stat *ret_stat, struct proc_status *ret_status,
			pid_t *ret_live)
{
	char path[PROC_PATH_MAX];
	int err = proc_stat_of(pid, ret_stat);

	if (!err)
		err = proc_status_read(AT_FDCWD, proc_path(path, pid, 0, "status"), ret_status);
	*ret_live = err ? 0 : proc_live_thread_from(pid, ret_stat);
	return err;
}

static int check_process(const struct inject_request *request, pid_t *ret_live,
			 struct inject_result *result)
{
	struct proc_stat stat;
	struct proc_status status;
	int err = read_process(request->pid, &stat, &status, ret_live);

	if (err == -EACCES || err == -EPERM)
		return inject_refuse(result, INJECT_R_PERMISSION, err,
				     "read the state of process %d", request->pid);
	if (err < 0)
		return refuse_gone(request, result);
	if (status.tgid != request->pid)
		return inject_refuse(result, INJECT_R_THREAD_ID, -EINVAL,
				     "%d is a thread of process %d", request->pid, status.tgid);
	if (stat.flags & PROC_KTHREAD)
		return inject_refuse(result, INJECT_R_KERNEL_THREAD, -EINVAL,
				     "%d is a kernel thread", request->pid);
	if (request->start && stat.start != request->start)
		return inject_refuse(result, INJECT_R_OTHER_PROCESS, -ESRCH,
				     "process %d is not the requested one", request->pid);
	if (*ret_live > 0)
		return 0;
	if (stat.state == 'Z' || stat.state == 'X')
		return inject_refuse(result, INJECT_R_ZOMBIE, -ESRCH, "process %d has ended",
				     request->pid);
	return inject_refuse(result, INJECT_R_EXITING, -ESRCH, "process %d is exiting",
			     request->pid);
}

static int refuse_copy(const struct inject_request *request, int err, struct inject_result *result)
{
	switch (err) {
	case -EBADF:
		return inject_refuse(result, INJECT_R_NO_FD, err, "process %d has no descriptor %d",
				     request->pid, request->fd);
	case -EPERM:
	case -EACCES:
		return inject_refuse(result, INJECT_R_PERMISSION, err,
				     "copy descriptor %d of process %d", request->fd, request->pid);
	case -ESRCH:
		return refuse_gone(request, result);
	default:
		return inject_refuse(result, INJECT_R_SYSTEM, err,
				     "copy descriptor %d of process %d", request->fd, request->pid);
	}
}

static int check_socket(const struct inject_request *request, int pidfd, pid_t live, int *ret_copy,
			struct inject_result *result)
{
	int err, copy = inject_pidfd_copy(request, pidfd, live);

	*ret_copy = -1;
	if (copy < 0 && copy != -ENOSYS)
		return refuse_copy(request, copy, result);
	if (copy < 0)
		return inject_socket_check_proc(request, live, result);
	err = inject_socket_check(request, copy, result);
	if (err < 0)
		close(copy);
	else
		*ret_copy = copy;
	return err;
}

int inject_preflight(const struct inject_request *request, int *ret_copy,
		     struct inject_result *result)
{
	int pidfd, err = check_request(request, result);
	pid_t live;

	if (err < 0)
		return err;
	/* Before the process is checked: then the pidfd is of the same process. */
	pidfd = ew_pidfd_open(request->pid, false);
	err = check_process(request, &live, result);
	if (err == 0)
		err = check_socket(request, pidfd, live, ret_copy, result);
	if (pidfd >= 0)
		close(pidfd);
	return err;
}
