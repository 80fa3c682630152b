/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_report.h"

#include <stdarg.h>
#include <stdio.h>

/* id: never renamed, scripts compare it. */
static const struct {
	const char *id;
	const char *cure;
} reasons[INJECT_R_COUNT] = {
	[INJECT_R_NONE] = { "", "" },
	[INJECT_R_BAD_PID] = { "bad-pid", "give the pid of an ordinary process, 2 or more" },
	[INJECT_R_OWN_PROCESS] = { "own-process", "give the pid of another process" },
	[INJECT_R_THREAD_ID] = { "thread-id", "give the pid of the process, not of a thread" },
	[INJECT_R_KERNEL_THREAD] = { "kernel-thread", "give the pid of a user process" },
	[INJECT_R_OTHER_PROCESS] = { "other-process", "the pid was given to another process "
						      "meanwhile: audit again" },
	[INJECT_R_NO_FD] = { "no-fd", "the descriptor was closed: audit again" },
	[INJECT_R_NO_SOCKET] = { "no-socket", "the descriptor is no socket: audit again" },
	[INJECT_R_NOT_TCP] = { "not-tcp", "only TCP connections are shut down" },
	[INJECT_R_LISTENING] = { "listening", "a listening socket is never shut down" },
	[INJECT_R_WRONG_STATE] = { "wrong-state",
				   "only an established connection is shut down: audit again" },
	[INJECT_R_ALREADY_SHUT] = { "already-shut",
				    "nothing to do: wait for the process to close the socket" },
	[INJECT_R_OTHER_SOCKET] = { "other-socket", "the descriptor was closed and is another "
						    "socket now: audit again" },
	[INJECT_R_GONE] = { "gone", "the process has ended: nothing to do" },
	[INJECT_R_ZOMBIE] = { "zombie", "the process has ended: nothing to do" },
	[INJECT_R_EXITING] = { "exiting",
			       "the process is ending or starting a program: audit again" },
	[INJECT_R_TRACED] = { "traced", "end the debugger or tracer, or use --method pidfd" },
	[INJECT_R_STOPPED] = { "stopped", "continue the process (SIGCONT), or use --method pidfd" },
	[INJECT_R_FROZEN] = { "frozen", "thaw the process's cgroup, or use --method pidfd" },
	[INJECT_R_UNINTERRUPTIBLE] = { "uninterruptible",
				       "the process waits for a device or file system, or the host "
				       "is overloaded: try later, or use --method pidfd" },
	[INJECT_R_PERMISSION] = { "permission",
				  "run as root in the first user namespace, with CAP_SYS_PTRACE "
				  "and kernel.yama.ptrace_scope below 3" },
	[INJECT_R_NO_THREAD] = { "no-thread", "no thread waits in a call that restarts unseen: use "
					      "--method pidfd" },
	[INJECT_R_MOVED] = { "moved", "the process is busy: try again, or use --method pidfd" },
	[INJECT_R_STACK] = { "stack", "no thread's stack has room: use --method pidfd" },
	[INJECT_R_NO_GADGET] = { "no-gadget",
				 "the process maps no code that can be used: use --method pidfd" },
	[INJECT_R_ARCH] = { "arch",
			    "not a process of this machine's own word size: use --method pidfd" },
	[INJECT_R_SECCOMP] = { "seccomp", "the process's seccomp filter forbids the call: use "
					  "--method pidfd" },
	[INJECT_R_SHADOW_STACK] = { "shadow-stack", "the thread has a shadow stack or matrix "
						    "registers in use: use --method pidfd" },
	[INJECT_R_RSEQ] = { "rseq", "the thread is in a restartable sequence: try again" },
	[INJECT_R_DISPATCH] = { "call-dispatch", "the process dispatches its system calls itself: "
						 "use --method pidfd" },
	[INJECT_R_NO_SPARE] = { "no-spare",
				"the process's descriptor table is full: use --method pidfd" },
	[INJECT_R_NO_PIDFD] = { "no-pidfd", "this kernel cannot copy a descriptor (Linux 5.6): use "
					    "--method ptrace" },
	[INJECT_R_DEADLINE] = { "deadline", "try again with more time" },
	[INJECT_R_KILLED] = { "killed", "the injecting child was killed: audit again" },
	[INJECT_R_VANISHED] = { "vanished", "the thread ended or its process started a program "
					    "meanwhile: audit again" },
	[INJECT_R_CALL_ERROR] = { "call-error", "the connection is gone already: audit again" },
	[INJECT_R_NO_EFFECT] = { "no-effect",
				 "the descriptor was changed in that very moment: audit again" },
	[INJECT_R_SYSTEM] = { "system", "see the error's text" },
};

static const char *reason_cure(enum inject_reason reason)
{
	return reason < INJECT_R_COUNT ? reasons[reason].cure : "";
}

const char *inject_reason_id(enum inject_reason reason)
{
	return reason < INJECT_R_COUNT ? reasons[reason].id : "";
}

const char *inject_method_name(enum inject_method method)
{
	static const char *const names[] = { "auto", "ptrace", "pidfd" };

	return method <= INJECT_PIDFD ? names[method] : "unknown";
}

int inject_report_set(struct inject_report *rep, enum inject_status status,
		      enum inject_reason reason, int err, const char *fmt, ...)
{
	char what[sizeof(rep->error.message)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	rep->res.status = status;
	rep->res.reason = reason;
	return error_set(&rep->error, err, reason_cure(reason), "%s", what);
}
