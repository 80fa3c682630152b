/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_claims.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_socket.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int check_request(const struct inject_request *request, struct inject_end *end)
{
	if (now_mono() >= request->deadline)
		return inject_refuse(end, INJECT_R_DEADLINE, -ETIMEDOUT,
				     "no time left for process {pid}");
	if (request->pid <= 1)
		return inject_refuse(end, INJECT_R_BAD_PID, -EINVAL,
				     "process {pid} is never touched");
	if (request->pid == getpid())
		return inject_refuse(end, INJECT_R_OWN_PROCESS, -EINVAL,
				     "process {pid} is this process");
	if (request->fd < 0)
		return inject_refuse(end, INJECT_R_NO_FD, -EBADF, "{fd} is not a descriptor");
	return inject_claims_check(request, end);
}

static int refuse_gone(struct inject_end *end)
{
	return inject_refuse(end, INJECT_R_GONE, -ESRCH, "process {pid} has ended");
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
			 struct inject_end *end)
{
	struct proc_stat stat;
	struct proc_status status;
	int err = read_process(request->pid, &stat, &status, ret_live);

	if (err == -EACCES || err == -EPERM)
		return inject_refuse(end, INJECT_R_PERMISSION, err,
				     "read the state of process {pid}");
	if (err < 0)
		return refuse_gone(end);
	if (status.tgid != request->pid)
		return inject_refuse_seen(end, INJECT_R_THREAD_ID, -EINVAL,
					  "{pid} is a thread of process {seen}",
					  (uint64_t)status.tgid);
	if (stat.flags & PROC_KTHREAD)
		return inject_refuse(end, INJECT_R_KERNEL_THREAD, -EINVAL,
				     "{pid} is a kernel thread");
	if (request->start && stat.start != request->start)
		return inject_refuse(end, INJECT_R_OTHER_PROCESS, -ESRCH,
				     "process {pid} is not the requested one");
	if (*ret_live > 0)
		return 0;
	if (stat.state == 'Z' || stat.state == 'X')
		return inject_refuse(end, INJECT_R_ZOMBIE, -ESRCH, "process {pid} has ended");
	return inject_refuse(end, INJECT_R_EXITING, -ESRCH, "process {pid} is exiting");
}

static int refuse_copy(int err, struct inject_end *end)
{
	switch (err) {
	case -EBADF:
		return inject_refuse(end, INJECT_R_NO_FD, err,
				     "process {pid} has no descriptor {fd}");
	case -EPERM:
	case -EACCES:
		return inject_refuse(end, INJECT_R_PERMISSION, err,
				     "copy descriptor {fd} of process {pid}");
	case -ESRCH:
		return refuse_gone(end);
	default:
		return inject_refuse(end, INJECT_R_SYSTEM, err,
				     "copy descriptor {fd} of process {pid}");
	}
}

/* Where the kernel cannot copy descriptors *ret_copy is -1, and the tables of /proc have to do. */
static int check_socket(const struct inject_request *request, int copy, pid_t live, int *ret_copy,
			struct inject_end *end)
{
	int err;

	if (copy == -ENOSYS)
		return inject_socket_check_proc(request, live, end);
	if (copy < 0)
		return refuse_copy(copy, end);
	err = inject_socket_check(request, copy, end);
	if (err < 0)
		close(copy);
	else
		*ret_copy = copy;
	return err;
}

/*
 * The copy is made before the process is checked, so that both are of the same process: the
 * requested one was there before, and a number that it has now was its own all the time.
 */
int inject_preflight(const struct inject_request *request, int *ret_copy, struct inject_end *end)
{
	int copy, err = check_request(request, end);
	pid_t live;

	*ret_copy = -1;
	if (err < 0)
		return err;
	copy = ew_pidfd_copy_fd(request->pid, false, request->fd);
	err = check_process(request, &live, end);
	/* The first thread has ended, and its descriptor table with it: another thread's is used.
	 */
	if (err == 0 && copy == -ESRCH && live != request->pid)
		copy = ew_pidfd_copy_fd(live, true, request->fd);
	if (err == 0)
		return check_socket(request, copy, live, ret_copy, end);
	if (copy >= 0)
		close(copy);
	return err;
}
