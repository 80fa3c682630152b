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
#include "victim.h"
#include "victim_regs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
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

/* ---- kinds ---- */

static void open_event(struct waiter *w)
{
	w->fd[0] = w->fd[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void open_pipe(struct waiter *w)
{
	if (pipe2(w->fd, O_CLOEXEC) < 0)
		die("pipe");
}

static void open_pair(struct waiter *w)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, w->fd) < 0)
		die("socketpair");
}

static void open_pair_timed(struct waiter *w)
{
	struct timeval tv = {.tv_sec = 3600};

	open_pair(w);
	setsockopt(w->fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
}

static void wake_event(struct waiter *w)
{
	uint64_t one = 1;

	if (write(w->fd[1], &one, sizeof(one)) < 0)
		die("wake");
}

static void wait_futex(struct waiter *w)
{
	checked(w, syscall(SYS_futex, &page->ping, FUTEX_WAIT, w->seen, NULL));
}

static void wait_futex_bitset(struct waiter *w)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += 3600;
	checked(w, syscall(SYS_futex, &page->ping, FUTEX_WAIT_BITSET, w->seen, &at, NULL,
			   FUTEX_BITSET_MATCH_ANY));
}

static void open_registers(struct waiter *w)
{
	w->regs = aligned_alloc(64, sizeof(*w->regs));
	regs_init(w->regs, (uint64_t)w->id + 7,
		  strcmp(w->kind->name, "tiles") == 0 && regs_want_tiles());
}

static void check_registers(struct waiter *w)
{
	const char *what = regs_changed(w->regs);

	if (what)
		bad(w, what);
}

static void wait_registers(struct waiter *w)
{
	long got = regs_syscall(w->regs, SYS_futex, (uint64_t)&page->ping, FUTEX_WAIT, w->seen, 0);

	check_registers(w);
	errno = (int)-got;
	checked(w, got < 0 ? -1 : 0);
}

static void wait_busy(struct waiter *w)
{
	regs_spin(w->regs, 20000);
	check_registers(w);
	w->me->spins++;
}

/* The control thread owns the word; it lets go, and takes it again after the waiter had it. */
static void open_lock_pi(struct waiter *w)
{
	w->word = (uint32_t)control_tid;
}

static void wait_lock_pi(struct waiter *w)
{
	if (checked(w, syscall(SYS_futex, &w->word, FUTEX_LOCK_PI_PRIVATE, 0, NULL)) == 0)
		syscall(SYS_futex, &w->word, FUTEX_UNLOCK_PI_PRIVATE);
	while (page->ping != w->seen && (w->word & FUTEX_TID_MASK) != (uint32_t)control_tid)
		sched_yield();
}

static void wake_lock_pi(struct waiter *w)
{
	syscall(SYS_futex, &w->word, FUTEX_UNLOCK_PI_PRIVATE);
	while ((w->word & FUTEX_TID_MASK) == (uint32_t)control_tid)
		sched_yield();
	while (syscall(SYS_futex, &w->word, FUTEX_LOCK_PI_PRIVATE, 0, NULL) < 0)
		sched_yield();
}

static void wait_epoll(struct waiter *w)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, w->fd[0], &ev);
	if (checked(w, epoll_wait(ep, &ev, 1, -1)) == 1)
		drain(w->fd[0]);
	close(ep);
}

static void wait_poll(struct waiter *w)
{
	struct pollfd p = {.fd = w->fd[0], .events = POLLIN};

	if (checked(w, poll(&p, 1, -1)) == 1)
		drain(w->fd[0]);
}

static void wait_ppoll(struct waiter *w)
{
	struct pollfd p = {.fd = w->fd[0], .events = POLLIN};
	sigset_t none;

	sigemptyset(&none);
	if (checked(w, ppoll(&p, 1, NULL, &none)) == 1)
		drain(w->fd[0]);
}

static void wait_select(struct waiter *w)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	if (checked(w, select(w->fd[0] + 1, &set, NULL, NULL, NULL)) == 1)
		drain(w->fd[0]);
}

static void wait_pselect(struct waiter *w)
{
	sigset_t none;
	fd_set set;

	sigemptyset(&none);
	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	if (checked(w, pselect(w->fd[0] + 1, &set, NULL, NULL, NULL, &none)) == 1)
		drain(w->fd[0]);
}

static void wait_read(struct waiter *w)
{
	uint64_t v;

	if (checked(w, read(w->fd[0], &v, sizeof(v))) >= 0)
		return;
}

static void wait_recv_all(struct waiter *w)
{
	uint64_t v;
	long got = checked(w, recv(w->fd[0], &v, sizeof(v), MSG_WAITALL));

	if (got >= 0 && got != sizeof(v))
		w->me->odd++;
}

static void wait_nanosleep(struct waiter *w)
{
	struct timespec start, end, nap = {.tv_nsec = 20000000};
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (checked(w, nanosleep(&nap, NULL)) < 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &end);
	ns = (end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec - start.tv_nsec;
	if (ns < nap.tv_nsec)
		w->me->odd++;
}

static void wait_sigsuspend(struct waiter *w)
{
	sigset_t mask = w->mask;

	sigdelset(&mask, SIGUSR2);
	sigsuspend(&mask);
	if (handled == w->handled)
		w->me->eintr++;
}

static void wait_sigtimedwait(struct waiter *w)
{
	struct timespec hour = {.tv_sec = 3600};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	checked(w, sigtimedwait(&set, NULL, &hour));
}

static void wake_signal(struct waiter *w)
{
	syscall(SYS_tgkill, getpid(), w->me->tid, SIGUSR2);
}

/* The queues go with the name space, which main() made. */
static void open_msg(struct waiter *w)
{
	w->fd[0] = msgget(IPC_PRIVATE, 0600);
}

struct message {
	long type;
	char c;
};

static void wait_msg(struct waiter *w)
{
	struct message m;

	checked(w, msgrcv(w->fd[0], &m, 1, 0, 0));
}

static void wake_msg(struct waiter *w)
{
	struct message m = {.type = 1};

	msgsnd(w->fd[0], &m, 1, IPC_NOWAIT);
}

static void open_sem(struct waiter *w)
{
	w->fd[0] = semget(IPC_PRIVATE, 1, 0600);
}

static void wait_sem(struct waiter *w)
{
	struct sembuf down = {.sem_op = -1};

	checked(w, semop(w->fd[0], &down, 1));
}

static void wake_sem(struct waiter *w)
{
	struct sembuf up = {.sem_op = 1};

	semop(w->fd[0], &up, 1);
}

/* Each child ends when the pipe has a byte for it. */
static void wait_wait4(struct waiter *w)
{
	pid_t parent = getpid(), pid = fork();
	char c;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		_exit(read(w->fd[0], &c, 1) == 1 ? 0 : 1);
	}
	while (checked(w, wait4(pid, NULL, 0, NULL)) < 0 && errno == EINTR)
		;
}

static void wake_wait4(struct waiter *w)
{
	if (write(w->fd[1], "", 1) < 0)
		die("wake");
}

static void open_accept(struct waiter *w)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	w->fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(w->fd[0], (struct sockaddr *)&any, sizeof(any.sun_family)) < 0 ||
	    listen(w->fd[0], 5) < 0)
		die("listen");
}

static void wait_accept(struct waiter *w)
{
	int fd = (int)checked(w, accept(w->fd[0], NULL, NULL));

	if (fd >= 0)
		close(fd);
}

static void wake_accept(struct waiter *w)
{
	struct sockaddr_un name;
	socklen_t len = sizeof(name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	getsockname(w->fd[0], (struct sockaddr *)&name, &len);
	connect(fd, (struct sockaddr *)&name, len);
	close(fd);
}

/* Two descriptions of one file; the control thread holds the lock. */
static void open_flock(struct waiter *w)
{
	char path[40];

	w->fd[1] = memfd_create("lock", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", w->fd[1]);
	w->fd[0] = open(path, O_RDWR | O_CLOEXEC);
	flock(w->fd[1], LOCK_EX);
}

static void wait_flock(struct waiter *w)
{
	if (checked(w, flock(w->fd[0], LOCK_EX)) == 0)
		flock(w->fd[0], LOCK_UN);
	sched_yield();
}

static void wake_flock(struct waiter *w)
{
	flock(w->fd[1], LOCK_UN);
}

static void again_flock(struct waiter *w)
{
	flock(w->fd[1], LOCK_EX);
}

static void wait_churn(struct waiter *w)
{
	int fds[2];
	char c;

	/* another socket on the number of the last decoy, thousands of times a second */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	dup2(fds[0], w->fd[0]);
	close(fds[0]);
	page->renewals++;
	sched_yield();
	if (recv(w->fd[0], &c, 1, MSG_DONTWAIT | MSG_PEEK) == 0)
		page->decoys_hit++;
	close(fds[1]);
	close(w->fd[0]);
}

static void open_churn(struct waiter *w)
{
	w->fd[0] = 200 + w->id;
}

static const struct kind kinds[] = {
	{"futex", NULL, wait_futex, NULL, NULL},
	{"futex_bitset", NULL, wait_futex_bitset, NULL, NULL},
	{"registers", open_registers, wait_registers, NULL, NULL},
	{"tiles", open_registers, wait_registers, NULL, NULL},
	{"busy", open_registers, wait_busy, NULL, NULL},
	{"lock_pi", open_lock_pi, wait_lock_pi, wake_lock_pi, NULL},
	{"epoll_wait", open_event, wait_epoll, wake_event, NULL},
	{"poll", open_event, wait_poll, wake_event, NULL},
	{"ppoll", open_event, wait_ppoll, wake_event, NULL},
	{"select", open_event, wait_select, wake_event, NULL},
	{"pselect", open_event, wait_pselect, wake_event, NULL},
	{"read", open_pipe, wait_read, wake_event, NULL},
	{"recv", open_pair, wait_read, wake_event, NULL},
	{"recv_timeout", open_pair_timed, wait_read, wake_event, NULL},
	{"recv_all", open_pair, wait_recv_all, wake_event, NULL},
	{"nanosleep", NULL, wait_nanosleep, NULL, NULL},
	{"sigsuspend", NULL, wait_sigsuspend, wake_signal, NULL},
	{"sigtimedwait", NULL, wait_sigtimedwait, wake_signal, NULL},
	{"msgrcv", open_msg, wait_msg, wake_msg, NULL},
	{"semop", open_sem, wait_sem, wake_sem, NULL},
	{"wait4", open_pipe, wait_wait4, wake_wait4, NULL},
	{"accept", open_accept, wait_accept, wake_accept, NULL},
	{"flock", open_flock, wait_flock, wake_flock, again_flock},
	{"churn", open_churn, wait_churn, NULL, NULL},
};

/* ---- all threads ---- */

static void on_signal(int signo)
{
	(void)signo;
	handled++;
	page->signals++;
}

static void set_up_thread(struct waiter *w)
{
	stack_t alt = {.ss_sp = w->alt_stack, .ss_size = sizeof(w->alt_stack)};

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

static int shut_down(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLRDHUP};

	return poll(&p, 1, 0) == 1 && p.revents & POLLRDHUP;
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
	struct sockaddr_in addr = {.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
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
	struct sigaction restart = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};

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
