/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_worker.h"
#include "act/inject/inject_api.h"
#include "act/inject/inject_preflight.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_ptrace.h"
#include "act/inject/inject_worker_link.h"
#include "base/now.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GRACE_MS = 100,		/* the child's own timer comes first */
	LEFT_MAX_MS = 86400000, /* to fit an int, also with some added */
	EFFECT_MS = 30, /* after a killed child the call has been seen to run some ms late */
};

struct inject_worker {
	pid_t child;		  /* 0: none */
	int link;		  /* to it: a request goes out, an answer or its end comes back */
	struct inject_ptrace *in; /* shared with it, and with no other child */
};

uint64_t inject_worker_now(void)
{
	return (uint64_t)now_mono();
}

int inject_worker_left_ms(uint64_t deadline_ns)
{
	uint64_t now = inject_worker_now();
	uint64_t left = deadline_ns > now ? (deadline_ns - now) / 1000000 : 0;

	return left < LEFT_MAX_MS ? (int)left : LEFT_MAX_MS;
}

/* ---- the child ---- */

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
 * The copy is closed before the answer: the socket must not stay open because of it. No answer is
 * one too, once the report is complete.
 */
static void child_serve(struct inject_ptrace *in, int link)
{
	inject_ptrace_warm(in);
	while (inject_worker_link_receive(link, &in->copy)) {
		inject_ptrace_perform(in);
		if (in->copy >= 0)
			close(in->copy);
		if (in->holds || !inject_worker_link_send(link, -1))
			break;
	}
}

/*
 * Not fork(): without an exit signal the parent gets no SIGCHLD, and its waitpid(-1) for other
 * children does not take this one. copy: the parent's, of the first target's socket, which must not
 * stay open here.
 */
static pid_t child_start(struct inject_ptrace *in, int link[2], int copy)
{
	sigset_t all, old;
	pid_t parent = getpid(), pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
	if (pid == 0) {
		close(link[0]);
		if (copy >= 0)
			close(copy);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		child_signals();
		child_serve(in, link[1]);
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid < 0 ? -errno : pid;
}

/* ---- the parent ---- */

int inject_worker_new(struct inject_worker **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

static int start_linked(struct inject_worker *injector, int copy)
{
	int link[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
		return -errno;
	injector->child = child_start(injector->in, link, copy);
	injector->link = link[0];
	close(link[1]);
	if (injector->child > 0)
		return 0;
	close(link[0]);
	return injector->child;
}

static int start(struct inject_worker *injector, int copy)
{
	int err;

	injector->in = mmap(NULL, sizeof(*injector->in), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (injector->in == MAP_FAILED)
		return -errno;
	err = start_linked(injector, copy);
	if (err < 0) {
		munmap(injector->in, sizeof(*injector->in));
		injector->child = 0;
	}
	return err;
}

static bool await(int link, short events, int timeout_ms)
{
	struct pollfd p = { .fd = link, .events = events };
	int got;

	do
		got = poll(&p, 1, timeout_ms);
	while (got < 0 && errno == EINTR);
	return got == 1;
}

/* Returns the child's wait status; -1: it does not even die (the kernel releases its target). */
static int stop(struct inject_worker *injector)
{
	int status = -1;

	kill(injector->child, SIGKILL);
	if (await(injector->link, 0, GRACE_MS)) /* POLLHUP */
		while (waitpid(injector->child, &status, __WALL) < 0 && errno == EINTR)
			;
	return status;
}

/* What the child shared is left to it, should it live yet. */
static void forget(struct inject_worker *injector)
{
	close(injector->link);
	munmap(injector->in, sizeof(*injector->in));
	injector->child = 0;
}

void inject_worker_free(struct inject_worker *injector)
{
	if (!injector)
		return;
	if (injector->child) {
		stop(injector);
		forget(injector);
	}
	free(injector);
}

static bool was_killed(int status)
{
	return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
}

static int report_unseen_end(struct inject_report *rep, const struct inject_target *t, int copy,
			     int status)
{
	enum inject_reason reason = was_killed(status) ? INJECT_R_KILLED : INJECT_R_DEADLINE;

	if (copy >= 0 && inject_socket_is_shut(copy, EFFECT_MS)) {
		rep->res.status = INJECT_DONE;
		rep->res.reason = INJECT_R_NONE;
		return 0;
	}
	return inject_report_set(rep, INJECT_UNSURE, reason, -ETIMEDOUT,
				 "the injected call of process %d was not seen to end", t->pid);
}

/* The child ended before its report: nothing was changed, unless it had committed. */
static int report_death(struct inject_report *rep, enum inject_ptrace_phase phase,
			const struct inject_target *t, int copy, int status)
{
	if (phase == INJECT_PTRACE_COMMITTED)
		return report_unseen_end(rep, t, copy, status);
	if (was_killed(status))
		return inject_report_set(rep, INJECT_FAILED, INJECT_R_KILLED, -EINTR,
					 "inject into process %d: the injecting child was killed",
					 t->pid);
	if (phase == INJECT_PTRACE_STOPPING)
		return inject_refuse(rep, INJECT_R_UNINTERRUPTIBLE, -ETIMEDOUT,
				     "thread %d of process %d did not stop in time", rep->res.tid,
				     t->pid);
	return inject_refuse(rep, INJECT_R_DEADLINE, -ETIMEDOUT,
			     "no time left before process %d was stopped", t->pid);
}

/* All that belonged to the injection before is gone after this. */
static void lay_out(struct inject_ptrace *in, const struct inject_target *t,
		    const struct inject_subject *subject, uint64_t deadline_ns,
		    const struct inject_report *rep)
{
	memset(in, 0, offsetof(struct inject_ptrace, cache));
	in->phase = INJECT_PTRACE_PREPARING;
	in->rep = *rep;
	in->rep.res.used = INJECT_PTRACE;
	in->target = *t;
	in->deadline_ns = deadline_ns;
	in->live = subject->live;
}

/* A child that somebody has killed meanwhile is replaced, once. */
static int request(struct inject_worker *injector, const struct inject_target *t,
		   const struct inject_subject *subject, uint64_t deadline_ns,
		   const struct inject_report *rep)
{
	for (int i = 0; i < 2; i++) {
		int err = injector->child ? 0 : start(injector, subject->copy);

		if (err < 0)
			return err;
		lay_out(injector->in, t, subject, deadline_ns, rep);
		if (inject_worker_link_send(injector->link, subject->copy))
			return 0;
		stop(injector);
		forget(injector);
	}
	return -EPIPE;
}

static bool answered(int link, uint64_t deadline_ns)
{
	int none;

	return await(link, POLLIN, inject_worker_left_ms(deadline_ns) + GRACE_MS) &&
	       inject_worker_link_receive(link, &none);
}

int inject_worker_run(struct inject_worker *injector, const struct inject_target *t,
		      const struct inject_subject *subject, uint64_t deadline_ns,
		      struct inject_report *rep)
{
	int err = request(injector, t, subject, deadline_ns, rep);
	enum inject_ptrace_phase phase;
	int status = 0;
	bool lives;

	if (err < 0)
		return inject_refuse(rep, INJECT_R_SYSTEM, err, "start a child process");
	lives = answered(injector->link, deadline_ns);
	if (!lives)
		status = stop(injector);
	phase = injector->in->phase;
	*rep = injector->in->rep;
	if (!lives)
		forget(injector);
	if (phase != INJECT_PTRACE_ENDED)
		return report_death(rep, phase, t, subject->copy, status);
	return rep->res.status == INJECT_DONE ? 0 : rep->error.code;
}
