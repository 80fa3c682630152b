/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_ptrace.h"
#include "act/inject/thread_status.h"
#include "act/inject/tracee_mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GAP_MIN = 16, GAP_MAX = 64, SPARE_PROBES = 512 };

static int refuse_traced(struct inject_ptrace *in, pid_t tid, pid_t tracer)
{
	char name[32] = "";
	ssize_t n = thread_proc_read(tracer, tracer, "comm", name, sizeof(name));

	if (n > 0)
		name[n - 1] = '\0'; /* newline */
	return inject_refuse(&in->rep, INJECT_R_TRACED, -EBUSY,
			     "thread %d of process %d is traced by process %d (%s)", tid,
			     in->target.pid, tracer, n > 0 ? name : "gone");
}

/* cgroup v2; a v1 freezer shows as uninterruptible wait. */
static bool frozen(pid_t pid)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char text[4096], path[4352], events[256];
	char *at, *end;

	if (thread_proc_read(pid, pid, "cgroup", text, sizeof(text)) < 0)
		return false;
	at = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!at)
		return false;
	at = strchr(at, '/');
	end = at ? strchr(at, '\n') : NULL;
	if (!end)
		return false;
	*end = '\0';
	for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
		ssize_t n;
		int fd;

		snprintf(path, sizeof(path), "%s%s/cgroup.events", roots[i], at);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, events, sizeof(events) - 1);
		close(fd);
		events[n > 0 ? n : 0] = '\0';
		return strstr(events, "frozen 1") != NULL;
	}
	return false;
}

/* The program file of a process whose first thread has ended cannot be read: the stop decides. */
static bool foreign_program(pid_t pid, pid_t tid)
{
	unsigned char head[64];
	ssize_t n = thread_proc_read(pid, tid, "exe", (char *)head, sizeof(head));

	return n > 0 && thread_program_foreign(head, (size_t)n);
}

static int check_process(struct inject_ptrace *in)
{
	struct thread_status status;
	pid_t pid = in->target.pid;
	int err = thread_status_read(pid, in->live, &status);

	if (err < 0)
		return inject_refuse(&in->rep, INJECT_R_GONE, -ESRCH, "process %d is gone", pid);
	if (status.state == 'Z' || status.state == 'X') /* traced by this very process, it may be */
		return inject_refuse(&in->rep, INJECT_R_VANISHED, -ESRCH,
				     "thread %d of process %d ended", in->live, pid);
	if (status.tracer)
		return refuse_traced(in, in->live, status.tracer);
	if (status.state == 'T')
		return inject_refuse(&in->rep, INJECT_R_STOPPED, -EBUSY,
				     "process %d is stopped by job control", pid);
	if (frozen(pid))
		return inject_refuse(&in->rep, INJECT_R_FROZEN, -EBUSY, "process %d is frozen",
				     pid);
	if (foreign_program(pid, in->live))
		return inject_refuse(&in->rep, INJECT_R_ARCH, -ENOTSUP,
				     "process %d runs a program of another architecture", pid);
	return 0;
}

int inject_ptrace_prepare(struct inject_ptrace *in)
{
	pid_t pid = in->target.pid;
	int err = check_process(in);

	if (err < 0)
		return err;
	memset(&in->code, 0, sizeof(in->code));
	err = tracee_maps_read(pid, in->live, &in->maps);
	if (err == -EACCES || err == -EPERM)
		return inject_refuse(&in->rep, INJECT_R_PERMISSION, -EPERM,
				     "read the memory map of process %d", pid);
	if (err < 0 || in->maps.n == 0)
		return inject_refuse(&in->rep, INJECT_R_EXITING, err < 0 ? err : -ESRCH,
				     "process %d has no memory map", pid);
	return 0;
}

static int find_code(struct inject_ptrace *in)
{
	struct tracee_mem mem;
	int err;

	tracee_mem_init(&mem, in->live, &in->rep.res.syscalls);
	err = 0;
	if (!gadget_recall(&in->maps, &mem, &in->cache, &in->code)) {
		err = gadget_find(&in->maps, &mem, in->chunk, &in->code);
		if (err == 0)
			gadget_remember(&in->maps, &in->code, &in->cache);
	}
	tracee_mem_close(&mem);
	if (err == -EPERM || err == -EACCES)
		return inject_refuse(&in->rep, INJECT_R_PERMISSION, err,
				     "read the memory of process %d", in->target.pid);
	if (err < 0)
		return inject_refuse(&in->rep, INJECT_R_NO_GADGET, err,
				     "find the needed instructions in process %d", in->target.pid);
	return 0;
}

/*
 * No thread qualifies: a property of the only thread's wait, or of this moment. One that was tried
 * before, and is only not yet back in its wait, says more.
 */
static int no_thread(struct inject_ptrace *in)
{
	struct thread_status status;
	pid_t pid = in->target.pid;
	bool read;

	if (in->rep.res.tid)
		return INJECT_PTRACE_AGAIN;
	read = thread_status_read(pid, in->live, &status) == 0;
	if (read && status.state == 'D')
		inject_refuse(&in->rep, INJECT_R_UNINTERRUPTIBLE, -EBUSY,
			      "process %d is in an uninterruptible wait", pid);
	else
		inject_refuse(
			&in->rep, INJECT_R_NO_THREAD, -EBUSY,
			"none of %u threads of process %d waits in a call that restarts unseen",
			read ? status.threads : 0, pid);
	return !read || status.threads == 1 ? in->rep.error.code : INJECT_PTRACE_AGAIN;
}

int inject_ptrace_choose(struct inject_ptrace *in)
{
	int n = thread_choose(in->target.pid, in->threads);

	if (n == -EPERM)
		return inject_refuse(&in->rep, INJECT_R_PERMISSION, n,
				     "see what the threads of process %d wait for", in->target.pid);
	if (n < 0)
		return inject_refuse(&in->rep, INJECT_R_GONE, -ESRCH, "process %d is gone",
				     in->target.pid);
	in->n_threads = n;
	if (n == 0)
		return no_thread(in);
	return in->code.call ? 0 : find_code(in);
}

/* Who has needed a large table may need many numbers at once. */
static int gap_in(int size)
{
	int quarter = size / 4;

	return quarter < GAP_MIN ? GAP_MIN : quarter < GAP_MAX ? quarter : GAP_MAX;
}

/*
 * The lowest open descriptor from a number on; INT_MAX: none, -1: they cannot be read. A place in
 * dir, /proc/PID/task/TID/fd, is a number and 2, for "." and ".." (fs/proc/fd.c). So a range takes
 * two calls; to look at each of 64 numbers took 150 us, a fifth of an injection.
 */
static int first_open(int dir, int from)
{
	_Alignas(struct dirent64) char first[64];
	ssize_t len = -1;

	if (lseek(dir, from + 2, SEEK_SET) >= 0)
		len = getdents64(dir, first, sizeof(first));
	if (len <= 0)
		return len < 0 ? -1 : INT_MAX;
	return (int)strtol(((struct dirent64 *)first)->d_name, NULL, 10);
}

/*
 * The highest number below size with gap - 1 free ones below it in the thread's table, or -1. Some
 * above it are free too: a program that uses numbers of its own choice (dup2) opens and closes
 * these at any time, and uses neighbours.
 */
static int free_in_table(const struct inject_ptrace *in, pid_t tid, int size, int gap)
{
	int dir, low, open_fd, needed = gap + gap / 4, found = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd", in->target.pid, tid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	for (low = size - needed; found < 0 && low >= 0 && low >= size - SPARE_PROBES;
	     low = open_fd - needed) {
		open_fd = first_open(dir, low);
		if (open_fd >= low + needed)
			found = low + gap - 1;
	}
	close(dir);
	return found;
}

/*
 * A high number among free ones: the kernel gives out the lowest free number, so hardly anybody
 * gets this one meanwhile (act/frame.h: and if so). Beyond the table only if it is nearly full,
 * because it then grows: it stays larger, and where threads share it that waits for an RCU grace
 * period.
 */
static bool find_spare(struct inject_ptrace *in, pid_t tid, int fd_size)
{
	struct rlimit limit;
	int fd, size;

	if (prlimit(in->target.pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return false;
	size = limit.rlim_cur < (rlim_t)fd_size ? (int)limit.rlim_cur : fd_size;
	fd = free_in_table(in, tid, size, gap_in(size));
	if (fd < 0) {
		fd = fd_size + gap_in(size);
		if ((rlim_t)fd >= limit.rlim_cur)
			return false;
	}
	in->fds = (struct sigframe_descriptors){ in->target.fd, fd };
	return true;
}

int inject_ptrace_check_thread(struct inject_ptrace *in, const struct thread_choice *choice)
{
	struct thread_status status;
	pid_t pid = in->target.pid, tid = choice->tid;

	if (thread_status_read(pid, tid, &status) < 0) {
		inject_refuse(&in->rep, INJECT_R_VANISHED, -ESRCH, "thread %d of process %d ended",
			      tid, pid);
		return INJECT_PTRACE_AGAIN;
	}
	if (status.tracer)
		return refuse_traced(in, tid, status.tracer);
	if (status.state == 'T')
		return inject_refuse(&in->rep, INJECT_R_STOPPED, -EBUSY,
				     "process %d is stopped by job control", pid);
	if (status.state == 'D') {
		inject_refuse(&in->rep, INJECT_R_UNINTERRUPTIBLE, -EBUSY,
			      "thread %d of process %d is in an uninterruptible wait", tid, pid);
		return INJECT_PTRACE_AGAIN;
	}
	if (status.shadow_stack)
		return inject_refuse(&in->rep, INJECT_R_SHADOW_STACK, -ENOTSUP,
				     "thread %d of process %d has a shadow stack", tid, pid);
	if (status.seccomp == SECCOMP_MODE_STRICT)
		return inject_refuse(&in->rep, INJECT_R_SECCOMP, -EACCES,
				     "thread %d of process %d is in seccomp's strict mode", tid,
				     pid);
	if (!find_spare(in, tid, (int)status.fd_size))
		return inject_refuse(&in->rep, INJECT_R_NO_SPARE, -EMFILE,
				     "find a free descriptor number in process %d", pid);
	return 0;
}

bool inject_ptrace_wait_unchanged(struct inject_ptrace *in, const struct thread_choice *choice)
{
	struct thread_wait now;

	return thread_wait_read(in->target.pid, choice->tid, &now) == 0 &&
	       thread_wait_same(&now, &choice->wait);
}

/*
 * Whether the stopped thread has filters, seccomp_verdict() having failed with err. It may have got
 * one since it was chosen, from another thread (SECCOMP_FILTER_FLAG_TSYNC).
 */
static bool has_filters(struct inject_ptrace *in, pid_t tid, int err)
{
	struct thread_status status;

	if (err == -EINVAL)
		return false;
	return thread_status_read(in->target.pid, tid, &status) < 0 ||
	       status.seccomp == SECCOMP_MODE_FILTER;
}

/*
 * What remains: a filter that another thread installs for all between this and the thread's last
 * call, in some 100 us, and that kills for one of them.
 */
int inject_ptrace_check_seccomp(struct inject_ptrace *in, pid_t tid)
{
	struct seccomp_data calls[SIGFRAME_CALLS];
	int nr = 0, err;

	sigframe_seccomp_data(&in->frame, &in->code, &in->fds, calls);
	err = seccomp_verdict(tid, calls, SIGFRAME_CALLS, in->insns, &nr);
	if (err < 0 && !nr && !has_filters(in, tid, err))
		return 0;
	if (err == -EACCES && nr)
		return inject_refuse(&in->rep, INJECT_R_SECCOMP, err,
				     "the seccomp filter of process %d does not allow call %d",
				     in->target.pid, nr);
	if (err < 0)
		return inject_refuse(&in->rep, INJECT_R_SECCOMP, err,
				     "read the seccomp filters of process %d", in->target.pid);
	return 0;
}

int inject_ptrace_explain_seize(struct inject_ptrace *in, pid_t tid, int err)
{
	struct thread_status status;

	if (err == -ESRCH) {
		inject_refuse(&in->rep, INJECT_R_VANISHED, err, "thread %d of process %d ended",
			      tid, in->target.pid);
		return INJECT_PTRACE_AGAIN;
	}
	if (thread_status_read(in->target.pid, tid, &status) == 0 && status.tracer)
		return refuse_traced(in, tid, status.tracer);
	return inject_refuse(&in->rep, INJECT_R_PERMISSION, err, "trace thread %d of process %d",
			     tid, in->target.pid);
}
