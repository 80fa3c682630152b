/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "shot.h"
#include "others.h"
#include "victim_run.h"
#include "act/injector.h"
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ptrace.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { INJECT_MS = 2000, END_MS = 20000 };

/* linux/ptrace.h rather than sys/ptrace.h: PTRACE_GET_SYSCALL_INFO's structure. */
static long trace(int request, pid_t pid, uintptr_t addr, uintptr_t data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

struct operator
{
	pid_t pid;
	int go;	   /* written to: it starts */
	int calls; /* counts shutdown() calls; -1: not counted */
	int life;  /* end of file: it and its child have ended */
	struct shot_result *shared;
};

const char *shot_method_name(enum shot_method method)
{
	static const char *const names[] = { "auto", "frame", "pidfd", "classic", "gdb" };

	return method < SHOT_METHODS ? names[method] : "?";
}

/* In the operator process. */
static void operate(const struct inject_target *t, enum shot_method method,
		    struct shot_result *shared)
{
	static const enum inject_method methods[] = { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };
	struct injector *injector;
	struct fail why;

	if (method == SHOT_CLASSIC)
		shared->err = others_classic(t);
	else if (method == SHOT_GDB)
		shared->err = others_gdb(t);
	else if (injector_new(&injector) == 0)
		shared->err = inject_shutdown(injector, t, methods[method],
					      injector_now() + INJECT_MS * 1000000ull, &shared->res,
					      &why);
	shared->reported = true;
}

static bool start(struct operator* op, const struct inject_target *t, enum shot_method method,
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
		fcntl(life[1], F_SETFD, 0); /* gdb keeps it too */
		if (read(go[0], &c, 1) == 1)
			operate(t, method, op->shared);
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

/* False: they have not ended, and are killed. */
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

static void spin_until(uint64_t end_ns)
{
	while (injector_now() < end_ns)
		;
}

static bool fire_timed(struct operator* op, const struct shot_plan *plan)
{
	uint64_t end = injector_now() + plan->delay_us * 1000;
	bool killed = false;

	begin(op);
	if (plan->kill == SHOT_KILL_AT_TIME) {
		spin_until(end);
		killed = !op->shared->reported;
		kill(op->pid, SIGKILL);
	}
	return killed;
}

/* ---- kill by count: the operator is traced itself ---- */

struct count {
	const struct shot_plan *plan;
	pid_t operator_pid;
	pid_t subject; /* whose calls are counted: 0 until it exists */
	bool armed;
	bool killed;
	unsigned n;
};

/* From its next call on the process holds the target, or a copy of its descriptor. */
static bool takes_hold(const struct count *c)
{
	struct ptrace_syscall_info info;

	if (trace(PTRACE_GET_SYSCALL_INFO, c->subject, sizeof(info), (uintptr_t)&info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (c->plan->method == SHOT_PIDFD)
		return info.entry.nr == SYS_pidfd_getfd;
	return info.entry.nr == SYS_ptrace &&
	       (info.entry.args[0] == PTRACE_SEIZE || info.entry.args[0] == PTRACE_ATTACH);
}

static void count_call(struct count *c)
{
	if (!c->armed)
		c->armed = takes_hold(c);
	if (c->armed && ++c->n == c->plan->nth) {
		c->killed = true;
		kill(c->subject, SIGKILL);
	}
}

static void on_stop(struct count *c, pid_t pid, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);
	bool subject;

	if (pid != c->operator_pid && !c->subject)
		c->subject = pid;
	subject = pid == c->subject;
	if (subject && signal == (SIGTRAP | 0x80))
		count_call(c);
	if (signal == (SIGTRAP | 0x80) || event)
		signal = 0;
	if (!c->killed || !subject)
		trace(subject ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, (uintptr_t)signal);
}

/* Counts in the child that inject_shutdown() starts, or in the operator where it starts none. */
static bool fire_counted(struct operator* op, const struct shot_plan *plan)
{
	bool in_child = plan->method == SHOT_FRAME || plan->method == SHOT_AUTO;
	struct count c = { .plan = plan, .operator_pid = op->pid, .armed = !plan->from_hold };
	const uintptr_t options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD |
				  PTRACE_O_EXITKILL;

	if (trace(PTRACE_SEIZE, op->pid, 0, options) < 0)
		perror("trace the operator");
	if (!in_child) {
		c.subject = op->pid;
		trace(PTRACE_INTERRUPT, op->pid, 0, 0);
	}
	begin(op);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno != EINTR)
			break;
		if (pid > 0 && WIFSTOPPED(status))
			on_stop(&c, pid, status);
		else if (pid == op->pid)
			break;
	}
	return c.killed;
}

void shot_fire(const struct inject_target *t, const struct shot_plan *plan, int tracepoint,
	       struct shot_result *ret)
{
	struct operator op;
	bool killed, ended;

	memset(ret, 0, sizeof(*ret));
	if (!start(&op, t, plan->method, tracepoint)) {
		perror("start the operator");
		exit(99);
	}
	if (plan->kill == SHOT_KILL_AT_CALL)
		killed = fire_counted(&op, plan);
	else
		killed = fire_timed(&op, plan);
	ended = await_end(&op);
	finish(&op, ret);
	ret->killed = killed;
	ret->hung = !ended;
}
