/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the tests of act_shutdown(): processes with real connections, in a network namespace of their
 * own, and the facts emitted. Included by these tests only, hence static.
 */
#ifndef EW_ACT_NODE_H
#define EW_ACT_NODE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "act/audit_log.h"
#include "act/shutdown.h"
#include "base/error.h"
#include "base/proc.h"
#include "facts.h"

#define LINKS 2

enum manner {
	CLOSES,		   /* its connection at end of file, as libprocess does */
	CLOSES_ALL,	   /* both of its connections, as a v1 library */
	CLOSES_ALL_SLOWLY, /* the same; the other is half closed for a while before */
	CLOSES_WITHOUT_FIRST_THREAD,
	IGNORES, /* never reads */
	DIES,	 /* ends at end of file */
	FORKS,	 /* closes, and forks all the time; its children know of no link, and live on */
};

struct executor {
	pid_t pid;
	uint64_t start;
	size_t n;
	int fd[LINKS]; /* in the executor */
	uint64_t inode[LINKS], cookie[LINKS];
	int agents[LINKS]; /* the other ends, here */
};

static bool ready; /* in a network namespace of its own */
static int listener;
static struct sockaddr_in port;

static inline int own_namespace(void **state)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	socklen_t len = sizeof(port);
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0)
		return 0; /* not root: each test skips */
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return -1;
	close(fd);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	port.sin_family = AF_INET;
	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&port, sizeof(port)) < 0 ||
	    listen(listener, 64) < 0 || getsockname(listener, (struct sockaddr *)&port, &len) < 0)
		return -1;
	ready = true;
	return 0;
}

/* A worker thread of libprocess: it waits in a system call that restarts unnoticed. */
static inline void *worker(void *tid)
{
	static uint32_t never;

	*(volatile pid_t *)tid = gettid();
	for (;;)
		syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

/* A thread; the children live until the executor has ended. */
static inline void *fork_on(void *executor)
{
	const struct executor *e = (const struct executor *)executor;
	pid_t parent = getpid();

	for (int i = 0; i < 300; i++) {
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) /* it has ended before that */
			_exit(1);
		for (size_t j = 0; j < e->n; j++)
			close(e->fd[j]);
		break;
	}
	while (pause() < 0)
		;
	return NULL;
}

static inline void worker_start(void)
{
	static volatile pid_t tid;
	char path[64], text[32];
	pthread_t thread;

	if (pthread_create(&thread, NULL, worker, (void *)&tid) != 0)
		_exit(4);
	for (;;) {
		ssize_t len;
		int fd;

		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
		fd = tid ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		close(fd);
		text[len > 0 ? len : 0] = '\0';
		if (atoi(text) == SYS_futex && len > 0)
			return;
		sched_yield();
	}
}

static inline void live(const struct executor *e, enum manner manner)
{
	struct pollfd fds[LINKS];
	char byte;

	for (;;) {
		for (size_t i = 0; i < e->n; i++)
			fds[i] = (struct pollfd){ .fd = manner == IGNORES ? -1 : e->fd[i],
						  .events = POLLIN };
		if (poll(fds, e->n, -1) < 0 && errno != EINTR)
			_exit(2);
		for (size_t i = 0; i < e->n; i++) {
			if (!(fds[i].revents & POLLIN) || read(e->fd[i], &byte, 1) != 0)
				continue;
			if (manner == DIES)
				_exit(0);
			for (size_t j = 0; j < e->n && manner == CLOSES_ALL_SLOWLY; j++)
				if (j != i)
					shutdown(e->fd[j], SHUT_WR);
			if (manner == CLOSES_ALL_SLOWLY)
				usleep(50000);
			for (size_t j = 0; j < e->n; j++)
				if (j == i || (manner != CLOSES && manner != FORKS))
					close(e->fd[j]);
			for (;;)
				pause();
		}
	}
}

struct life {
	const struct executor *e;
	enum manner manner;
};

static inline void *live_in_thread(void *arg)
{
	const struct life *life = arg;

	live(life->e, life->manner);
	return NULL;
}

/* Another thread does the work; the first one, which calls this, ends. */
static inline void live_without_first_thread(const struct executor *e)
{
	static struct life life;
	pthread_t thread;

	life = (struct life){ e, CLOSES };
	if (pthread_create(&thread, NULL, live_in_thread, &life) != 0)
		_exit(5);
	syscall(SYS_exit, 0);
}

static inline uint64_t start_of(pid_t pid)
{
	char path[64], text[1024];
	unsigned long long start = 0;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	sscanf(strrchr(text, ')'),
	       ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	       &start);
	return start;
}

static inline struct executor executor_start(enum manner manner, size_t n)
{
	struct executor e = { .n = n };
	int told[2];

	for (size_t i = 0; i < n; i++) {
		struct stat st;
		socklen_t len = sizeof(e.cookie[i]);

		e.fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(e.fd[i], (struct sockaddr *)&port, sizeof(port)), 0);
		e.agents[i] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(e.agents[i] >= 0);
		fstat(e.fd[i], &st);
		e.inode[i] = st.st_ino;
		assert_int_equal(getsockopt(e.fd[i], SOL_SOCKET, SO_COOKIE, &e.cookie[i], &len), 0);
	}
	assert_int_equal(pipe(told), 0);
	e.pid = fork();
	if (e.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (size_t i = 0; i < n; i++)
			close(e.agents[i]);
		worker_start();
		if (write(told[1], "t", 1) != 1)
			_exit(3);
		if (manner == CLOSES_WITHOUT_FIRST_THREAD)
			live_without_first_thread(&e);
		if (manner == FORKS && pthread_create(&(pthread_t){ 0 }, NULL, fork_on, &e) != 0)
			_exit(6);
		live(&e, manner);
	}
	for (size_t i = 0; i < n; i++)
		close(e.fd[i]);
	assert_int_equal(read(told[0], told, 1), 1);
	close(told[0]);
	e.start = start_of(e.pid);
	return e;
}

static inline void await_end_of_first_thread(const struct executor *e)
{
	struct timespec pause_1ms = { .tv_nsec = 1000000 };
	struct proc_stat stat = { 0 };

	for (int i = 0; i < 10000 && stat.state != 'Z'; i++) {
		assert_int_equal(proc_stat_of(e->pid, &stat), 0);
		nanosleep(&pause_1ms, NULL);
	}
	assert_int_equal(stat.state, 'Z');
}

static inline void executor_end(struct executor *e)
{
	kill(e->pid, SIGKILL);
	kill(e->pid, SIGCONT);
	waitpid(e->pid, NULL, 0);
	for (size_t i = 0; i < e->n; i++)
		close(e->agents[i]);
}

/* Whether the executor has closed it: the agent's end is at end of file. */
static inline bool closed(const struct executor *e, size_t i)
{
	char byte;

	return recv(e->agents[i], &byte, 1, MSG_DONTWAIT) == 0;
}

static inline struct shutdown_target target(const struct executor *e, size_t i)
{
	return (struct shutdown_target){ .executor_id = "web",
					 .framework_id = "fw",
					 .request = { .pid = e->pid,
						      .start = e->start,
						      .fd = e->fd[i],
						      .inode = e->inode[i],
						      .cookie = e->cookie[i],
						      .method = INJECT_PIDFD } };
}

/* ---- facts emitted ---- */

struct heard {
	size_t intents, n;
	uint64_t unwritten; /* results that are not in the log, as told last */

	struct {
		char result[16], reason[540], reason_id[24], method[16];
		int64_t effect, stopped, interrupted;
		int fd, copies, copies_left;
	} v[32];
};

/* Of the treatment under way: the processes whose results were told. */
static int32_t told_pids[32];
static size_t n_told;

static inline void hear(void *ctx, const struct fact *fact)
{
	struct heard *h = ctx;
	const struct fact_act *a = &fact->act;

	if (fact->type == FACT_AUDIT_LOG) {
		h->unwritten = fact->audit_log.unwritten;
		return;
	}
	assert_int_equal(fact->type, FACT_ACT);
	if (strcmp(a->phase, "intent") == 0) {
		assert_string_equal(a->result, "");
		h->intents++;
		return;
	}
	assert_string_equal(a->phase, "result");
	snprintf(h->v[h->n].result, sizeof(h->v[0].result), "%s", a->result);
	snprintf(h->v[h->n].reason, sizeof(h->v[0].reason), "%s", a->reason);
	snprintf(h->v[h->n].reason_id, sizeof(h->v[0].reason_id), "%s", a->reason_id);
	snprintf(h->v[h->n].method, sizeof(h->v[0].method), "%s", a->method);
	h->v[h->n].effect = a->effect;
	h->v[h->n].stopped = a->stopped;
	h->v[h->n].interrupted = a->interrupted;
	h->v[h->n].copies = a->copies;
	h->v[h->n].copies_left = a->copies_left;
	h->v[h->n++].fd = a->fd;
	told_pids[n_told++ % 32] = a->pid;
}

static const struct shutdown_options no_options;

static inline struct heard treat(const struct shutdown_target *targets, size_t n,
				 const struct shutdown_options *options)
{
	char dir[] = "/tmp/ew-shutdown-XXXXXX", path[64];
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	struct error error = { 0 };
	struct audit_log *log;
	size_t begun;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(audit_log_open(dir, &log, &error), 0);
	assert_int_equal(act_shutdown(targets, n, options, log, &sink, &begun, &error), 0);
	audit_log_close(log);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	unlink(path);
	rmdir(dir);
	return heard;
}

#define need_namespace()                                                                           \
	do {                                                                                       \
		if (!ready)                                                                        \
			skip();                                                                    \
	} while (0)

#endif
