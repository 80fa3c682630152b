/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "others.h"
#include "act/inject/inject_api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
int others_classic(const struct inject_request *t)
{
	struct user_regs_struct saved, regs;
	int status;
	long code;

	if (ptrace(PTRACE_ATTACH, t->pid, NULL, NULL) < 0)
		return -errno;
	if (waitpid(t->pid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		return -ESRCH;
	ptrace(PTRACE_GETREGS, t->pid, NULL, &saved);
	code = ptrace(PTRACE_PEEKTEXT, t->pid, saved.rip, NULL);
	ptrace(PTRACE_POKETEXT, t->pid, saved.rip, (code & ~0xffffl) | 0x050f);
	regs = saved;
	regs.rax = SYS_shutdown;
	regs.rdi = (unsigned long)t->fd;
	regs.rsi = SHUT_RD;
	ptrace(PTRACE_SETREGS, t->pid, NULL, &regs);
	ptrace(PTRACE_SINGLESTEP, t->pid, NULL, NULL);
	waitpid(t->pid, &status, __WALL);
	ptrace(PTRACE_POKETEXT, t->pid, saved.rip, code);
	ptrace(PTRACE_SETREGS, t->pid, NULL, &saved);
	ptrace(PTRACE_DETACH, t->pid, NULL, NULL);
	return 0;
}
#else
int others_classic(const struct inject_request *t)
{
	(void)t;
	return -ENOSYS;
}
#endif

/* Replaces this process, as an operator's shell would start it. */
int others_gdb(const struct inject_request *t)
{
	char pid[16], call[48];
	int null = open("/dev/null", O_RDWR);

	snprintf(pid, sizeof(pid), "%d", t->pid);
	snprintf(call, sizeof(call), "call (int)shutdown(%d, 0)", t->fd);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	execlp("gdb", "gdb", "-q", "-nx", "-batch", "-p", pid, "-ex", call, NULL);
	return -errno;
}
