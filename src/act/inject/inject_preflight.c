/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_report.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_pidfd.h"
#include "act/inject/thread_choice.h"
#include "act/inject/thread_status.h"

#include <errno.h>
#include <unistd.h>

static int check_numbers(const struct inject_target *t, struct inject_report *rep)
{
	if (t->pid <= 1)
		return inject_refuse(rep, INJECT_R_BAD_PID, -EINVAL, "process %d is never touched",
				     t->pid);
	if (t->pid == getpid())
		return inject_refuse(rep, INJECT_R_OWN_PROCESS, -EINVAL,
				     "process %d is this process", t->pid);
	if (t->fd < 0)
		return inject_refuse(rep, INJECT_R_NO_FD, -EBADF, "%d is no descriptor", t->fd);
	return 0;
}

static int report_gone(const struct inject_target *t, struct inject_report *rep)
{
	return inject_refuse(rep, INJECT_R_GONE, -ESRCH, "process %d is gone", t->pid);
}

static int check_process(const struct inject_target *t, pid_t *ret_live, struct inject_report *rep)
{
	struct thread_status s;
	int err = thread_status_read(t->pid, t->pid, &s);

	if (err == -EACCES || err == -EPERM)
		return inject_refuse(rep, INJECT_R_PERMISSION, err, "read the state of process %d",
				     t->pid);
	if (err < 0)
		return report_gone(t, rep);
	if (s.tgid != t->pid)
		return inject_refuse(rep, INJECT_R_THREAD_ID, -EINVAL,
				     "%d is a thread of process %d", t->pid, s.tgid);
	if (s.kernel_thread)
		return inject_refuse(rep, INJECT_R_KERNEL_THREAD, -EINVAL, "%d is a kernel thread",
				     t->pid);
	if (t->start_ticks && s.start_ticks != t->start_ticks)
		return inject_refuse(rep, INJECT_R_OTHER_PROCESS, -ESRCH,
				     "process %d is not the one that was meant", t->pid);
	*ret_live = s.state == 'Z' || s.state == 'X' ? thread_find_live(t->pid) : t->pid;
	if (!*ret_live)
		return inject_refuse(rep, INJECT_R_ZOMBIE, -ESRCH, "process %d has ended", t->pid);
	if (s.exiting && *ret_live == t->pid)
		return inject_refuse(rep, INJECT_R_EXITING, -ESRCH, "process %d is ending", t->pid);
	return 0;
}

/* Returns a checked copy, -1 where the kernel has none to give, or another negative errno. */
static int report_copy_error(const struct inject_target *t, int err, struct inject_report *rep)
{
	switch (err) {
	case -EBADF:
		return inject_refuse(rep, INJECT_R_NO_FD, err, "process %d has no descriptor %d",
				     t->pid, t->fd);
	case -EPERM:
	case -EACCES:
		return inject_refuse(rep, INJECT_R_PERMISSION, err,
				     "copy descriptor %d of process %d", t->fd, t->pid);
	case -ESRCH:
		return report_gone(t, rep);
	default:
		return inject_refuse(rep, INJECT_R_SYSTEM, err, "copy descriptor %d of process %d",
				     t->fd, t->pid);
	}
}

static int copy_of(const struct inject_target *t, int pidfd, pid_t live)
{
	int thread_fd, copy = inject_pidfd_copy(pidfd, t->fd);

	if (copy != -ESRCH || live == t->pid)
		return copy;
	thread_fd = pidfd_take(live, true); /* the first thread has ended, and with it its table */
	if (thread_fd < 0)
		return pidfd_lacking(thread_fd) ? -ENOSYS : thread_fd;
	copy = inject_pidfd_copy(thread_fd, t->fd);
	close(thread_fd);
	return copy;
}

static int check_socket(const struct inject_target *t, int pidfd, struct inject_subject *subject,
			struct inject_report *rep)
{
	int err, copy = pidfd < 0 ? pidfd : copy_of(t, pidfd, subject->live);

	if (copy == -ENOSYS) {
		subject->copy = -1;
		return inject_socket_check_proc(t, subject->live, rep);
	}
	if (copy < 0)
		return report_copy_error(t, copy, rep);
	err = inject_socket_check(t, copy, rep);
	if (err < 0)
		close(copy);
	else
		subject->copy = copy;
	return err;
}

int inject_preflight(const struct inject_target *t, struct inject_subject *ret,
		     struct inject_report *rep)
{
	int err = check_numbers(t, rep);
	int pidfd = t->pidfd;

	if (err < 0)
		return err;
	if (pidfd < 0)
		pidfd = pidfd_take(t->pid, false);
	if (pidfd == -ESRCH)
		return report_gone(t, rep);
	if (pidfd_lacking(pidfd))
		pidfd = -ENOSYS;
	err = check_process(t, &ret->live,
			    rep); /* after the pidfd was taken: it is of this process */
	if (err == 0)
		err = check_socket(t, pidfd, ret, rep);
	if (pidfd >= 0 && pidfd != t->pidfd)
		close(pidfd);
	return err;
}
