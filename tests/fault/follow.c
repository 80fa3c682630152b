/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "follow.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <stdio.h>
#include <string.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(sizeof(((struct follow_call *)0)->arg) ==
		       sizeof(((struct ptrace_syscall_info *)0)->entry.args),
	       "all arguments");

static long trace(int request, pid_t pid, uintptr_t addr, uintptr_t data)
{
	return syscall(SYS_ptrace, request, pid, addr, data);
}

void follow_start(struct follow *f, pid_t root, bool in_child, follow_fn *fn, void *arg)
{
	const uintptr_t options = PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACESYSGOOD |
				  PTRACE_O_EXITKILL;

	*f = (struct follow){ .root = root, .subject = in_child ? 0 : root, .fn = fn, .arg = arg };
	if (trace(PTRACE_SEIZE, root, 0, options) < 0)
		perror("trace the injecting process");
	if (!in_child)
		trace(PTRACE_INTERRUPT, root, 0, 0);
}

static bool at_call(struct follow *f)
{
	struct follow_call call = { .subject = f->subject };
	struct ptrace_syscall_info info;

	call.at_entry =
		trace(PTRACE_GET_SYSCALL_INFO, f->subject, sizeof(info), (uintptr_t)&info) > 0 &&
		info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (call.at_entry) {
		call.nr = info.entry.nr;
		memcpy(call.arg, info.entry.args, sizeof(call.arg));
	}
	return f->fn(f->arg, &call);
}

static void on_stop(struct follow *f, pid_t pid, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);
	bool goes_on = true;

	if (pid != f->root && !f->subject)
		f->subject = pid;
	if (pid == f->subject && signal == (SIGTRAP | 0x80))
		goes_on = at_call(f);
	if (signal == (SIGTRAP | 0x80) || event)
		signal = 0;
	if (goes_on)
		trace(pid == f->subject ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, (uintptr_t)signal);
}

void follow_to_end(struct follow *f)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno != EINTR)
			break;
		if (pid > 0 && WIFSTOPPED(status))
			on_stop(f, pid, status);
		else if (pid == f->root)
			break;
		else if (pid == f->subject)
			f->subject = 0; /* the next child is the next subject */
	}
}
