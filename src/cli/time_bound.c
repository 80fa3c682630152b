/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/time_bound.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/now.h"
#include "cli/exit_codes.h"
#include "cli/log.h"

#define LOOK_AGAIN (100 * NS_PER_MS)

enum phase { LOOKS, WRITES, HAS_WRITTEN, GIVEN_UP };

/* In memory that both processes share. */
struct time_bound {
	int64_t scans, end; /* mono ns */
	int64_t written;
	_Atomic(enum phase) phase;
	char step[512];
};

int64_t time_bound_scans(const struct time_bound *bound)
{
	return bound ? bound->scans : 0;
}

void time_bound_step(struct time_bound *bound, const char *fmt, ...)
{
	va_list ap;

	if (!bound)
		return;
	va_start(ap, fmt);
	vsnprintf(bound->step, sizeof(bound->step), fmt, ap);
	va_end(ap);
}

/* True: the phase was from, and is to from now on. */
static bool phase_change(struct time_bound *bound, enum phase from, enum phase to)
{
	return atomic_compare_exchange_strong(&bound->phase, &from, to);
}

void time_bound_write(struct time_bound *bound)
{
	if (!bound || phase_change(bound, LOOKS, WRITES))
		return;
	while (atomic_load(&bound->phase) == GIVEN_UP)
		pause(); /* the parent is about to kill this process */
}

void time_bound_written(struct time_bound *bound)
{
	if (!bound)
		return;
	bound->written = now_mono();
	phase_change(bound, WRITES, HAS_WRITTEN);
}

/* What the child does after it has written (it keeps a baseline) gets as much time as the rest. */
static bool is_late(struct time_bound *bound, int64_t timeout)
{
	if (now_mono() < bound->end)
		return false;
	if (atomic_load(&bound->phase) == HAS_WRITTEN)
		return now_mono() >= bound->written + timeout;
	return phase_change(bound, LOOKS, GIVEN_UP);
}

/* Returns true with the wait status when the child ends, false when it is late. */
static bool child_wait(struct time_bound *bound, pid_t child, int64_t timeout, int *status)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	while (waitpid(child, status, WNOHANG) != child) {
		int64_t left = bound->end - now_mono();
		struct timespec wait;

		if (is_late(bound, timeout))
			return false;
		left = left > 0 ? left : LOOK_AGAIN;
		wait = (struct timespec){ left / NS_PER_S, left % NS_PER_S };
		sigtimedwait(&ends, NULL, &wait);
	}
	return true;
}

static int child_end(struct time_bound *bound, const char *verb, pid_t child, int64_t timeout,
		     bool *reported)
{
	int status;

	if (!child_wait(bound, child, timeout, &status)) {
		*reported = atomic_load(&bound->phase) == HAS_WRITTEN;
		bounded_abandon(child);
		log_message("%s: not done within %g s, still waiting for %s; see whether that "
			    "answers, or give it longer: --timeout",
			    verb, (double)timeout / NS_PER_S, bound->step);
		return EXIT_UNKNOWN;
	}
	*reported = WIFEXITED(status);
	if (*reported)
		return WEXITSTATUS(status);
	log_message("%s: ended by signal %d", verb, WTERMSIG(status));
	return EXIT_UNKNOWN;
}

static void child_begin(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_UNKNOWN);
}

static struct time_bound *bound_new(int64_t timeout)
{
	struct time_bound *bound = mmap(NULL, sizeof(*bound), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (bound == MAP_FAILED)
		return NULL;
	bound->end = now_mono() + timeout;
	bound->scans = bound->end - timeout / 10;
	time_bound_step(bound, "its beginning");
	return bound;
}

bool time_bound_begin(const char *verb, int64_t timeout, struct time_bound **ret, int *code,
		      bool *reported)
{
	struct time_bound *bound = bound_new(timeout);
	pid_t parent = getpid(), child;
	sigset_t ends, before;

	*ret = NULL;
	if (!bound)
		return true;
	signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how the child ends */
	sigemptyset(&ends);
	sigaddset(&ends, SIGCHLD);
	sigprocmask(SIG_BLOCK, &ends, &before);
	fflush(stdout);
	child = fork();
	if (child > 0)
		*code = child_end(bound, verb, child, timeout, reported);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (child == 0) {
		child_begin(parent);
		*ret = bound;
	}
	return child <= 0;
}
