/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "storm.h"
#include "victim_run.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap_us(unsigned us)
{
	struct timespec ts = { .tv_nsec = (long)us * 1000 };

	nanosleep(&ts, NULL);
}

static pid_t any_thread(const struct victim *v, unsigned *seed)
{
	return v->page->thread[(unsigned)rand_r(seed) % v->page->n_threads].tid;
}

static void blow_signals(const struct victim *v, unsigned *seed)
{
	syscall(SYS_tgkill, v->pid, any_thread(v, seed), SIGUSR1);
	nap_us(250);
}

static void blow_stopcont(const struct victim *v, unsigned *seed)
{
	kill(v->pid, SIGSTOP);
	nap_us((unsigned)rand_r(seed) % 500);
	kill(v->pid, SIGCONT);
	nap_us((unsigned)rand_r(seed) % 2000);
}

/* Consumes no stop, so that it loses no signal itself. */
static void blow_tracer(const struct victim *v, unsigned *seed)
{
	pid_t tid = any_thread(v, seed);

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0) {
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
		waitpid(tid, NULL, __WALL | WUNTRACED);
		nap_us((unsigned)rand_r(seed) % 300);
		ptrace(PTRACE_DETACH, tid, NULL, NULL);
	}
	nap_us((unsigned)rand_r(seed) % 1000);
}

static void blow(enum storm storm, const struct victim *v, unsigned *seed)
{
	switch (storm) {
	case STORM_SIGNALS:
		blow_signals(v, seed);
		break;
	case STORM_STOPCONT:
		blow_stopcont(v, seed);
		break;
	case STORM_TRACER:
		blow_tracer(v, seed);
		break;
	default:
		nap_us((unsigned)rand_r(seed) % 2000);
		kill(v->pid, SIGKILL);
		_exit(0);
	}
}

pid_t storm_start(enum storm storm, const struct victim *v, unsigned seed)
{
	pid_t pid, parent = getpid();

	if (storm == STORM_NONE)
		return 0;
	pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	prctl(PR_SET_TIMERSLACK, 1);
	for (;;)
		blow(storm, v, &seed);
}

void storm_stop(enum storm storm, pid_t pid, const struct victim *v)
{
	if (storm == STORM_NONE)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (storm == STORM_STOPCONT)
		kill(v->pid, SIGCONT);
}
