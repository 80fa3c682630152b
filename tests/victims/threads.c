/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A victim with one thread for each kind named on the command line (the first is the first thread),
 * and one more that waits on the ping, in a futex, and then wakes the others:
 *
 *     threads futex registers busy epoll_wait …
 *
 * What every thread checks after each ping: that its signal mask, alternate stack, a part of its
 * stack, and (registers, tiles, busy) its registers are as it left them, and that its call did not
 * return EINTR without a signal handler having run.
 */
#include "victim_kinds.h"

/* ---- all threads ---- */

static void on_signal(int signo)
{
	(void)signo;
	handled++;
	page->signals++;
}

static void set_up_thread(struct waiter *w)
{
	stack_t alt = { .ss_sp = w->alt_stack, .ss_size = sizeof(w->alt_stack) };

	w->me->tid = (int32_t)syscall(SYS_gettid);
	snprintf(w->me->what, sizeof(w->me->what), "%s", w->kind->name);
	sigaltstack(&alt, NULL);
	sigemptyset(&w->mask);
	sigaddset(&w->mask, SIGUSR2);
	sigaddset(&w->mask, SIGRTMIN + 1 + w->id % 8);
	pthread_sigmask(SIG_SETMASK, &w->mask, NULL);
}

static void check_thread(struct waiter *w)
{
	sigset_t mask;
	stack_t alt;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s <= SIGRTMAX; s++)
		if (sigismember(&mask, s) != sigismember(&w->mask, s)) {
			bad(w, "signal mask");
			break;
		}
	sigaltstack(NULL, &alt);
	if (alt.ss_sp != w->alt_stack || alt.ss_size != sizeof(w->alt_stack) || alt.ss_flags)
		bad(w, "alternate stack");
}

static void *run_waiter(void *arg)
{
	struct waiter *w = arg;
	volatile unsigned char canary[512];

	set_up_thread(w);
	if (w->kind->open)
		w->kind->open(w);
	for (size_t i = 0; i < sizeof(canary); i++)
		canary[i] = (unsigned char)(i * 31 + (size_t)w->id);
	w->me->pong = 1;
	for (;;) {
		while (page->ping == w->seen) {
			w->handled = handled;
			w->kind->wait(w);
		}
		for (size_t i = 0; i < sizeof(canary); i++)
			if (canary[i] != (unsigned char)(i * 31 + (size_t)w->id))
				bad(w, "stack");
		check_thread(w);
		w->seen = page->ping;
		w->me->pong = w->seen;
	}
	return NULL;
}

static void look_at_sockets(void)
{
	page->link_shut = (uint32_t)shut_down(page->link_fd);
	for (int i = 0; i < VICTIM_DECOYS; i++)
		if (page->decoy_fd[i] >= 0 && shut_down(page->decoy_fd[i]))
			page->decoys_hit++;
}

static void run_control_once(struct waiter *me)
{
	while (page->ping == me->seen) {
		me->handled = handled;
		wait_futex(me);
	}
	if (page->close_fd)
		close(page->close_fd);
	look_at_sockets();
	me->seen = page->ping;
	for (int i = 0; i < n_waiters; i++)
		if (waiters[i].kind->wake)
			waiters[i].kind->wake(&waiters[i]);
	for (int i = 0; i < n_waiters; i++) {
		while (waiters[i].me->pong != me->seen)
			sched_yield();
		if (waiters[i].kind->again)
			waiters[i].kind->again(&waiters[i]);
	}
	check_thread(me);
	me->me->pong = me->seen;
}

static void *run_control(void *arg)
{
	struct waiter *me = arg;

	set_up_thread(me);
	control_tid = me->me->tid;
	me->me->pong = 1;
	for (;;)
		run_control_once(me);
	return NULL;
}

/* ---- start ---- */

/* Both ends of a TCP connection over the loopback; returns the client's. */
static int connect_pair(int listener, const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ||
	    accept(listener, NULL, NULL) < 0)
		die("connect");
	return fd;
}

static void open_sockets(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct stat st;

	if (bind(listener, (struct sockaddr *)&addr, len) < 0 || listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) < 0)
		die("listen");
	page->decoy_fd[0] = connect_pair(listener, &addr);
	page->link_fd = connect_pair(listener, &addr);
	for (int i = 1; i < VICTIM_DECOYS; i++)
		page->decoy_fd[i] = connect_pair(listener, &addr);
	fstat(page->link_fd, &st);
	page->link_inode = st.st_ino;
}

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	fprintf(stderr, "no such kind of thread: %s\n", name);
	_exit(2);
}

static void handle_signals(void)
{
	struct sigaction restart = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };

	sigaction(SIGUSR1, &restart, NULL);
	sigaction(SIGUSR2, &restart, NULL);
}

int main(int argc, char **argv)
{
	struct waiter *control;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	page = mmap(NULL, VICTIM_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, VICTIM_PAGE_FD, 0);
	if (page == MAP_FAILED || argc < 2 || argc > VICTIM_THREADS)
		die("victim");
	unshare(CLONE_NEWIPC);
	handle_signals();
	open_sockets();
	n_waiters = argc - 1;
	page->n_threads = (uint32_t)argc;
	page->ping = 1;
	waiters = aligned_alloc(64, ((size_t)argc * sizeof(*waiters) + 63) / 64 * 64);
	memset(waiters, 0, (size_t)argc * sizeof(*waiters));
	control = &waiters[n_waiters];
	for (int i = 0; i < argc; i++) {
		waiters[i].id = i;
		waiters[i].seen = 1;
		waiters[i].me = &page->thread[i];
		waiters[i].kind = find_kind(i < n_waiters ? argv[i + 1] : "futex");
	}
	pthread_create(&control->thread, NULL, run_control, control);
	while (control->me->pong != 1)
		sched_yield();
	for (int i = 1; i < n_waiters; i++)
		pthread_create(&waiters[i].thread, NULL, run_waiter, &waiters[i]);
	page->ready = 1;
	run_waiter(&waiters[0]);
}
