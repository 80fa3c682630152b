/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The waits of tests/victims/threads.c, one for each call an injection meets. Included there alone.
 */
#ifndef EW_VICTIM_KINDS_H
#define EW_VICTIM_KINDS_H

#include "victim_storms.h"
#include "victim_thread.h"

static void open_event(struct waiter *w)
{
	w->fd[0] = w->fd[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void open_pipe(struct waiter *w)
{
	if (pipe2(w->fd, O_CLOEXEC) < 0)
		die("pipe");
}

static void open_pair_timed(struct waiter *w)
{
	struct timeval tv = { .tv_sec = 3600 };

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
	checked(w, syscall(SYS_futex, &page->ping, FUTEX_WAIT_BITSET, w->seen, &at, NULL, ~0u));
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
	if (checked(w, syscall(SYS_futex, &w->word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL)) == 0)
		syscall(SYS_futex, &w->word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE);
	sched_yield();
}

static void wake_lock_pi(struct waiter *w)
{
	syscall(SYS_futex, &w->word, FUTEX_UNLOCK_PI | FUTEX_PRIVATE);
}

/* Not before it has answered: it may have been on its way to the lock when it was woken. */
static void again_lock_pi(struct waiter *w)
{
	while (syscall(SYS_futex, &w->word, FUTEX_LOCK_PI | FUTEX_PRIVATE, 0, NULL) < 0)
		sched_yield();
}

static void wait_epoll(struct waiter *w)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC);

	epoll_ctl(ep, EPOLL_CTL_ADD, w->fd[0], &ev);
	if (checked(w, epoll_wait(ep, &ev, 1, -1)) == 1)
		drain(w->fd[0]);
	close(ep);
}

static void wait_poll(struct waiter *w)
{
	struct pollfd p = { .fd = w->fd[0], .events = POLLIN };

	if (checked(w, poll(&p, 1, -1)) == 1)
		drain(w->fd[0]);
}

static void wait_ppoll(struct waiter *w)
{
	struct pollfd p = { .fd = w->fd[0], .events = POLLIN };
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
	struct timespec start, end, nap = { .tv_nsec = 20000000 };
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
	struct timespec hour = { .tv_sec = 3600 };
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
	struct message m = { .type = 1 };

	msgsnd(w->fd[0], &m, 1, IPC_NOWAIT);
}

static void open_sem(struct waiter *w)
{
	w->fd[0] = semget(IPC_PRIVATE, 1, 0600);
}

static void wait_sem(struct waiter *w)
{
	struct sembuf down = { .sem_op = -1 };

	checked(w, semop(w->fd[0], &down, 1));
}

static void wake_sem(struct waiter *w)
{
	struct sembuf up = { .sem_op = 1 };

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
	struct sockaddr_un any = { .sun_family = AF_UNIX };

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

static const struct kind kinds[] = {
	{ "futex", NULL, wait_futex, NULL, NULL },
	{ "futex_bitset", NULL, wait_futex_bitset, NULL, NULL },
	{ "registers", open_registers, wait_registers, NULL, NULL },
	{ "tiles", open_registers, wait_registers, NULL, NULL },
	{ "busy", open_registers, wait_busy, NULL, NULL },
	{ "lock_pi", open_lock_pi, wait_lock_pi, wake_lock_pi, again_lock_pi },
	{ "epoll_wait", open_event, wait_epoll, wake_event, NULL },
	{ "poll", open_event, wait_poll, wake_event, NULL },
	{ "ppoll", open_event, wait_ppoll, wake_event, NULL },
	{ "select", open_event, wait_select, wake_event, NULL },
	{ "pselect", open_event, wait_pselect, wake_event, NULL },
	{ "read", open_pipe, wait_read, wake_event, NULL },
	{ "recv", open_pair, wait_read, wake_event, NULL },
	{ "recv_timeout", open_pair_timed, wait_read, wake_event, NULL },
	{ "recv_all", open_pair, wait_recv_all, wake_event, NULL },
	{ "nanosleep", NULL, wait_nanosleep, NULL, NULL },
	{ "sigsuspend", NULL, wait_sigsuspend, wake_signal, NULL },
	{ "sigtimedwait", NULL, wait_sigtimedwait, wake_signal, NULL },
	{ "msgrcv", open_msg, wait_msg, wake_msg, NULL },
	{ "semop", open_sem, wait_sem, wake_sem, NULL },
	{ "wait4", open_pipe, wait_wait4, wake_wait4, NULL },
	{ "accept", open_accept, wait_accept, wake_accept, NULL },
	{ "flock", open_flock, wait_flock, wake_flock, again_flock },
	{ "churn", open_churn, wait_churn, NULL, NULL },
	{ "maps", open_maps, wait_futex, NULL, NULL },
	{ "fill", open_fill, wait_fill, NULL, NULL },
	{ "spawn", NULL, wait_spawn, NULL, NULL },
	{ "forks", NULL, wait_forks, NULL, NULL },
	{ "keeps", NULL, wait_keeps, NULL, NULL },
	{ "swap", open_swap, wait_swap, NULL, NULL },
};

#endif
