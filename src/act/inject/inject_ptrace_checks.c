/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_ptrace_checks.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_shared.h"
#include "act/inject/program_arch.h"
#include "act/inject/tracee_mem.h"
#include "base/dirents.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GAP_MIN = 16, GAP_MAX = 64, SCRATCH_PROBES = 512 };

struct thread_status {
	struct proc_stat stat;
	struct proc_status status;
};

static int read_thread(pid_t pid, pid_t tid, struct thread_status *ret)
{
	char path[PROC_PATH_MAX];
	int err = proc_stat_read(AT_FDCWD, proc_path(path, pid, tid, "stat"), &ret->stat);

	if (err < 0)
		return err;
	return proc_status_read(AT_FDCWD, proc_path(path, pid, tid, "status"), &ret->status);
}

int inject_try_again(struct inject_shared *in, enum inject_reason reason, const char *what)
{
	inject_refuse(&in->end, reason, -EAGAIN, what);
	return INJECT_TRY_AGAIN;
}

static int refuse_traced(struct inject_shared *in, pid_t tracer)
{
	return inject_refuse_seen(&in->end, INJECT_R_TRACED, -EBUSY,
				  "process {pid} is traced by process {seen} ({program})",
				  (uint64_t)tracer);
}

/* By the freezer of cgroup version 2. That of version 1 shows as an uninterruptible wait. */
static bool is_frozen(pid_t pid, pid_t tid)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char proc[PROC_PATH_MAX], cgroup[4096], path[4352], events[256];
	int dir = open(proc_path(proc, pid, tid, ""), O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err = dir < 0 ? -errno : proc_cgroup_read(dir, "", cgroup, sizeof(cgroup));

	if (dir >= 0)
		close(dir);
	for (size_t i = 0; !err && i < sizeof(roots) / sizeof(roots[0]); i++) {
		snprintf(path, sizeof(path), "%s%s/cgroup.events", roots[i], cgroup);
		if (proc_read(AT_FDCWD, path, events, sizeof(events)) >= 0)
			return strstr(events, "frozen 1") != NULL;
	}
	return false;
}

/* If the program file cannot be read, the registers at the stop decide. */
static bool has_foreign_program(pid_t pid, pid_t tid)
{
	char path[PROC_PATH_MAX], head[64];
	ssize_t n = proc_read(AT_FDCWD, proc_path(path, pid, tid, "exe"), head, sizeof(head));

	return n > 0 && program_is_foreign(head, (size_t)n);
}

static int refuse_ended(struct inject_shared *in)
{
	return inject_refuse(&in->end, INJECT_R_VANISHED, -ESRCH, "process {pid} has ended");
}

/* Sets in->live, and reads that thread. */
static int find_live_thread(struct inject_shared *in, struct thread_status *ret)
{
	pid_t pid = in->request.pid;
	int err = read_thread(pid, pid, ret);

	if (err < 0)
		return err;
	if (in->request.start && ret->stat.start != in->request.start)
		return -ESRCH;
	in->live = proc_live_thread_from(pid, &ret->stat);
	if (in->live <= 0)
		return in->live < 0 ? in->live : -ESRCH;
	return in->live == pid ? 0 : read_thread(pid, in->live, ret);
}

static int check_process(struct inject_shared *in)
{
	struct thread_status thread;
	pid_t pid = in->request.pid;

	if (find_live_thread(in, &thread) < 0)
		return refuse_ended(in);
	if (thread.status.tracer)
		return refuse_traced(in, thread.status.tracer);
	if (thread.stat.state == 'T')
		return inject_refuse(&in->end, INJECT_R_STOPPED, -EBUSY,
				     "process {pid} is stopped by job control");
	if (is_frozen(pid, in->live))
		return inject_refuse(&in->end, INJECT_R_FROZEN, -EBUSY, "process {pid} is frozen");
	if (has_foreign_program(pid, in->live))
		return inject_refuse(&in->end, INJECT_R_ARCH, -ENOTSUP,
				     "process {pid} runs a program of another architecture");
	return 0;
}

int inject_ptrace_prepare(struct inject_shared *in)
{
	pid_t pid = in->request.pid;
	int err = check_process(in);

	if (err < 0)
		return err;
	memset(&in->code, 0, sizeof(in->code));
	err = tracee_maps_read(pid, in->live, &in->maps);
	if (err == -EACCES || err == -EPERM)
		return inject_refuse(&in->end, INJECT_R_PERMISSION, -EPERM,
				     "read the memory map of process {pid}");
	if (err < 0 || in->maps.n == 0)
		return inject_refuse(&in->end, INJECT_R_EXITING, err < 0 ? err : -ESRCH,
				     "process {pid} has no memory map");
	return 0;
}

static int find_code(struct inject_shared *in)
{
	struct tracee_mem mem;
	int err;

	tracee_mem_init(&mem, in->live, &in->result.syscalls);
	err = 0;
	if (!gadget_recall(&in->maps, &mem, &in->cache, &in->code)) {
		err = gadget_find(&in->maps, &mem, in->chunk, &in->code);
		if (err == 0)
			gadget_remember(&in->maps, &in->code, &in->cache);
	}
	tracee_mem_close(&mem);
	if (err == -EPERM || err == -EACCES)
		return inject_refuse(&in->end, INJECT_R_PERMISSION, err,
				     "read the memory of process {pid}");
	if (err < 0)
		return inject_refuse(&in->end, INJECT_R_NO_GADGET, err,
				     "find the needed instructions in process {pid}");
	return 0;
}

/*
 * No thread qualifies: final if there is one thread only, else true for this moment. The result of
 * a thread that was tried before, and is not yet back in its wait, says more.
 */
static int no_thread(struct inject_shared *in)
{
	struct thread_status thread;
	pid_t pid = in->request.pid;
	bool read;

	if (in->result.tid)
		return INJECT_TRY_AGAIN;
	read = read_thread(pid, in->live, &thread) == 0;
	if (read && thread.stat.state == 'D')
		inject_refuse(&in->end, INJECT_R_UNINTERRUPTIBLE, -EBUSY,
			      "process {pid} is in an uninterruptible wait");
	else
		inject_refuse_seen(&in->end, INJECT_R_NO_THREAD, -EBUSY,
				   "none of {seen} threads of process {pid} waits in a call that "
				   "restarts unseen",
				   read ? thread.status.threads : 0);
	return !read || thread.status.threads == 1 ? in->end.err : INJECT_TRY_AGAIN;
}

int inject_ptrace_choose(struct inject_shared *in, int max)
{
	int n = thread_choose(in->request.pid, in->threads, max);

	if (n == -EPERM)
		return inject_refuse(&in->end, INJECT_R_PERMISSION, n,
				     "see what the threads of process {pid} wait for");
	if (n < 0)
		return inject_refuse(&in->end, INJECT_R_GONE, -ESRCH, "process {pid} is gone");
	in->n_threads = n;
	if (n == 0)
		return no_thread(in);
	return in->code.syscall_ret ? 0 : find_code(in);
}

/* A process that has needed a large table may need many numbers at once. */
static int gap_in(int size)
{
	int quarter = size / 4;

	return quarter < GAP_MIN ? GAP_MIN : quarter < GAP_MAX ? quarter : GAP_MAX;
}

/*
 * The lowest open descriptor that is not below a number; INT_MAX: none; or a negative errno. Sought
 * by offset (base/dirents.h): reading a table of some hundred descriptors took 150 us, a fifth of
 * an injection.
 */
static int first_open(struct dirents *fds, int from)
{
	int fd = dirents_seek(fds, from + 2);

	return fd == -ENOENT ? INT_MAX : fd;
}

/*
 * The highest number below size that has gap - 1 free ones below it in the thread's table, or -1.
 * Some above it are free too: a program that chooses numbers itself (dup2) uses neighbours, and may
 * open and close them at any time.
 */
static int free_in_table(const struct inject_shared *in, pid_t tid, int size, int gap)
{
	int low, open_fd, needed = gap + gap / 4, found = -1;
	char path[PROC_PATH_MAX];
	struct dirents fds;

	if (dirents_open(&fds, AT_FDCWD, proc_path(path, in->request.pid, tid, "fd")) < 0)
		return -1;
	for (low = size - needed; found < 0 && low >= 0 && low >= size - SCRATCH_PROBES;
	     low = open_fd - needed) {
		open_fd = first_open(&fds, low);
		if (open_fd >= low + needed)
			found = low + gap - 1;
	}
	dirents_close(&fds);
	return found;
}

/*
 * A high number among free ones: the kernel gives out the lowest free number, so that this one is
 * hardly ever taken meanwhile (sigframe.h: what happens if it is). Beyond the table only if that is
 * nearly full: the table would grow, and stay large, and the growth waits for an RCU grace period
 * where threads share it.
 */
static bool choose_scratch_fd(struct inject_shared *in, pid_t tid, int fd_size)
{
	struct rlimit limit;
	int fd, size;

	if (prlimit(in->request.pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return false;
	size = limit.rlim_cur < (rlim_t)fd_size ? (int)limit.rlim_cur : fd_size;
	fd = free_in_table(in, tid, size, gap_in(size));
	if (fd < 0) {
		fd = fd_size + gap_in(size);
		if ((rlim_t)fd >= limit.rlim_cur)
			return false;
	}
	in->fds = (struct sigframe_fds){ in->request.fd, fd };
	return true;
}

int inject_ptrace_check_thread(struct inject_shared *in, const struct thread_choice *choice,
			       uint64_t *ret_start)
{
	struct thread_status thread;
	pid_t pid = in->request.pid, tid = choice->tid;

	if (read_thread(pid, tid, &thread) < 0) {
		inject_refuse(&in->end, INJECT_R_VANISHED, -ESRCH,
			      "thread {tid} of process {pid} ended");
		return INJECT_TRY_AGAIN;
	}
	if (thread.status.tracer)
		return refuse_traced(in, thread.status.tracer);
	if (thread.stat.state == 'T')
		return inject_refuse(&in->end, INJECT_R_STOPPED, -EBUSY,
				     "process {pid} is stopped by job control");
	if (thread.stat.state == 'D') {
		inject_refuse(&in->end, INJECT_R_UNINTERRUPTIBLE, -EBUSY,
			      "thread {tid} of process {pid} is in an uninterruptible wait");
		return INJECT_TRY_AGAIN;
	}
	if (thread.status.shadow_stack)
		return inject_refuse(&in->end, INJECT_R_SHADOW_STACK, -ENOTSUP,
				     "thread {tid} of process {pid} has a shadow stack");
	if (thread.status.seccomp == SECCOMP_MODE_STRICT)
		return inject_refuse(&in->end, INJECT_R_SECCOMP, -EACCES,
				     "thread {tid} of process {pid} is in seccomp's strict mode");
	if (!choose_scratch_fd(in, tid, (int)thread.status.fd_size))
		return inject_refuse(&in->end, INJECT_R_NO_SCRATCH_FD, -EMFILE,
				     "find a free descriptor number in process {pid}");
	in->processor = thread.stat.processor;
	*ret_start = thread.stat.start;
	return 0;
}

bool inject_ptrace_check_plan(struct inject_shared *in, const struct inject_plan *plan)
{
	char path[PROC_PATH_MAX];
	struct tracee_mem mem;
	struct proc_stat stat;
	bool same;

	proc_path(path, in->request.pid, plan->choice.tid, "stat");
	if (proc_stat_read(AT_FDCWD, path, &stat) < 0 || stat.start != plan->thread_start ||
	    stat.state != 'S' || is_frozen(in->request.pid, plan->choice.tid))
		return false;
	tracee_mem_init(&mem, plan->choice.tid, &in->result.syscalls);
	same = gadget_verify(&mem, &plan->code);
	tracee_mem_close(&mem);
	in->code = plan->code;
	in->fds = (struct sigframe_fds){ in->request.fd, plan->scratch_fd };
	in->processor = stat.processor;
	return same;
}

bool inject_ptrace_wait_unchanged(struct inject_shared *in, const struct thread_choice *choice)
{
	struct thread_wait now;

	return thread_wait_read(in->request.pid, choice->tid, &now) == 0 &&
	       thread_wait_same(&now, &choice->wait);
}

/*
 * Whether the stopped thread has filters, if seccomp_verdict() has failed with err. Another thread
 * may have installed one since this thread was chosen (SECCOMP_FILTER_FLAG_TSYNC).
 */
static bool has_filters(struct inject_shared *in, pid_t tid, int err)
{
	struct thread_status thread;

	if (err == -EINVAL)
		return false;
	return read_thread(in->request.pid, tid, &thread) < 0 ||
	       thread.status.seccomp == SECCOMP_MODE_FILTER;
}

/*
 * Not covered: a filter that another thread installs for all of them in the some 100 us from here
 * to the thread's last call, and that kills for one of these calls.
 */
int inject_ptrace_check_seccomp(struct inject_shared *in, pid_t tid)
{
	struct seccomp_data calls[SIGFRAME_CALLS];
	int nr = 0, err;

	sigframe_seccomp_data(&in->frame, &in->code, &in->fds, calls);
	err = seccomp_verdict(tid, calls, SIGFRAME_CALLS, in->insns, &nr);
	if (err < 0 && !nr && !has_filters(in, tid, err))
		return 0;
	if (err == -EACCES && nr)
		return inject_refuse_seen(
			&in->end, INJECT_R_SECCOMP, err,
			"the seccomp filter of process {pid} does not allow call {seen}",
			(uint64_t)nr);
	if (err < 0)
		return inject_refuse(&in->end, INJECT_R_SECCOMP, err,
				     "read the seccomp filters of process {pid}");
	return 0;
}

int inject_ptrace_explain_seize(struct inject_shared *in, pid_t tid, int err)
{
	struct thread_status thread;

	if (err == -ESRCH) {
		inject_refuse(&in->end, INJECT_R_VANISHED, err,
			      "thread {tid} of process {pid} ended");
		return INJECT_TRY_AGAIN;
	}
	if (read_thread(in->request.pid, tid, &thread) == 0 && thread.status.tracer)
		return refuse_traced(in, thread.status.tracer);
	return inject_refuse(&in->end, INJECT_R_PERMISSION, err,
			     "trace thread {tid} of process {pid}");
}
