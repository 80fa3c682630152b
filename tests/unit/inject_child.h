/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For the tests that inject into real processes: a child of the test with one end of a TCP
 * connection, and assertions about an injection. Included by these tests only, hence static.
 */
#ifndef EW_INJECT_CHILD_H
#define EW_INJECT_CHILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "act/inject/inject_api.h"
#include "base/now.h"
#include "victim.h"
#include "victim_run.h"

enum { SECOND_MS = 1000 };

/* ---- a child of this process with one end of a TCP connection ---- */

struct tcp_child {
	pid_t pid;
	int link;  /* the child's descriptor, closed here */
	int other; /* the other end, here */
	uint64_t inode, cookie;
	int ready;
};

/* What a child does with its link; never returns. */
typedef void child_body(int link, int ready);

static inline void say_ready(int ready)
{
	if (write(ready, "", 1) != 1)
		_exit(1);
}

static inline void wait_forever(void)
{
	static uint32_t word;

	for (;;)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
}

static inline void body_futex(int link, int ready)
{
	(void)link;
	say_ready(ready);
	wait_forever();
}

static inline void tcp_pair(int fds[2])
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&addr, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
	close(listener);
}

static inline void await_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10 * SECOND_MS), 1);
}

static inline struct tcp_child child_start_with(child_body *body, int link, int other)
{
	struct tcp_child child = { .link = link, .other = other };
	socklen_t len = sizeof(child.cookie);
	struct stat st;
	int ready[2];

	assert_int_equal(fstat(link, &st), 0);
	child.inode = st.st_ino;
	if (getsockopt(link, SOL_SOCKET, SO_COOKIE, &child.cookie, &len) < 0)
		child.cookie = 0;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (other >= 0)
			close(other);
		body(link, ready[1]);
		_exit(0);
	}
	close(link);
	close(ready[1]);
	child.ready = ready[0];
	await_ready(child.ready);
	return child;
}

static inline struct tcp_child child_start(child_body *body)
{
	int fds[2];

	tcp_pair(fds);
	return child_start_with(body, fds[0], fds[1]);
}

static inline void child_end(struct tcp_child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
	close(child->ready);
	if (child->other >= 0)
		close(child->other);
}

static inline void await_state(pid_t pid, char state)
{
	struct victim v = { .pid = pid };

	assert_true(victim_await_state(&v, pid, state, 10 * SECOND_MS));
}

static inline struct inject_request request_of(const struct tcp_child *child)
{
	return (struct inject_request){
		.pid = child->pid, .fd = child->link, .inode = child->inode, .cookie = child->cookie
	};
}

/* With a worker of its own. */
static inline int inject_once(const struct inject_request *t, enum inject_method m, unsigned ms,
			      struct inject_result *res)
{
	struct inject_request request = *t;
	struct inject_worker *worker;
	int err;

	assert_int_equal(inject_worker_new(&worker), 0);
	request.method = m;
	request.deadline = now_mono() + ms * NS_PER_MS;
	err = inject_shutdown(worker, &request, res);
	inject_worker_free(worker);
	return err;
}

static inline struct inject_result inject(const struct inject_request *t, enum inject_method m)
{
	struct inject_result res;
	int err = inject_once(t, m, 5000, &res);

	assert_int_equal(res.error.code, err);
	if (res.status == INJECT_DONE) {
		assert_int_equal(err, 0);
	} else {
		assert_true(err < 0);
		assert_true(res.error.message[0] != '\0');
		assert_true(res.error.cure[0] != '\0');
	}
	return res;
}

static inline void assert_reason(struct inject_result res, enum inject_status status,
				 enum inject_reason reason)
{
	assert_int_equal(res.status, status);
	assert_int_equal(res.reason, reason);
}

/* Refused by ptrace with a reason; auto then uses pidfd, and is done. */
static inline void refused_then_copied(struct tcp_child *child, enum inject_reason reason)
{
	struct inject_request t = request_of(child);
	struct inject_result res = inject(&t, INJECT_PTRACE);

	assert_reason(res, INJECT_REFUSED, reason);
	res = inject(&t, INJECT_AUTO);
	assert_reason(res, INJECT_DONE, INJECT_R_NONE);
	assert_int_equal(res.used, INJECT_PIDFD);
	assert_int_not_equal(victim_state(child->pid, child->pid), 'Z');
}

/* Refused by each method, without a stop. */
static inline void refused_either_way(const struct inject_request *t, enum inject_reason reason)
{
	for (int m = INJECT_AUTO; m <= INJECT_PIDFD; m++) {
		struct inject_result res = inject(t, (enum inject_method)m);

		assert_reason(res, INJECT_REFUSED, reason);
		assert_int_equal(res.stopped_ns, 0);
	}
}

static inline void *wait_in_thread(void *arg)
{
	*(_Atomic pid_t *)arg = gettid();
	wait_forever();
	return NULL;
}

/* Reports that all is ready once the new thread sleeps. */
static inline void start_thread(const pthread_attr_t *attr, int ready)
{
	static _Atomic pid_t tid;
	pthread_t thread;

	pthread_create(&thread, attr, wait_in_thread, &tid);
	while (!tid || victim_state(getpid(), tid) != 'S')
		sched_yield();
	say_ready(ready);
}

/* How many descriptors a process has, with "." and "..". */
static inline size_t descriptors_of(pid_t pid)
{
	char path[32];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* The thread may close its duplicate only after it was detached. */
static inline void assert_descriptors(pid_t pid, size_t want, unsigned limit_ms)
{
	int64_t end = now_mono() + limit_ms * NS_PER_MS;

	while (descriptors_of(pid) != want && now_mono() < end)
		sched_yield();
	assert_int_equal(descriptors_of(pid), want);
}

/*
 * Makes system call nr of this thread return `result`: always if arg is -1, else if the low half of
 * that argument is value. flags: those of seccomp(2).
 */
static inline void filter_with(unsigned flags, uint32_t nr, int arg, uint32_t value,
			       uint32_t result)
{
	const uint32_t field =
		arg < 0 ? offsetof(struct seccomp_data, nr)
			: offsetof(struct seccomp_data, args) + (uint32_t)arg * sizeof(uint64_t);
	struct sock_filter insns[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, arg < 0 ? nr : value, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, result),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(insns) / sizeof(insns[0]), insns };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) < 0)
		_exit(1);
}

static inline void filter_argument(uint32_t nr, int arg, uint32_t value, uint32_t result)
{
	filter_with(0, nr, arg, value, result);
}

static inline void filter(uint32_t nr, uint32_t result)
{
	filter_argument(nr, -1, 0, result);
}

static inline void filter_all_threads(uint32_t nr, uint32_t result)
{
	filter_with(SECCOMP_FILTER_FLAG_TSYNC, nr, -1, 0, result);
}

#endif
