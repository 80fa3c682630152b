/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_worker.h"
#include "act/inject/inject_claims.h"
#include "act/inject/inject_ptrace.h"
#include "act/inject/inject_result.h"
#include "act/inject/inject_shared.h"
#include "act/inject/inject_socket.h"
#include "act/inject/inject_worker_link.h"
#include "base/now.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
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
	GRACE_MS = 100, /* the child's own timer comes first */
	EFFECT_MS = 30, /* the call of a thread whose tracer was killed has run some ms late */
};

#define PLAN_WAIT (200 * NS_PER_MS) /* for a look at one process */

struct inject_worker {
	pid_t child; /* 0: none */
	int link;    /* to the child: requests out, answers in; closed by its end */
	struct inject_shared *shared; /* with this child and no other */
	bool first;		      /* inject_worker_go_first() */
};

/* ---- the child ---- */

/* Only the timer may end the child early; signals from the terminal are for the parent. */
static void child_signals(void)
{
	sigset_t alarm;

	signal(SIGALRM, SIG_DFL);
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &alarm, NULL);
}

/* A child that gets stuck, or must exit to let its target go, keeps the process claimed until then.
 */
static void child_perform(struct inject_shared *shared)
{
	if (shared->plan_only) {
		inject_ptrace_perform(shared);
	} else if (inject_claims_take(&shared->request, &shared->end) == 0) {
		inject_ptrace_perform(shared);
		if (!shared->must_exit_to_detach)
			inject_claims_drop(&shared->request);
	}
	shared->phase = INJECT_PHASE_COMPLETE;
}

/*
 * The copy is closed before the answer, so that it does not keep the socket open. If the child
 * exits without an answer but after completing the result, the result still counts.
 */
static void child_serve(struct inject_shared *shared, int link)
{
	inject_ptrace_warm(shared);
	while (inject_worker_link_receive(link, &shared->copy)) {
		child_perform(shared);
		if (shared->copy >= 0)
			close(shared->copy);
		if (shared->must_exit_to_detach || !inject_worker_link_send(link, -1))
			break;
	}
}

/*
 * Not fork(): without an exit signal the parent gets no SIGCHLD, and its waitpid(-1) for other
 * children does not reap this one. copy: the parent's copy of the first socket, which must not stay
 * open here.
 *
 * A process group of its own: SIGSTOP to the group of the parent, or a signal from its terminal,
 * must not stop the child, which would leave its target stopped too. Not a session of its own: that
 * is a scheduling group of its own (CONFIG_SCHED_AUTOGROUP), with which targets of the parent's
 * session were stopped for 85 us instead of 47.
 */
static pid_t child_start(struct inject_shared *shared, int link[2], int copy)
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
		setpgid(0, 0);
		child_signals();
		child_serve(shared, link[1]);
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

static int start_linked(struct inject_worker *worker, int copy)
{
	int link[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) < 0)
		return -errno;
	worker->child = child_start(worker->shared, link, copy);
	worker->link = link[0];
	close(link[1]);
	if (worker->child > 0)
		return 0;
	close(link[0]);
	return worker->child;
}

static bool become_first(struct inject_worker *worker)
{
	const struct sched_param param = { .sched_priority = 1 };

	worker->shared->first =
		sched_setscheduler(worker->child, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0;
	return worker->shared->first;
}

static int start(struct inject_worker *worker, int copy)
{
	int err;

	worker->shared = mmap(NULL, sizeof(*worker->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (worker->shared == MAP_FAILED)
		return -errno;
	err = start_linked(worker, copy);
	if (err < 0) {
		munmap(worker->shared, sizeof(*worker->shared));
		worker->child = 0;
	}
	if (!err && worker->first)
		become_first(worker);
	return err;
}

int inject_worker_start(struct inject_worker *worker)
{
	return worker->child ? 0 : start(worker, -1);
}

bool inject_worker_go_first(struct inject_worker *worker)
{
	worker->first = true;
	return inject_worker_start(worker) == 0 && become_first(worker);
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

/* Kills the child. Returns its wait status; -1: it does not die (the kernel releases its target).
 */
static int stop(struct inject_worker *worker)
{
	int status = -1;

	kill(worker->child, SIGKILL);
	if (await(worker->link, 0, GRACE_MS)) /* POLLHUP */
		while (waitpid(worker->child, &status, __WALL) < 0 && errno == EINTR)
			;
	return status;
}

/* A child that is still alive keeps its own mapping of the shared memory. */
static void forget(struct inject_worker *worker)
{
	close(worker->link);
	munmap(worker->shared, sizeof(*worker->shared));
	worker->child = 0;
}

void inject_worker_free(struct inject_worker *worker)
{
	if (!worker)
		return;
	if (worker->child) {
		stop(worker);
		forget(worker);
	}
	free(worker);
}

static bool was_killed(int status)
{
	return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM;
}

/* The child died before the end was known: nothing was changed before the commit. */
static int end_of_child(enum inject_phase phase, int copy, int status, struct inject_end *end)
{
	switch (phase) {
	case INJECT_PHASE_COMPLETE:
		return end->err;
	case INJECT_PHASE_COMMITTED:
		if (copy >= 0 && inject_socket_is_shut(copy, EFFECT_MS))
			return inject_done(end);
		return inject_end_as(end, INJECT_UNSURE,
				     was_killed(status) ? INJECT_R_KILLED : INJECT_R_DEADLINE,
				     -ETIMEDOUT,
				     "the injected call of process {pid} was not seen to return");
	default:
		break;
	}
	if (was_killed(status))
		return inject_end_as(end, INJECT_FAILED, INJECT_R_KILLED, -EINTR,
				     "inject into process {pid}: the worker process was killed");
	if (phase == INJECT_PHASE_STOPPING)
		return inject_refuse(end, INJECT_R_UNINTERRUPTIBLE, -ETIMEDOUT,
				     "thread {tid} of process {pid} did not stop in time");
	return inject_refuse(end, INJECT_R_DEADLINE, -ETIMEDOUT,
			     "no time left before process {pid} was stopped");
}

/* Clears all that belonged to the injection before. */
static void fill_request(struct inject_shared *shared, const struct inject_request *request,
			 bool plan_only)
{
	memset(shared, 0, offsetof(struct inject_shared, cache));
	shared->phase = INJECT_PHASE_PREPARING;
	shared->plan_only = plan_only;
	shared->request = *request;
	if (request->plan)
		shared->plan = *request->plan;
	shared->result.used = INJECT_PTRACE;
}

/* A child that was killed meanwhile is replaced, once. */
static int send_request(struct inject_worker *worker, const struct inject_request *request,
			int copy, bool plan_only)
{
	for (int i = 0; i < 2; i++) {
		int err = worker->child ? 0 : start(worker, copy);

		if (err < 0)
			return err;
		fill_request(worker->shared, request, plan_only);
		if (inject_worker_link_send(worker->link, copy))
			return 0;
		stop(worker);
		forget(worker);
	}
	return -EPIPE;
}

static bool await_answer(const struct inject_worker *worker, const struct inject_request *request)
{
	int none;

	return await(worker->link, POLLIN, now_ms_until(request->deadline) + GRACE_MS) &&
	       inject_worker_link_receive(worker->link, &none);
}

int inject_worker_run(struct inject_worker *worker, const struct inject_request *request, int copy,
		      struct inject_result *result, struct inject_end *end)
{
	int status, err = send_request(worker, request, copy, false);
	enum inject_phase phase;
	bool answered;

	if (err < 0)
		return inject_refuse(end, INJECT_R_SYSTEM, err, "start a child process");
	answered = await_answer(worker, request);
	status = answered ? 0 : stop(worker);
	/* Once, and before the rest: a child that does not die may still be completing it. */
	phase = worker->shared->phase;
	*result = worker->shared->result;
	*end = worker->shared->end;
	err = end_of_child(phase, copy, status, end);
	if (!answered)
		forget(worker);
	return err;
}

int inject_plan_make(struct inject_worker *worker, const struct inject_request *request,
		     struct inject_plan *ret)
{
	struct inject_request bounded = *request;
	int err;

	*ret = (struct inject_plan){ 0 };
	bounded.deadline = now_mono() + PLAN_WAIT;
	bounded.plan = NULL;
	err = send_request(worker, &bounded, -1, true);
	if (err < 0)
		return err;
	if (!await_answer(worker, &bounded)) {
		stop(worker);
		forget(worker);
		return -ETIMEDOUT;
	}
	*ret = worker->shared->plan;
	return ret->known ? 0 : worker->shared->end.err;
}
