/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "shot.h"
#include "follow.h"
#include "others.h"
#include "victim_run.h"
#include "base/now.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INJECT_MS = 2000, END_MS = 60000 };

struct operator
{
	pid_t pid;
	int go;	   /* a byte written to it starts the injection */
	int calls; /* counts shutdown() calls; -1: not counted */
	int life;  /* end of file: it and its child have ended */
	struct shot_result *shared;
};

const char *shot_method_name(enum shot_method method)
{
	static const char *const names[] = { "auto", "frame", "pidfd", "classic", "gdb" };

	return method < SHOT_METHODS ? names[method] : "?";
}

static int inject(struct inject_worker *worker, const struct inject_request *t,
		  enum inject_method m, bool planned, struct inject_result *ret)
{
	struct inject_request request = *t;
	struct inject_plan plan;

	if (planned && inject_worker_go_first(worker) && inject_plan_make(worker, t, &plan) == 0)
		request.plan = &plan;
	request.method = m;
	request.deadline = now_mono() + INJECT_MS * NS_PER_MS;
	return inject_shutdown(worker, &request, ret);
}

/* Both injections by the same worker. */
static void inject_both(const struct inject_request *t, const struct shot_plan *plan,
			struct shot_result *shared)
{
	static const enum inject_method methods[] = { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };
	struct inject_worker *worker;

	if (inject_worker_new(&worker) < 0)
		return;
	if (plan->first) {
		inject(worker, plan->first, INJECT_PTRACE, false, &shared->first_res);
		shared->first_reported = true;
	}
	shared->err = inject(worker, t, methods[plan->method], plan->planned, &shared->res);
}

/* In the operator process. */
static void operate(const struct inject_request *t, const struct shot_plan *plan,
		    struct shot_result *shared)
{
	if (plan->method == SHOT_CLASSIC)
		shared->err = others_classic(t);
	else if (plan->method == SHOT_GDB)
		shared->err = others_gdb(t);
	else
		inject_both(t, plan, shared);
	shared->reported = true;
}

static bool start(struct operator* op, const struct inject_request *t, const struct shot_plan *plan,
		  int tracepoint)
{
	int go[2], life[2];

	op->shared = mmap(NULL, sizeof(*op->shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (op->shared == MAP_FAILED || pipe2(go, O_CLOEXEC) < 0 || pipe2(life, O_CLOEXEC) < 0)
		return false;
	op->pid = fork();
	if (op->pid == 0) {
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(go[1]);
		close(life[0]);
		fcntl(life[1], F_SETFD, 0); /* inherited by gdb */
		if (read(go[0], &c, 1) == 1)
			operate(t, plan, op->shared);
		_exit(0);
	}
	op->calls = victim_count(op->pid, tracepoint);
	close(go[0]);
	close(life[1]);
	op->go = go[1];
	op->life = life[0];
	return op->pid > 0;
}

static void begin(struct operator* op)
{
	if (write(op->go, "", 1) != 1)
		perror("begin");
}

/* False: they have not ended in time, and are killed. */
static bool await_end(struct operator* op)
{
	struct pollfd p = { .fd = op->life, .events = POLLIN };
	bool ended = poll(&p, 1, END_MS) == 1;

	if (!ended)
		kill(op->pid, SIGKILL);
	while (waitpid(op->pid, NULL, 0) < 0 && errno == EINTR)
		;
	return ended;
}

static void finish(struct operator* op, struct shot_result *ret)
{
	*ret = *op->shared;
	ret->calls = victim_counted(op->calls);
	if (op->calls >= 0)
		close(op->calls);
	munmap(op->shared, sizeof(*op->shared));
	close(op->go);
	close(op->life);
}

static void spin_until(int64_t end_ns)
{
	while (now_mono() < end_ns)
		;
}

static bool fire_timed(struct operator* op, const struct shot_plan *plan)
{
	int64_t end = now_mono() + (int64_t)plan->delay_us * 1000;
	bool killed = false;

	begin(op);
	if (plan->kill == SHOT_KILL_AT_TIME) {
		spin_until(end);
		killed = !op->shared->reported;
		kill(op->pid, SIGKILL);
	}
	return killed;
}

/* ---- kill by count: the injecting process is followed by ptrace ---- */

/* The nth system call of the injecting process after the one that attaches to a process. */
struct mark {
	pid_t process;
	unsigned nth; /* 0: never */
	bool armed;
	unsigned n;
};

struct count {
	const struct shot_plan *plan;
	struct mark loss, end;
	bool killed;
};

/* From its next call on the injecting process holds the target, or a copy of its descriptor. */
static bool takes_hold(const struct follow_call *call, enum shot_method method, pid_t process)
{
	char path[48];

	if (!call->at_entry)
		return false;
	if (method == SHOT_PIDFD)
		return call->nr == SYS_pidfd_getfd;
	if (call->nr != SYS_ptrace ||
	    (call->arg[0] != PTRACE_SEIZE && call->arg[0] != PTRACE_ATTACH))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/task/%d", process, (pid_t)call->arg[1]);
	return access(path, F_OK) == 0;
}

static bool reached(struct mark *m, const struct follow_call *call, enum shot_method method)
{
	if (!m->armed)
		m->armed = takes_hold(call, method, m->process);
	return m->armed && ++m->n == m->nth;
}

static bool count_call(void *arg, const struct follow_call *call)
{
	struct count *c = arg;
	bool lost = reached(&c->loss, call, c->plan->method);
	bool end = reached(&c->end, call, c->plan->method);

	if (lost && c->plan->loss == SHOT_LOSES_TARGET)
		kill(c->loss.process, SIGKILL);
	c->killed |= end;
	if (!end && !(lost && c->plan->loss == SHOT_LOSES_CHILD))
		return true;
	kill(call->subject, SIGKILL);
	return false;
}

/* Counts in the child that inject_shutdown() starts, or in the operator where it starts none. */
static bool fire_counted(struct operator* op, const struct inject_request *t,
			 const struct shot_plan *plan)
{
	bool in_child = plan->method == SHOT_FRAME || plan->method == SHOT_AUTO;
	struct count c = {
		.plan = plan,
		.end = { .process = t->pid, .nth = plan->nth, .armed = !plan->from_hold },
	};
	struct follow f;

	if (plan->loss)
		c.loss = (struct mark){ .process = plan->first->pid, .nth = plan->loss_nth };
	follow_start(&f, op->pid, in_child, count_call, &c);
	begin(op);
	follow_to_end(&f);
	return c.killed;
}

void shot_fire(const struct inject_request *t, const struct shot_plan *plan, int tracepoint,
	       struct shot_result *ret)
{
	struct operator op;
	bool killed, ended;

	memset(ret, 0, sizeof(*ret));
	if (!start(&op, t, plan, tracepoint)) {
		perror("start the operator");
		exit(99);
	}
	if (plan->kill == SHOT_KILL_AT_CALL || plan->loss)
		killed = fire_counted(&op, t, plan);
	else
		killed = fire_timed(&op, plan);
	ended = await_end(&op);
	finish(&op, ret);
	ret->killed = killed;
	ret->hung = !ended;
}
