/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an injection costs the target and the caller, beside gdb:
 *     bench_inject [RUNS] [GDB_RUNS]
 * System calls: all of the injecting process (-1: tracefs is not there).
 * A process with 16 threads, and one with 1,000 mappings and 64 MB of code besides; then 100 and
 * 1,000 processes one after the other. Needs root and build/victims; network only on loopback.
 */
#include "act/inject/inject_api.h"
#include "base/error.h"
#include "base/now.h"
#include "victim_run.h"

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUTEX "futex"
static const char *const small[] = { "build/victims/threads",
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     NULL };
static const char *const large[] = { "build/victims/threads",
				     "maps",
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     FUTEX,
				     NULL };

enum { RUNS_MAX = 10000, MANY = 1000 };

struct samples {
	size_t n;
	double stopped_us[RUNS_MAX], wall_us[RUNS_MAX];
	long calls; /* of one run, which is not timed */
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v, and prints median, 99th percentile and maximum. */
static void print_spread(const char *what, double *v, size_t n)
{
	qsort(v, n, sizeof(*v), ascending);
	printf("  %s %.1f / %.1f / %.1f", what, v[n / 2], v[n * 99 / 100], v[n - 1]);
}

static void print_samples(const char *name, struct samples *s)
{
	printf("%-34s %5zu runs ", name, s->n);
	print_spread("stopped us", s->stopped_us, s->n);
	print_spread("wall us", s->wall_us, s->n);
	printf("  calls %ld\n", s->calls);
	fflush(stdout);
}

/* gdb, as an operator would run it by hand. Returns its pid. */
static pid_t start_gdb(const struct inject_request *t, int go)
{
	char arg[16], call[48];
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	snprintf(arg, sizeof(arg), "%d", t->pid);
	snprintf(call, sizeof(call), "call (int)shutdown(%d, 0)", t->fd);
	if (read(go, call + sizeof(call) - 1, 1) != 1 || !freopen("/dev/null", "w", stdout) ||
	    !freopen("/dev/null", "w", stderr))
		_exit(1);
	execlp("gdb", "gdb", "-q", "-nx", "-batch", "-p", arg, "-ex", call, NULL);
	_exit(127);
}

/* The stop is timed by reading /proc. */
static void run_gdb(const struct inject_request *t, int tracepoint, struct samples *s)
{
	int64_t start, first = 0, last = 0;
	int counter, go[2];
	pid_t pid;

	if (pipe(go) < 0)
		exit(1);
	pid = start_gdb(t, go[0]);
	counter = victim_count(pid, tracepoint);
	start = now_mono();
	if (write(go[1], "", 1) != 1)
		exit(1);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (victim_state(t->pid, t->pid) != 't')
			continue;
		last = now_mono();
		if (!first)
			first = last;
	}
	close(go[0]);
	close(go[1]);
	s->stopped_us[s->n] = (double)(last - first) / 1000;
	s->wall_us[s->n] = (double)(now_mono() - start) / 1000;
	if (counter >= 0) {
		s->calls = (long)victim_counted(counter);
		close(counter);
	} else {
		s->n++;
	}
}

static void run_inject(struct inject_worker *worker, const struct inject_request *t,
		       enum inject_method m, int tracepoint, struct samples *s)
{
	int counter = victim_count(0, tracepoint);
	int64_t start = now_mono();
	struct inject_request request = *t;
	struct inject_result res;
	char text[600];

	request.method = m;
	request.deadline = start + 5 * NS_PER_S;
	if (inject_shutdown(worker, &request, &res) < 0) {
		fprintf(stderr, "%s\n", error_text(&res.error, text, sizeof(text)));
		return;
	}
	s->wall_us[s->n] = (double)(now_mono() - start) / 1000;
	s->stopped_us[s->n] = (double)res.stopped_ns / 1000;
	if (counter >= 0) {
		s->calls = (long)victim_counted(counter);
		close(counter);
	} else {
		s->n++;
	}
}

enum way { BY_VALUE, BY_EFFECT, BY_PIDFD, BY_GDB };

/*
 * For this process and its children. A single CPU does not go idle while the thread is stopped, so
 * the time to wake it up, which depends on the machine, is not measured.
 */
static void use_cpus(int n)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int i = 0; i < n; i++)
		CPU_SET(i, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* System calls are counted in the first run, which makes it slower; the others are timed. */
static void run(const char *name, const char *const *argv, enum way way, unsigned runs,
		int tracepoint)
{
	static struct samples s;
	struct inject_worker *worker;
	struct victim v = { 0 };

	if (inject_worker_new(&worker) < 0)
		exit(1);
	s.n = 0;
	s.calls = -1;
	for (unsigned i = 0; i <= runs; i++) {
		int count = i == 0 ? tracepoint : -1;
		struct inject_request t;

		if (i % VICTIM_LINKS == 0) {
			victim_stop(&v);
			if (!victim_start_with(&v, argv, VICTIM_LINKS, -1))
				exit(1);
			victim_await_state(&v, v.pid, 'S', 1000);
		}
		victim_link_target(&v, (int)(i % VICTIM_LINKS), &t);
		t.proof = way == BY_EFFECT ? INJECT_BY_EFFECT : INJECT_BY_VALUE;
		if (way == BY_GDB)
			run_gdb(&t, count, &s);
		else
			run_inject(worker, &t, way == BY_PIDFD ? INJECT_PIDFD : INJECT_PTRACE,
				   count, &s);
	}
	inject_worker_free(worker);
	victim_stop(&v);
	if (s.n)
		print_samples(name, &s);
}

/* ---- many targets ---- */

struct crowd {
	int n;
	pid_t pid[MANY];
	struct inject_request target[MANY];
};

static void sleep_forever(void)
{
	static uint32_t word;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
}

/* Each has a connection of its own; the other ends stay here. */
static void crowd_start(struct crowd *c, int n)
{
	c->n = 0;
	for (int i = 0; i < n; i++) {
		int other, link = victim_connect(&other);
		struct victim one = { 0 };
		struct stat st;

		if (link < 0 || fstat(link, &st) < 0)
			exit(1);
		c->pid[i] = fork();
		if (c->pid[i] == 0)
			sleep_forever();
		c->target[i] =
			(struct inject_request){ .pid = c->pid[i], .fd = link, .inode = st.st_ino };
		c->n++;
		one.pid = c->pid[i];
		victim_await_state(&one, one.pid, 'S', 1000);
		close(link);
	}
}

static void crowd_end(struct crowd *c)
{
	for (int i = 0; i < c->n; i++) {
		kill(c->pid[i], SIGKILL);
		waitpid(c->pid[i], NULL, 0);
	}
}

static void run_many(int n, enum inject_method m)
{
	static struct crowd crowd;
	struct inject_worker *worker;
	int64_t start;
	int done = 0;

	if (inject_worker_new(&worker) < 0)
		exit(1);
	crowd_start(&crowd, n);
	start = now_mono();
	for (int i = 0; i < n; i++) {
		struct inject_result res;

		crowd.target[i].method = m;
		crowd.target[i].deadline = now_mono() + 5 * NS_PER_S;
		done += inject_shutdown(worker, &crowd.target[i], &res) == 0;
	}
	printf("%4d targets by %-7s %8.1f ms, %d done\n", n, inject_method_name(m),
	       (double)(now_mono() - start) / 1e6, done);
	inject_worker_free(worker);
	crowd_end(&crowd);
}

int main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	unsigned gdb_runs = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	struct rlimit files = { 8192, 8192 };

	int tracepoint = victim_tracepoint("raw_syscalls/sys_enter");

	setrlimit(RLIMIT_NOFILE, &files);
	if (runs > RUNS_MAX || gdb_runs > RUNS_MAX)
		return 64;
	printf("median / 99th percentile / maximum\n");
	run("16 threads, ptrace, result read", small, BY_VALUE, runs, tracepoint);
	run("16 threads, ptrace", small, BY_EFFECT, runs, tracepoint);
	use_cpus(1);
	run("16 threads, ptrace, one CPU", small, BY_EFFECT, runs, tracepoint);
	use_cpus(CPU_SETSIZE);
	run("16 threads, pidfd", small, BY_PIDFD, runs, tracepoint);
	run("16 threads, gdb", small, BY_GDB, gdb_runs, tracepoint);
	run("1,000 mappings, ptrace, result", large, BY_VALUE, runs, tracepoint);
	run("1,000 mappings, ptrace", large, BY_EFFECT, runs, tracepoint);
	run("1,000 mappings, pidfd", large, BY_PIDFD, runs, tracepoint);
	run("1,000 mappings, gdb", large, BY_GDB, gdb_runs, tracepoint);
	for (int n = 100; n <= MANY; n *= 10) {
		run_many(n, INJECT_PTRACE);
		run_many(n, INJECT_PIDFD);
	}
	return 0;
}
