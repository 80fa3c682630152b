/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the kinds of threads of tests/victims/threads.c have in common. Included there alone. */
#ifndef EW_VICTIM_THREAD_H
#define EW_VICTIM_THREAD_H

#include "victim.h"
#include "victim_regs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* linux/futex.h: not where musl-gcc looks. */
enum {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_LOCK_PI = 6,
	FUTEX_UNLOCK_PI = 7,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_PRIVATE = 128,
};

struct waiter;

struct kind {
	const char *name;
	void (*open)(struct waiter *w);
	void (*wait)(struct waiter *w);	 /* one wait; the caller looks at the ping */
	void (*wake)(struct waiter *w);	 /* by the control thread */
	void (*again)(struct waiter *w); /* by the control thread, after the waiter has answered */
};

struct waiter {
	const struct kind *kind;
	struct victim_thread *me;
	pthread_t thread;
	uint32_t seen;	  /* the last ping answered */
	unsigned handled; /* signal handlers run in this thread before the wait */
	int fd[2];	  /* the waiter uses 0, the control thread 1 */
	int id;
	_Atomic uint32_t word;
	struct regs_io *regs;
	sigset_t mask;
	char alt_stack[16384];
};

static struct victim_page *page;
static struct waiter *waiters;
static int n_waiters;
static _Atomic int32_t control_tid;
static __thread volatile unsigned handled;

static void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void bad(struct waiter *w, const char *what)
{
	if (w->me->bad++ == 0)
		snprintf(w->me->first_bad, sizeof(w->me->first_bad), "%s", what);
}

/* Counts an EINTR that no handler explains. */
static long checked(struct waiter *w, long got)
{
	if (got < 0 && errno == EINTR && handled == w->handled)
		w->me->eintr++;
	else if (got < 0 && errno != EINTR && errno != EAGAIN)
		w->me->odd++;
	return got;
}

static void drain(int fd)
{
	uint64_t v;

	if (read(fd, &v, sizeof(v)) < 0 && errno != EAGAIN)
		die("drain");
}

static int shut_down(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) == 1 && p.revents & POLLRDHUP;
}

static void open_pair(struct waiter *w)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->fd) < 0)
		die("socketpair");
}

#endif
