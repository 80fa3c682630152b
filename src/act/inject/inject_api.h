/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes another process's TCP socket see end of file: shutdown(fd, SHUT_RD) done on it from
 * outside, so that whatever happens to this process in between, even SIGKILL, the target is
 * neither left stopped nor changed.
 *
 * Two ways:
 *
 *  ptrace  One thread of the target, chosen because the call it waits in restarts unseen, is
 *          stopped for some microseconds. Everything it will need (return addresses and signal
 *          frames that hold its own registers) is written below its stack pointer; then a single
 *          register write points it at a `syscall; ret` in its own code. From that write on it
 *          restores itself by rt_sigreturn, tracer or no tracer. It first takes a copy of the
 *          descriptor on a number nobody uses; that copy is looked at, shut down and closed, so
 *          that the call cannot meet another socket. Killed before the second write, the thread
 *          closes the copy and nothing else has happened.
 *  pidfd   A copy of the descriptor is taken by pidfd_getfd (Linux 5.6), checked, shut down and
 *          closed. The target is not touched at all.
 *
 * Nothing is changed before every check has passed. The refusals, each with its own reason and
 * cure, are the list below.
 */
#ifndef EW_ACT_INJECT_INJECT_API_H
#define EW_ACT_INJECT_INJECT_API_H

#include <stdint.h>
#include <sys/types.h>

struct error;

enum inject_method { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };

enum inject_status {
	INJECT_REFUSED, /* nothing was changed: a check said no */
	INJECT_DONE,	/* the call was made on the intended socket and returned 0 */
	INJECT_FAILED,	/* nothing was changed, or the call itself returned an error (call_ret) */
	INJECT_UNSURE,	/* the call may have been made, or may yet be: look at the socket */
};

enum inject_reason {
	INJECT_R_NONE,
	/* what was asked for */
	INJECT_R_BAD_PID,
	INJECT_R_OWN_PROCESS,
	INJECT_R_THREAD_ID,
	INJECT_R_KERNEL_THREAD,
	INJECT_R_OTHER_PROCESS,
	INJECT_R_NO_FD,
	INJECT_R_NO_SOCKET,
	INJECT_R_NOT_TCP,
	INJECT_R_LISTENING,
	INJECT_R_WRONG_STATE,
	INJECT_R_ALREADY_SHUT,
	INJECT_R_OTHER_SOCKET,
	/* the state the target is in */
	INJECT_R_GONE,
	INJECT_R_ZOMBIE,
	INJECT_R_EXITING,
	INJECT_R_TRACED,
	INJECT_R_STOPPED,
	INJECT_R_FROZEN,
	INJECT_R_UNINTERRUPTIBLE,
	INJECT_R_PERMISSION,
	/* what the frame cannot be laid into */
	INJECT_R_NO_THREAD,
	INJECT_R_MOVED,
	INJECT_R_STACK,
	INJECT_R_NO_GADGET,
	INJECT_R_ARCH,
	INJECT_R_SECCOMP,
	INJECT_R_SHADOW_STACK,
	INJECT_R_RSEQ,
	INJECT_R_DISPATCH,
	INJECT_R_NO_SPARE,
	/* the kernel, this process, time */
	INJECT_R_NO_PIDFD,
	INJECT_R_DEADLINE,
	INJECT_R_KILLED,
	INJECT_R_VANISHED,
	INJECT_R_CALL_ERROR,
	INJECT_R_NO_EFFECT,
	INJECT_R_SYSTEM,
	INJECT_R_COUNT
};

/* How the outcome of an injection by ptrace is learnt. */
enum inject_proof {
	INJECT_BY_VALUE,  /* the thread stops again after the call: exact, about 20 us more */
	INJECT_BY_EFFECT, /* the thread runs on at once; a copy of the socket shows the effect */
};

struct inject_target {
	pid_t pid;	      /* the process (thread group leader) */
	uint64_t start_ticks; /* field 22 of /proc/PID/stat; 0: not known, not compared */
	int pidfd;	      /* opened by the caller, who keeps it, or -1 */
	int fd;		      /* the target's descriptor */
	uint64_t inode;	      /* the socket's inode as /proc/PID/fd shows it; never 0 */
	uint64_t cookie;      /* the socket's cookie; 0: not known, not compared */
	enum inject_proof proof;
};

struct inject_result {
	enum inject_method used; /* INJECT_AUTO: refused before a method was chosen */
	enum inject_status status;
	enum inject_reason reason;
	int call_ret;	     /* what shutdown() returned, as negative errno; 0 when not known */
	uint64_t stopped_ns; /* from the thread's stop seen to its release; 0: never stopped */
	unsigned syscalls;   /* calls on the target, reads of /proc aside */
	pid_t tid;	     /* thread that did the call, or was tried last; 0: none */
};

/*
 * What injections one after the other share: the child process that does those by ptrace, so that
 * the deadline holds whatever state the target is in, and where the needed instructions were found
 * last. The child is started by the first that needs it, and again after one that it did not
 * survive; it holds the descriptors that were open then, and ends with inject_worker_free() or its
 * parent.
 */
struct inject_worker;

int inject_worker_new(struct inject_worker **ret);	 /* 0 or -ENOMEM */
void inject_worker_free(struct inject_worker *injector); /* NULL is fine */

/*
 * Does shutdown(t->fd, SHUT_RD) in the process t->pid by method m, giving up at deadline_ns
 * (CLOCK_MONOTONIC). *res is always filled. Returns 0 when res->status is INJECT_DONE, else a
 * negative errno with *error filled (what, on which process, cure).
 *
 * INJECT_AUTO takes ptrace where the target has a thread that can be stopped without noticing,
 * otherwise pidfd. A call that may have been made (INJECT_UNSURE) is never repeated.
 *
 * A target that does not let itself be stopped is given up some 200 ms later than that. By pidfd
 * the caller itself can wait for an exec of the target to end. No signal handler, no other thread's
 * state is touched; SIGCHLD is not raised.
 */
int inject_shutdown(struct inject_worker *injector, const struct inject_target *t,
		    enum inject_method m, uint64_t deadline_ns, struct inject_result *res,
		    struct error *error);

/* Stable words for output and scripts: "ptrace", "no-thread" ("" for none). Never NULL. */
const char *inject_method_name(enum inject_method method);
const char *inject_reason_id(enum inject_reason reason);

#endif
