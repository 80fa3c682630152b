/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Threads of tests/victims/threads.c that make trouble instead of waiting. Included there alone. */
#ifndef EW_VICTIM_STORMS_H
#define EW_VICTIM_STORMS_H

#include "victim_thread.h"

static void wait_churn(struct waiter *w)
{
	int fds[2];
	ssize_t got;
	char c;

	/* another socket on the number of the last decoy, thousands of times a second */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	dup2(fds[0], w->fd[0]);
	close(fds[0]);
	page->renewals++;
	sched_yield();
	got = recv(w->fd[0], &c, 1, MSG_DONTWAIT | MSG_PEEK);
	if (got == 0)
		page->decoys_hit++;
	else if (errno != EAGAIN)
		bad(w, "descriptor");
	close(fds[1]);
	close(w->fd[0]);
}

/* A large program: 1,000 mappings, and 64 MB of code to look through. */
static void open_maps(struct waiter *w)
{
	enum { CODE = 64 << 20, PAGES = 1000 };
	char *pages = mmap(NULL, PAGES * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	w->fd[0] = memfd_create("code", MFD_CLOEXEC);
	if (ftruncate(w->fd[0], CODE) < 0 || pages == MAP_FAILED ||
	    mmap(NULL, CODE, PROT_READ | PROT_EXEC, MAP_PRIVATE, w->fd[0], 0) == MAP_FAILED)
		die("maps");
	for (int i = 0; i < PAGES; i += 2)
		mprotect(pages + i * 4096, 4096, PROT_READ | PROT_WRITE);
}

static void open_churn(struct waiter *w)
{
	w->fd[0] = 200 + w->id;
}

/*
 * A table that is nearly full, and full for moments: what was opened on the last numbers must be
 * there when it is looked at.
 */
enum { FILL_LIMIT = 256, FILL_FREE = 24 };

static void open_fill(struct waiter *w)
{
	const struct rlimit limit = { FILL_LIMIT, FILL_LIMIT };

	w->fd[0] = memfd_create("fill", 0);
	if (w->fd[0] < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("fill");
	while (dup(w->fd[0]) < FILL_LIMIT - FILL_FREE - 1)
		;
}

static int same_file(int a, int b)
{
	struct stat st_a, st_b;

	return fstat(a, &st_a) == 0 && fstat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

/* At irregular intervals, up to some milliseconds. */
static void wait_fill(struct waiter *w)
{
	int fds[FILL_FREE], n = 0;

	while (n < FILL_FREE && (fds[n] = dup(w->fd[0])) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		if (!same_file(fds[i], w->fd[0]))
			bad(w, "descriptor");
	for (int i = 0; i < n; i++)
		close(fds[i]);
	page->renewals++;
	w->word = w->word * 1103515245 + 12345;
	for (volatile uint32_t i = w->word >> 11; i > 0; i--)
		;
}

/* A short-lived thread, made and ended all the time, that waits in a futex meanwhile. */
static void *short_life(void *arg)
{
	_Atomic uint32_t *word = arg;

	while (*word == 0)
		syscall(SYS_futex, word, FUTEX_WAIT | FUTEX_PRIVATE, 0, NULL);
	return NULL;
}

static void wait_spawn(struct waiter *w)
{
	static const struct timespec nap = { .tv_nsec = 200000 };
	pthread_t thread;

	w->word = 0;
	if (pthread_create(&thread, NULL, short_life, &w->word) != 0)
		die("pthread_create");
	nanosleep(&nap, NULL);
	w->word = 1;
	syscall(SYS_futex, &w->word, FUTEX_WAKE | FUTEX_PRIVATE, 1);
	pthread_join(thread, NULL);
	w->me->spins++;
}

static void wait_forks(struct waiter *w)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	while (checked(w, waitpid(pid, NULL, 0)) < 0 && errno == EINTR)
		;
	w->me->spins++;
}

/* ---- children that live on, and have only what was forked by chance ---- */

enum { KEPT = 100 };
static pid_t kept[KEPT];
static int n_kept;

static void end_kept(void)
{
	for (int i = 0; i < n_kept; i++)
		kill(kept[i], SIGKILL);
	for (int i = 0; i < n_kept; i++)
		while (waitpid(kept[i], NULL, 0) < 0 && errno == EINTR)
			;
	n_kept = 0;
}

static void live_on(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it has ended before that */
		_exit(1);
	for (int i = 0; i < VICTIM_LINKS; i++)
		close(VICTIM_LINK_FD + i);
	page->children_ready++;
	for (;;)
		pause();
}

static void wait_keeps(struct waiter *w)
{
	static const struct timespec nap = { .tv_nsec = 200000 };
	static uint32_t run;
	uint32_t now = page->forking;
	pid_t parent = getpid(), pid;

	if (now % 2 == 0 || (now == run && n_kept == KEPT)) {
		nanosleep(&nap, NULL);
		return;
	}
	if (now != run)
		end_kept();
	run = now;
	page->children++;
	pid = fork();
	if (pid == 0)
		live_on(parent);
	if (pid < 0)
		page->children--;
	else
		kept[n_kept++] = pid;
	w->me->spins++;
}

/* Another socket on the number of the one that is meant, for a moment, thousands of times. */
static void open_swap(struct waiter *w)
{
	open_pair(w);
}

static void wait_swap(struct waiter *w)
{
	int fd = page->swap_fd, keep;

	if (fd <= 0) {
		sched_yield();
		return;
	}
	keep = dup(fd);
	dup2(w->fd[0], fd);
	for (volatile int i = 0; i < 2000; i++)
		;
	dup2(keep, fd);
	close(keep);
	page->renewals++;
	for (volatile int i = 0; i < 20000; i++)
		;
	if (shut_down(w->fd[0])) {
		page->decoys_hit++;
		close(w->fd[0]);
		close(w->fd[1]);
		open_pair(w);
	}
}

#endif
