/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Acts on real processes with real connections, in a network namespace of their own. */
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

#include "act/log.h"
#include "act/shutdown.h"
#include "fail.h"
#include "facts.h"

#define LINKS 2

enum manner {
	CLOSES,    /* at end of file: what libprocess does */
	CLOSES_ALL, /* both of its connections, as a v1 library */
	IGNORES,   /* never reads */
	DIES,      /* ends at end of file */
};

struct executor {
	pid_t pid;
	uint64_t start;
	size_t n;
	int fd[LINKS];    /* its own */
	uint64_t inode[LINKS], cookie[LINKS];
	int agents[LINKS]; /* the other ends, ours */
};

static bool ready; /* in a namespace of our own */
static int listener;
static struct sockaddr_in port;

static int own_namespace(void **state)
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
	if (bind(listener, (struct sockaddr *)&port, sizeof(port)) < 0 || listen(listener, 64) < 0 ||
	    getsockname(listener, (struct sockaddr *)&port, &len) < 0)
		return -1;
	ready = true;
	return 0;
}

/* One of libprocess' workers: it waits in a call that restarts unseen. */
static void *worker(void *tid)
{
	static uint32_t never;

	*(volatile pid_t *)tid = gettid();
	for (;;)
		syscall(SYS_futex, &never, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	return NULL;
}

static void worker_start(void)
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

static void live(const struct executor *e, enum manner manner)
{
	struct pollfd fds[LINKS];
	char byte;

	for (;;) {
		for (size_t i = 0; i < e->n; i++)
			fds[i] = (struct pollfd){ .fd = manner == IGNORES ? -1 : e->fd[i], .events = POLLIN };
		if (poll(fds, e->n, -1) < 0 && errno != EINTR)
			_exit(2);
		for (size_t i = 0; i < e->n; i++) {
			if (!(fds[i].revents & POLLIN) || read(e->fd[i], &byte, 1) != 0)
				continue;
			if (manner == DIES)
				_exit(0);
			for (size_t j = 0; j < e->n; j++)
				if (j == i || manner == CLOSES_ALL)
					close(e->fd[j]);
			for (;;)
				pause();
		}
	}
}

static uint64_t start_of(pid_t pid)
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
	sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start);
	return start;
}

static struct executor executor_start(enum manner manner, size_t n)
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
		live(&e, manner);
	}
	for (size_t i = 0; i < n; i++)
		close(e.fd[i]);
	assert_int_equal(read(told[0], told, 1), 1);
	close(told[0]);
	e.start = start_of(e.pid);
	return e;
}

static void executor_end(struct executor *e)
{
	kill(e->pid, SIGKILL);
	kill(e->pid, SIGCONT);
	waitpid(e->pid, NULL, 0);
	for (size_t i = 0; i < e->n; i++)
		close(e->agents[i]);
}

/* Has the executor closed it? The agent's end tells: nothing, or end of file. */
static bool closed(const struct executor *e, size_t i)
{
	char byte;

	return recv(e->agents[i], &byte, 1, MSG_DONTWAIT) == 0;
}

static struct shutdown_target target(const struct executor *e, size_t i)
{
	return (struct shutdown_target){ .executor_id = "web", .framework_id = "fw", .pid = e->pid,
					 .start = e->start, .fd = e->fd[i], .inode = e->inode[i],
					 .cookie = e->cookie[i] };
}

/* ---- what was put ---- */

struct heard {
	size_t intents, n;

	struct {
		char result[16], reason[540], method[16];
		int64_t effect, stopped;
		int fd;
	} v[8];
};

static void hear(void *ctx, const struct fact *fact)
{
	struct heard *h = ctx;
	const struct fact_act *a = &fact->act;

	assert_int_equal(fact->type, FACT_ACT);
	if (strcmp(a->phase, "intent") == 0) {
		assert_string_equal(a->result, "");
		h->intents++;
		return;
	}
	assert_string_equal(a->phase, "result");
	snprintf(h->v[h->n].result, sizeof(h->v[0].result), "%s", a->result);
	snprintf(h->v[h->n].reason, sizeof(h->v[0].reason), "%s", a->reason);
	snprintf(h->v[h->n].method, sizeof(h->v[0].method), "%s", a->method);
	h->v[h->n].effect = a->effect;
	h->v[h->n].stopped = a->stopped;
	h->v[h->n++].fd = a->fd;
}

static const struct shutdown_options by_pidfd = { .method = INJECT_PIDFD };

static struct heard treat(const struct shutdown_target *targets, size_t n,
			  const struct shutdown_options *options)
{
	char dir[] = "/tmp/ew-shutdown-XXXXXX", path[64];
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	struct fail why = { 0 };
	struct act_log *log;

	assert_non_null(mkdtemp(dir));
	assert_int_equal(act_log_open(dir, &log, &why), 0);
	assert_int_equal(act_shutdown(targets, n, options, log, &sink, &why), 0);
	act_log_close(log);
	snprintf(path, sizeof(path), "%s/audit.log", dir);
	unlink(path);
	rmdir(dir);
	return heard;
}

#define need_namespace() \
	do { \
		if (!ready) \
			skip(); \
	} while (0)

/* ---- */

static void done_by_each_method(void **state)
{
	static const enum inject_method methods[] = { INJECT_AUTO, INJECT_PTRACE, INJECT_PIDFD };

	(void)state;
	need_namespace();
	for (size_t i = 0; i < 3; i++) {
		struct executor e = executor_start(CLOSES, 1);
		struct shutdown_target t = target(&e, 0);
		struct shutdown_options options = { .method = methods[i] };
		struct heard h = treat(&t, 1, &options);

		assert_int_equal(h.intents, 1);
		assert_int_equal(h.n, 1);
		if (strcmp(h.v[0].result, "done") != 0)
			fail_msg("%s: %s", inject_method_name(methods[i]), h.v[0].reason);
		assert_true(h.v[0].effect > 0);
		assert_string_equal(h.v[0].method, inject_method_name(methods[i] == INJECT_AUTO ? INJECT_PTRACE : methods[i]));
		assert_true(methods[i] == INJECT_PIDFD ? h.v[0].stopped == -1 : h.v[0].stopped > 0);
		assert_true(closed(&e, 0));
		assert_int_equal(kill(e.pid, 0), 0);
		h = treat(&t, 1, &options); /* again: nothing is there */
		assert_string_equal(h.v[0].result, "refused");
		executor_end(&e);
	}
}

static void failed_when_it_has_no_effect(void **state)
{
	struct executor e, frozen;
	struct shutdown_target t[2];
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(IGNORES, 1);
	frozen = executor_start(CLOSES, 1);
	kill(frozen.pid, SIGSTOP);
	waitpid(frozen.pid, NULL, WUNTRACED);
	t[0] = target(&e, 0);
	t[1] = target(&frozen, 0);
	h = treat(t, 2, &by_pidfd);
	assert_int_equal(h.n, 2);
	for (size_t i = 0; i < 2; i++) {
		if (h.v[i].fd == e.fd[0] && strcmp(h.v[i].result, "failed") == 0)
			assert_non_null(strstr(h.v[i].reason, "has not closed its socket within 5 s"));
		assert_string_not_equal(h.v[i].result, "done");
		assert_int_equal(h.v[i].effect, -1);
	}
	assert_false(closed(&e, 0));
	executor_end(&e);
	executor_end(&frozen);
}

/* Its death closes the socket as well. */
static void failed_when_it_ends(void **state)
{
	struct executor e;
	struct shutdown_target t;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(DIES, 1); /* a zombie until it is waited for */
	t = target(&e, 0);
	h = treat(&t, 1, &by_pidfd);
	assert_string_equal(h.v[0].result, "failed");
	assert_string_equal(h.v[0].reason, "the executor has ended");
	executor_end(&e);
}

static void refused_when_forbidden(void **state)
{
	struct executor e;
	struct shutdown_target t;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	t = target(&e, 0);
	t.forbidden = "it has never registered";
	h = treat(&t, 1, &by_pidfd);
	assert_int_equal(h.intents, 0);
	assert_string_equal(h.v[0].result, "refused");
	assert_string_equal(h.v[0].reason, "it has never registered");
	assert_string_equal(h.v[0].method, "");
	assert_false(closed(&e, 0));
	executor_end(&e);
}

/* Another process, another socket than the audit saw: identity is checked right before. */
static void refused_when_it_is_another(void **state)
{
	struct executor e;
	struct heard h;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	for (int i = 0; i < 4; i++) {
		struct shutdown_target t = target(&e, 0);

		t.start += i == 0;
		t.inode += i == 1;
		t.cookie += i == 2;
		t.fd += i == 3 ? 500 : 0;
		h = treat(&t, 1, &by_pidfd);
		assert_int_equal(h.n, 1);
		assert_string_equal(h.v[0].result, "refused");
		assert_true(strlen(h.v[0].reason) > 0);
		assert_false(closed(&e, 0));
	}
	executor_end(&e);
}

static void dry_run_touches_nothing(void **state)
{
	struct executor e;
	struct shutdown_target t[2];
	struct shutdown_options dry = { .method = INJECT_PIDFD, .dry_run = true };
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 2);
	t[0] = target(&e, 0);
	t[1] = target(&e, 1);
	t[1].forbidden = "it is disconnected";
	assert_int_equal(act_shutdown(t, 2, &dry, NULL, &sink, NULL), 0);
	assert_int_equal(heard.intents, 0);
	assert_string_equal(heard.v[0].result, "skipped");
	assert_string_equal(heard.v[1].result, "refused"); /* as it would be */
	assert_false(closed(&e, 0));
	assert_false(closed(&e, 1));
	executor_end(&e);
}

static volatile sig_atomic_t stop;

static void stop_after_first(void *ctx, size_t done, size_t n)
{
	(void)ctx;
	(void)n;
	stop = done >= 1;
}

static void stop_flag(void **state)
{
	struct executor a, b;
	struct shutdown_target t[2];
	struct shutdown_options options = { .method = INJECT_PIDFD, .stop = &stop, .progress = stop_after_first };
	struct heard h;

	(void)state;
	need_namespace();
	a = executor_start(CLOSES, 1);
	b = executor_start(CLOSES, 1);
	t[0] = target(&a, 0);
	t[1] = target(&b, 0);
	stop = 0;
	h = treat(t, 2, &options);
	assert_int_equal(h.n, 2);
	assert_string_equal(h.v[0].result, "done");
	assert_string_equal(h.v[1].result, "skipped");
	assert_true(closed(&a, 0));
	assert_false(closed(&b, 0));
	executor_end(&a);
	executor_end(&b);
}

/* A v1 library drops both of its connections when one ends; both acts are done. */
static void both_connections_of_v1(void **state)
{
	(void)state;
	need_namespace();
	for (int i = 0; i < 20; i++) { /* whoever comes first */
		struct executor e = executor_start(CLOSES_ALL, 2);
		struct shutdown_target t[2] = { target(&e, 0), target(&e, 1) };
		struct heard h = treat(t, 2, &by_pidfd);

		assert_int_equal(h.n, 2);
		assert_string_equal(h.v[0].result, "done");
		if (strcmp(h.v[1].result, "done") != 0)
			fail_msg("%s: %s", h.v[1].result, h.v[1].reason);
		assert_true(closed(&e, 0) && closed(&e, 1));
		executor_end(&e);
	}
}

/* One that ends at once has two connections closed, and none of the acts is done. */
static void both_connections_of_one_that_ends(void **state)
{
	(void)state;
	need_namespace();
	for (int i = 0; i < 20; i++) {
		struct executor e = executor_start(DIES, 2);
		struct shutdown_target t[2] = { target(&e, 0), target(&e, 1) };
		struct heard h = treat(t, 2, &by_pidfd);

		assert_int_equal(h.n, 2);
		assert_string_not_equal(h.v[0].result, "done");
		assert_string_not_equal(h.v[1].result, "done");
		executor_end(&e);
	}
}

/* Nothing is begun whose intent is not on disk: the disk is full. In a mount namespace of its own. */
static int with_a_full_disk(const struct executor *e, const char *dir)
{
	struct shutdown_target t = target(e, 0);
	struct heard heard = { 0 };
	struct fact_sink sink = { hear, &heard };
	struct fail why = { 0 };
	struct act_log *log;
	char path[128], fill[4096] = { 0 };
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tiny", dir, "tmpfs", 0, "size=8k") < 0 || act_log_open(dir, &log, &why) < 0)
		return 1;
	snprintf(path, sizeof(path), "%s/fill", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	while (write(fd, fill, sizeof(fill)) > 0)
		;
	close(fd);
	if (act_shutdown(&t, 1, &by_pidfd, log, &sink, &why) != -ENOSPC || !strstr(why.what, "audit.log"))
		return 2;
	act_log_close(log);
	return heard.n == 0 && heard.intents == 0 ? 0 : 3;
}

static void log_cannot_be_written(void **state)
{
	char dir[] = "/tmp/ew-shutdown-XXXXXX";
	struct executor e;
	int status;
	pid_t pid;

	(void)state;
	need_namespace();
	e = executor_start(CLOSES, 1);
	assert_non_null(mkdtemp(dir));
	pid = fork();
	if (pid == 0)
		_exit(with_a_full_disk(&e, dir));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rmdir(dir);
	assert_int_equal(status, 0);
	assert_false(closed(&e, 0));
	executor_end(&e);
}

static void nothing_to_do(void **state)
{
	struct heard h = treat(NULL, 0, &by_pidfd);

	(void)state;
	assert_int_equal(h.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(done_by_each_method),
		cmocka_unit_test(failed_when_it_has_no_effect),
		cmocka_unit_test(failed_when_it_ends),
		cmocka_unit_test(refused_when_forbidden),
		cmocka_unit_test(refused_when_it_is_another),
		cmocka_unit_test(dry_run_touches_nothing),
		cmocka_unit_test(stop_flag),
		cmocka_unit_test(both_connections_of_v1),
		cmocka_unit_test(both_connections_of_one_that_ends),
		cmocka_unit_test(log_cannot_be_written),
		cmocka_unit_test(nothing_to_do),
	};

	return cmocka_run_group_tests(tests, own_namespace, NULL);
}
