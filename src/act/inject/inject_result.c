/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_result.h"
#include "base/proc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum placeholder { PID, FD, INODE, COOKIE, TID, SEEN, PROGRAM, PLACEHOLDERS };

enum { VALUE_MAX = 64 };

/* id: never changed, scripts compare it. */
static const struct {
	const char *id;
	const char *cure;
} reasons[INJECT_R_COUNT] = {
	[INJECT_R_NONE] = { "", "" },
	[INJECT_R_BAD_PID] = { "bad-pid", "give the pid of an ordinary process, 2 or more" },
	[INJECT_R_OWN_PROCESS] = { "own-process", "give the pid of another process" },
	[INJECT_R_THREAD_ID] = { "thread-id", "give the pid of the process, not of a thread" },
	[INJECT_R_KERNEL_THREAD] = { "kernel-thread", "give the pid of a user process" },
	[INJECT_R_OTHER_PROCESS] = { "other-process", "the pid now belongs to another process: "
						      "audit again" },
	[INJECT_R_NO_FD] = { "no-fd", "the descriptor was closed: audit again" },
	[INJECT_R_NO_SOCKET] = { "no-socket", "the descriptor is not a socket: audit again" },
	[INJECT_R_NOT_TCP] = { "not-tcp", "only TCP connections are shut down" },
	[INJECT_R_LISTENING] = { "listening", "a listening socket is never shut down" },
	[INJECT_R_WRONG_STATE] = { "wrong-state",
				   "only an established connection is shut down: audit again" },
	[INJECT_R_ALREADY_SHUT] = { "already-shut", "nothing to do: the process is expected to "
						    "close the socket" },
	[INJECT_R_OTHER_SOCKET] = { "other-socket", "the descriptor now refers to another socket: "
						    "audit again" },
	[INJECT_R_GONE] = { "gone", "the process has ended: nothing to do" },
	[INJECT_R_ZOMBIE] = { "zombie", "the process has ended: nothing to do" },
	[INJECT_R_EXITING] = { "exiting",
			       "the process is exiting or starting a program: audit again" },
	[INJECT_R_TRACED] = { "traced", "end the debugger or tracer, or use --method pidfd" },
	[INJECT_R_STOPPED] = { "stopped", "continue the process (SIGCONT), or use --method pidfd" },
	[INJECT_R_FROZEN] = { "frozen", "thaw the cgroup of the process, or use --method pidfd" },
	[INJECT_R_UNINTERRUPTIBLE] = { "uninterruptible",
				       "the process waits for a device or file system, or the host "
				       "is overloaded: try later, or use --method pidfd" },
	[INJECT_R_CLAIMED] = { "claimed",
			       "wait until that injector has ended; if it is stuck, find "
			       "out what it waits for (/proc/PID/stack)" },
	[INJECT_R_PERMISSION] = { "permission",
				  "run as root in the first user namespace, with CAP_SYS_PTRACE "
				  "and kernel.yama.ptrace_scope below 3" },
	[INJECT_R_NO_THREAD] = { "no-thread", "no thread waits in a system call that restarts "
					      "unnoticed: use --method pidfd" },
	[INJECT_R_MOVED] = { "moved", "the process is busy: try again, or use --method pidfd" },
	[INJECT_R_STACK] = { "stack", "no thread has enough stack left: use --method pidfd" },
	[INJECT_R_NO_GADGET] = { "no-gadget", "the process maps none of the needed instructions: "
					      "use --method pidfd" },
	[INJECT_R_ARCH] = { "arch", "the process does not run this machine's native 64-bit code: "
				    "use --method pidfd" },
	[INJECT_R_SECCOMP] = { "seccomp", "a seccomp filter of the process forbids the call: use "
					  "--method pidfd" },
	[INJECT_R_SHADOW_STACK] = { "shadow-stack", "the thread uses a shadow stack or matrix "
						    "registers: use --method pidfd" },
	[INJECT_R_RSEQ] = { "rseq", "the thread is in a restartable sequence: try again" },
	[INJECT_R_DISPATCH] = { "call-dispatch", "the process dispatches its own system calls: "
						 "use --method pidfd" },
	[INJECT_R_NO_SCRATCH_FD] = { "no-spare", "the descriptor table of the process is full: "
						 "use --method pidfd" },
	[INJECT_R_NO_PIDFD] = { "no-pidfd", "this kernel cannot copy a descriptor (Linux 5.6): use "
					    "--method ptrace" },
	[INJECT_R_DEADLINE] = { "deadline", "try again with more time" },
	[INJECT_R_KILLED] = { "killed", "the worker process was killed: audit again" },
	[INJECT_R_VANISHED] = { "vanished", "the thread has ended, or its process has started a "
					    "program: audit again" },
	[INJECT_R_CALL_ERROR] = { "call-error", "the connection has ended already: audit again" },
	[INJECT_R_NO_EFFECT] = { "no-effect",
				 "the descriptor was changed at the same moment: audit again" },
	[INJECT_R_SYSTEM] = { "system", "see the text of the error" },
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

int inject_end_as(struct inject_end *end, enum inject_status status, enum inject_reason reason,
		  int err, const char *what)
{
	*end = (struct inject_end){ status, reason, err, what, 0 };
	return err;
}

int inject_refuse(struct inject_end *end, enum inject_reason reason, int err, const char *what)
{
	return inject_end_as(end, INJECT_REFUSED, reason, err, what);
}

int inject_refuse_seen(struct inject_end *end, enum inject_reason reason, int err, const char *what,
		       uint64_t seen)
{
	inject_refuse(end, reason, err, what);
	end->seen = seen;
	return err;
}

int inject_done(struct inject_end *end)
{
	return inject_end_as(end, INJECT_DONE, INJECT_R_NONE, 0, "");
}

static void value_text(const struct inject_request *request, const struct inject_end *end,
		       const struct inject_result *result, enum placeholder which,
		       char to[VALUE_MAX])
{
	const int64_t values[PLACEHOLDERS] = {
		request->pid, request->fd,	 (int64_t)request->inode, (int64_t)request->cookie,
		result->tid,  (int64_t)end->seen
	};
	struct proc_stat stat;

	if (which != PROGRAM)
		snprintf(to, VALUE_MAX, "%" PRId64, values[which]);
	else if (proc_stat_of((pid_t)end->seen, &stat) == 0)
		snprintf(to, VALUE_MAX, "%s", stat.comm);
	else
		snprintf(to, VALUE_MAX, "ended");
}

/* Which one text begins with; PLACEHOLDERS: none. *len: how long it is there. */
static enum placeholder placeholder_find(const char *text, size_t *len)
{
	static const char *const names[PLACEHOLDERS] = { "{pid}", "{fd}",   "{inode}",	"{cookie}",
							 "{tid}", "{seen}", "{program}" };

	for (enum placeholder i = 0; i < PLACEHOLDERS; i++) {
		*len = strlen(names[i]);
		if (strncmp(text, names[i], *len) == 0)
			return i;
	}
	*len = 1;
	return PLACEHOLDERS;
}

/* Cut to size. */
static void text_write(const struct inject_request *request, const struct inject_end *end,
		       const struct inject_result *result, char *to, size_t size)
{
	size_t len, left = size;
	char value[VALUE_MAX];

	*to = '\0';
	for (const char *what = end->what; *what && left > 1; what += len) {
		enum placeholder which = placeholder_find(what, &len);

		if (which == PLACEHOLDERS)
			snprintf(value, sizeof(value), "%c", *what);
		else
			value_text(request, end, result, which, value);
		snprintf(to + size - left, left, "%s", value);
		left -= strnlen(to + size - left, left);
	}
}

int inject_result_fill(const struct inject_request *request, const struct inject_end *end,
		       struct inject_result *result)
{
	char message[sizeof(result->error.message)];

	result->status = end->status;
	result->reason = end->reason;
	result->error = (struct error){ 0 };
	if (!end->err)
		return 0;
	text_write(request, end, result, message, sizeof(message));
	return error_set(&result->error, end->err, reason_cure(end->reason), "%s", message);
}
