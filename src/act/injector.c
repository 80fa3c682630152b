/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/injector.h"
#include "act/inject_socket.h"
#include "base/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GRACE_MS = 100, /* the child's own timer comes first */
	EFFECT_MS = 30, /* after a killed child the call has been seen to run some ms late */
};

uint64_t injector_now(void)
{
	return (uint64_t)now_mono();
}

int injector_left_ms(uint64_t deadline_ns)
{
	uint64_t now = injector_now();

	return deadline_ns > now ? (int)((deadline_ns - now) / 1000000) : 0;
}

/* Only the timer may end the child early: a signal from the terminal is the parent's to handle. */
static void child_signals(void)
{
	sigset_t alarm;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

/*
 * Not fork(): without an exit signal the parent gets no SIGCHLD, and its waitpid(-1) for other
 * children does not take this one.
 */
static pid_t start_child(struct injector *in, int pipe_end[2])
{
	sigset_t all, old;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (pid == 0) {
		close(pipe_end[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		child_signals();
		injector_child(in);
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? -errno : pid;
}

/* Until the child's end of the pipe is closed, which its death does. */
static bool wait_eof(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int got;

	do
		got = poll(&p, 1, timeout_ms);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

/* Returns the child's wait status; -1: it does not even die (the kernel releases its target). */
static int end_child(struct injector *in, pid_t pid, int fd)
{
	int status = -1;

	if (!wait_eof(fd, injector_left_ms(in->deadline_ns) + GRACE_MS)) {
		kill(pid, SIGKILL);
		if (!wait_eof(fd, GRACE_MS))
			return -1;
	}
	while (waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
		;
	return status;
}

static bool was_killed(int status)
{
	return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
}

static int report_unseen_end(struct injector *in, int status)
{
	enum inject_reason reason = was_killed(status) ? INJECT_R_KILLED : INJECT_R_DEADLINE;

	if (in->copy >= 0 && inject_socket_is_shut(in->copy, EFFECT_MS)) {
		in->rep.res.status = INJECT_DONE;
		in->rep.res.reason = INJECT_R_NONE;
		return 0;
	}
	return inject_report_set(&in->rep, INJECT_UNSURE, reason, -ETIMEDOUT,
				 "the injected call of process %d was not seen to end",
				 in->target.pid);
}

/* The child ended before its report: nothing was changed, unless it had committed. */
static int report_death(struct injector *in, int status)
{
	struct inject_report *rep = &in->rep;
	pid_t pid = in->target.pid;

	if (in->phase == INJECTOR_COMMITTED)
		return report_unseen_end(in, status);
	if (was_killed(status))
		return inject_report_set(rep, INJECT_FAILED, INJECT_R_KILLED, -EINTR,
					 "inject into process %d: the injecting child was killed",
					 pid);
	if (in->phase == INJECTOR_STOPPING)
		return inject_refuse(rep, INJECT_R_UNINTERRUPTIBLE, -ETIMEDOUT,
				     "thread %d of process %d did not stop in time", rep->res.tid,
				     pid);
	return inject_refuse(rep, INJECT_R_DEADLINE, -ETIMEDOUT,
			     "no time left before process %d was stopped", pid);
}

int injector_run(struct injector *in)
{
	int pipe_end[2], status;
	pid_t pid;

	in->phase = INJECTOR_PREPARING;
	if (pipe2(pipe_end, O_CLOEXEC) < 0)
		return inject_refuse(&in->rep, INJECT_R_SYSTEM, -errno, "create a pipe");
	pid = start_child(in, pipe_end);
	close(pipe_end[1]);
	if (pid < 0) {
		close(pipe_end[0]);
		return inject_refuse(&in->rep, INJECT_R_SYSTEM, pid, "start a child process");
	}
	status = end_child(in, pid, pipe_end[0]);
	close(pipe_end[0]);
	if (in->phase != INJECTOR_ENDED)
		return report_death(in, status);
	return in->rep.res.status == INJECT_DONE ? 0 : in->rep.why.err;
}
