/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Makes a TCP socket of another process return end of file: shutdown(fd, SHUT_RD), done from
 * outside in such a way that the process is left running and unchanged whatever happens to the
 * caller, even SIGKILL at any instant. This header is the whole interface of the library.
 *
 * There are two methods:
 *
 *  ptrace  One thread, in a system call that restarts without the thread's noticing, is stopped for
 *          some microseconds. Return addresses and signal frames that hold its own registers are
 *          written below its stack pointer; then one write to its registers points it at a
 *          `syscall; ret` in its own code. From that write on the thread restores itself by
 *          rt_sigreturn, with or without a tracer. Its first system call duplicates the descriptor
 *          to a number that nothing else uses. The tracer checks that duplicate, then the thread
 *          shuts it down and closes it: another socket can never be hit. If the tracer dies before
 *          the check, the thread closes the duplicate, and nothing else has happened.
 *  pidfd   pidfd_getfd (Linux 5.6) copies the descriptor; the copy is checked, shut down and
 *          closed. The process itself is not touched.
 *
 * Nothing is changed before every check has passed. Each refusal has a reason of its own.
 */
#ifndef EW_ACT_INJECT_INJECT_API_H
#define EW_ACT_INJECT_INJECT_API_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "act/inject/sigframe.h"
#include "act/inject/thread_choice.h"
#include "base/error.h"

/* AUTO: ptrace if a thread of the process can be stopped unnoticed, otherwise pidfd. */
enum inject_method { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };

enum inject_status {
	INJECT_UNSURE,	/* the call may have been made, or may still be: look at the socket */
	INJECT_DONE,	/* the call was made on the requested socket and returned 0 */
	INJECT_FAILED,	/* nothing was changed, or the call itself returned an error (call_ret) */
	INJECT_REFUSED, /* nothing was changed: a check failed */
};

enum inject_reason {
	INJECT_R_NONE,
	/* the request */
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
	/* the state of the process */
	INJECT_R_GONE,
	INJECT_R_ZOMBIE,
	INJECT_R_EXITING,
	INJECT_R_TRACED,
	INJECT_R_STOPPED,
	INJECT_R_FROZEN,
	INJECT_R_UNINTERRUPTIBLE,
	INJECT_R_CLAIMED,
	INJECT_R_PERMISSION,
	/* no place for the signal frames, or no way to run them */
	INJECT_R_NO_THREAD,
	INJECT_R_MOVED,
	INJECT_R_STACK,
	INJECT_R_NO_GADGET,
	INJECT_R_ARCH,
	INJECT_R_SECCOMP,
	INJECT_R_SHADOW_STACK,
	INJECT_R_RSEQ,
	INJECT_R_DISPATCH,
	INJECT_R_NO_SCRATCH_FD,
	/* the kernel, the caller, time */
	INJECT_R_NO_PIDFD,
	INJECT_R_DEADLINE,
	INJECT_R_KILLED,
	INJECT_R_VANISHED,
	INJECT_R_CALL_ERROR,
	INJECT_R_NO_EFFECT,
	INJECT_R_SYSTEM,
	INJECT_R_COUNT
};

/* How the outcome of an injection by ptrace is learned. */
enum inject_proof {
	/* The thread runs on at once; a copy of the socket shows the effect. Without pidfd: by
	   value. */
	INJECT_BY_EFFECT,
	INJECT_BY_VALUE, /* the thread stops again after the call: exact, about 20 us longer */
};

/*
 * The numbers to which the target duplicated the descriptor, for some 100 us each: a child that
 * was forked meanwhile may hold a copy (act/inject/inject_copies.h).
 */
enum { INJECT_DUPS_MAX = 24 };
struct inject_dups {
	pid_t last_pid; /* the last id given out on this host before the first of them; 0: unknown
			 */
	int n;
	int fd[INJECT_DUPS_MAX];
};

/*
 * What a later injection by ptrace need not find out: which thread, where its stack ends, where the
 * needed instructions are. Filled by inject_plan_make(). The injection uses it only if the same
 * thread is in the same wait and the instructions are still there; what can change under a waiting
 * thread is checked at the stop in any case.
 */
struct inject_plan {
	bool known; /* false: of no use */
	bool small; /* struct tracee_stack */
	struct thread_choice choice;
	uint64_t thread_start; /* field 22 of its stat */
	uint64_t low;	       /* the frames must not reach below it */
	uint64_t tcb;	       /* struct tracee_thread */
	struct sigframe_code code;
	int scratch_fd; /* a free number for a copy of the descriptor */
};

/* Which socket is shut down, and how. */
struct inject_request {
	pid_t pid;	 /* the process, by the id of its first thread */
	uint64_t start;	 /* its start time, field 22 of /proc/PID/stat; 0: not compared */
	int fd;		 /* its descriptor */
	uint64_t inode;	 /* the socket's inode, as in /proc/PID/fd; never 0 */
	uint64_t cookie; /* the socket's cookie (SO_COOKIE); 0: not compared */
	enum inject_method method;
	enum inject_proof proof;
	int64_t deadline; /* CLOCK_MONOTONIC in ns: give up then */
	/*
	 * The file, opened for writing before the worker was started, in which the worker's child
	 * claims the process for as long as it works on it (act/inject/inject_claims.h). A process
	 * that another one has claimed is refused. 0: none.
	 */
	int claims;
	const struct inject_plan *plan; /* NULL: none */
};

struct inject_result {
	enum inject_status status;
	enum inject_reason reason; /* INJECT_R_NONE if done */
	enum inject_method used;   /* INJECT_AUTO: refused before a method was chosen */
	int call_ret;		   /* what shutdown() returned, as negative errno; 0: not known */
	uint64_t stopped_ns;	   /* from the stop of the thread, as seen, to its release; 0: never
				      stopped */
	uint64_t
		interrupted_ns; /* from the request to stop: the stop has begun somewhere between */
	struct inject_dups dups; /* none by pidfd */
	unsigned syscalls;	 /* calls on the process, reads of /proc not counted */
	pid_t tid;		 /* the thread that made the call, or was tried last; 0: none */
	struct error error;	 /* unless done: what failed, on which object, why, and the cure */
};

/*
 * State that consecutive injections share: the child process that does those by ptrace (so that
 * the deadline holds whatever the target does) and where the needed instructions were found last.
 * The first request that needs the child starts it; a child that was killed is replaced. The child
 * is in a process group of its own, keeps the descriptors that were open when it started, and ends
 * with inject_worker_free() or with its parent.
 */
struct inject_worker;

int inject_worker_new(struct inject_worker **ret); /* 0 or -ENOMEM */
/*
 * Starts the child now instead of with the first request, which then has no such delay. Returns 0
 * or a negative errno; the first request tries again.
 */
int inject_worker_start(struct inject_worker *worker);
/*
 * The child, and each that replaces it, is scheduled before all that has no real-time priority
 * (SCHED_FIFO): on a busy host a target is then stopped only for as long as it waits for its own
 * processor. Measured on two processors with four busy loops and 32 workers, 400 targets: stopped
 * for 51 us in the median instead of 17 ms. Returns false where that is not allowed.
 */
bool inject_worker_go_first(struct inject_worker *worker);
void inject_worker_free(struct inject_worker *worker); /* NULL is allowed */

/*
 * Executes the request. Always fills *result; returns 0 if result->status is INJECT_DONE, else the
 * negative errno in result->error.code.
 *
 * A call that may have been made (INJECT_UNSURE) is never repeated. A thread that does not stop is
 * given up at most some 200 ms after the deadline; by pidfd the caller can block in the kernel
 * until a concurrent exec of the process is over. Installs no signal handler, raises no SIGCHLD.
 */
int inject_shutdown(struct inject_worker *worker, const struct inject_request *request,
		    struct inject_result *result);

/*
 * The same for a process that was identified before, in fewer calls: pidfd is known to be of the
 * process of the request. worker: may be NULL for INJECT_PIDFD. inject_prepared_check() only checks
 * that the descriptor still is that very socket, ESTABLISHED, and not shut down. Return 0, or the
 * negative errno of the refusal in *result.
 */
int inject_prepared_check(const struct inject_request *request, int pidfd,
			  struct inject_result *result);
int inject_prepared_shutdown(struct inject_worker *worker, const struct inject_request *request,
			     int pidfd, struct inject_result *result);

/*
 * Looks at the process of a request, without touching it. Returns 0, or a negative errno with
 * ret->known false: an injection finds out by itself.
 */
int inject_plan_make(struct inject_worker *worker, const struct inject_request *request,
		     struct inject_plan *ret);

/* Stable words for output and scripts: "ptrace", "no-thread" ("" for none). Never NULL. */
const char *inject_method_name(enum inject_method method);
const char *inject_reason_id(enum inject_reason reason);

#endif
