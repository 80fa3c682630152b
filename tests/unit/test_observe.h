/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the observers' tests share: facts collected as JSON objects; a network namespace and a
 * directory of the test's own; children that are the test program itself, started under another
 * name and environment, doing what their arguments say ("connect=5051", "listen=0", "map=FILE",
 * "serve=5051,FILE", always the last), which tell by a byte that they are ready and die with the
 * test.
 *
 * A test's main() begins with child_main(argc, argv).
 */
#ifndef EW_TEST_OBSERVE_H
#define EW_TEST_OBSERVE_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "base/factjson.h"
#include "facts.h"
#include "base/error.h"

#define MAYBE __attribute__((unused)) static

/* ---- facts ---- */

struct facts {
	json_t *all; /* array, in the order of emission */
	struct fact_sink sink;
};

MAYBE void facts_emit(void *ctx, const struct fact *fact)
{
	struct facts *facts = ctx;

	json_array_append_new(facts->all, factjson_pack(fact));
}

MAYBE void facts_init(struct facts *facts)
{
	facts->all = json_array();
	facts->sink = (struct fact_sink){ .emit = facts_emit, .ctx = facts };
}

MAYBE void facts_clear(struct facts *facts)
{
	json_array_clear(facts->all);
}

MAYBE void facts_free(struct facts *facts)
{
	json_decref(facts->all);
}

MAYBE const char *text(const json_t *fact, const char *field)
{
	const char *value = json_string_value(json_object_get(fact, field));

	return value ? value : "(not a text)";
}

/* Numbers above 2^53 are texts: base/jsonval.h. */
MAYBE int64_t number(const json_t *fact, const char *field)
{
	const json_t *value = json_object_get(fact, field);

	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10)
				     : (int64_t)json_integer_value(value);
}

/* The nth fact of the type whose field is that text (field NULL: any); NULL for none. */
MAYBE const json_t *facts_nth(const struct facts *facts, const char *type, const char *field,
			      const char *value, size_t nth)
{
	const json_t *fact;
	size_t i;

	json_array_foreach(facts->all, i, fact)
	{
		if (strcmp(text(fact, "type"), type) != 0 ||
		    (field && strcmp(text(fact, field), value) != 0))
			continue;
		if (nth-- == 0)
			return fact;
	}
	return NULL;
}

MAYBE const json_t *facts_find(const struct facts *facts, const char *type, const char *field,
			       const char *value)
{
	return facts_nth(facts, type, field, value, 0);
}

/* The first of the type whose field is that number. */
MAYBE const json_t *facts_with(const struct facts *facts, const char *type, const char *field,
			       int64_t value)
{
	const json_t *fact;
	size_t i;

	json_array_foreach(facts->all, i, fact) if (strcmp(text(fact, "type"), type) == 0 &&
						    number(fact, field) == value) return fact;
	return NULL;
}

/* The last one of them. */
MAYBE const json_t *facts_last(const struct facts *facts, const char *type, const char *field,
			       int64_t value)
{
	const json_t *fact, *last = NULL;
	size_t i;

	json_array_foreach(facts->all, i, fact) if (strcmp(text(fact, "type"), type) == 0 &&
						    number(fact, field) == value) last = fact;
	return last;
}

MAYBE size_t facts_count(const struct facts *facts, const char *type)
{
	const json_t *fact;
	size_t i, n = 0;

	json_array_foreach(facts->all, i, fact) n += strcmp(text(fact, "type"), type) == 0;
	return n;
}

MAYBE void facts_print(const struct facts *facts)
{
	const json_t *fact;
	size_t i;

	json_array_foreach(facts->all, i, fact)
	{
		json_dumpf(fact, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	}
}

/* ---- a directory of the test's own ---- */

MAYBE char dir_path[64];

MAYBE int dir_make(void)
{
	strcpy(dir_path, "/tmp/ew-observe-XXXXXX");
	return mkdtemp(dir_path) ? 0 : -1;
}

/* fmt below the directory; one of a few buffers in turn. */
MAYBE const char *dir_at(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
MAYBE const char *dir_at(const char *fmt, ...)
{
	static char paths[8][1024];
	static int turn;
	char *path = paths[turn++ % 8];
	int at = snprintf(path, sizeof(*paths), "%s/", dir_path);
	va_list args;

	va_start(args, fmt);
	vsnprintf(path + at, sizeof(*paths) - (size_t)at, fmt, args);
	va_end(args);
	return path;
}

MAYBE void run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
MAYBE void run(const char *fmt, ...)
{
	char command[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

MAYBE int dir_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir_path);
	return system(command);
}

MAYBE void file_write(const char *path, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

/* ---- a network namespace of the test's own ---- */

/* Enters a new one with lo up: the tests' connections never touch the host's. */
MAYBE int netns_make(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, err;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	err = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return err;
}

MAYBE uint64_t netns_own(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

/* Lines of nft(8). */
MAYBE void nft(const char *lines)
{
	FILE *out = popen("nft -f -", "w");

	assert_non_null(out);
	fputs(lines, out);
	assert_int_equal(pclose(out), 0);
}

MAYBE int listen_on(int family, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = in6addr_any };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	bool is_v4 = family == AF_INET;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6)) < 0 ||
	    listen(fd, 1024) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

MAYBE int connect_to(int family, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port),
				   .sin6_addr = in6addr_loopback };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_v4 = family == AF_INET;

	if (connect(fd, is_v4 ? (void *)&v4 : (void *)&v6, is_v4 ? sizeof(v4) : sizeof(v6)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

MAYBE uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

/* ---- children ---- */

#define CHILD_READY 198 /* descriptor that a child writes its byte to */

/* Answers every request with what is in the file, until it is killed. */
MAYBE void child_serve(uint16_t port, const char *file)
{
	static char answer[1 << 20];
	int in = open(file, O_RDONLY), listener = listen_on(AF_INET, port);
	ssize_t len = in < 0 ? 0 : read(in, answer, sizeof(answer));
	char ready = 'r', request[4096];

	if (len < 0 || listener < 0 || write(CHILD_READY, &ready, 1) != 1)
		_exit(1);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		/* A link never asks anything: only what begins with GET is answered and closed. */
		if (fd >= 0 && recv(fd, request, sizeof(request), MSG_DONTWAIT | MSG_PEEK) < 0) {
			struct timeval wait = { .tv_usec = 200000 };

			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		}
		if (fd < 0 || recv(fd, request, sizeof(request), 0) <= 0)
			continue;
		send(fd, answer, (size_t)len, MSG_NOSIGNAL);
		close(fd);
	}
}

MAYBE void *child_pause(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* The parent of vfork(2) waits in uninterruptible sleep for as long as its child does this. */
MAYBE int child_linger(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

MAYBE void child_hang(void)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));

	clone(child_linger, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
}

MAYBE void child_do(char *what)
{
	char *value = strchr(what, '=');
	struct stat st;
	int fd;

	if (!value)
		return;
	value++;
	if (strncmp(what, "connect=", 8) == 0) {
		fd = connect_to(AF_INET, (uint16_t)atoi(value));
		if (fd < 0)
			_exit(1);
		fcntl(fd, F_SETFD, 0);
	} else if (strncmp(what, "listen=", 7) == 0) {
		if (listen_on(AF_INET, (uint16_t)atoi(value)) < 0)
			_exit(1);
	} else if (strncmp(what, "map=", 4) == 0) {
		fd = open(value, O_RDONLY);
		if (fd < 0 || fstat(fd, &st) < 0 ||
		    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
			_exit(1);
		close(fd);
	} else if (strncmp(what, "erase=", 6) == 0 && getenv(value)) {
		memset(getenv(value), 0, strlen(getenv(value)));
	} else if (strncmp(what, "fork=", 5) == 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	} else if (strncmp(what, "thread=", 7) == 0) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, child_pause, NULL))
			_exit(1);
	} else if (strncmp(what, "hang=", 5) == 0) {
		/* Ready before it hangs: nothing is done afterwards. */
		if (write(CHILD_READY, "r", 1) != 1)
			_exit(1);
		child_hang();
	} else if (strncmp(what, "bind=", 5) == 0) {
		/* "bind=FROM,TO" in a mount namespace of the child's own */
		char *to = strchr(value, ',');

		*to++ = '\0';
		if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount(value, to, NULL, MS_BIND, NULL) < 0)
			_exit(1);
	} else if (strncmp(what, "serve=", 6) == 0) {
		child_serve((uint16_t)atoi(value), strchr(value, ',') + 1);
	}
}

/* Does what the arguments say, if this is a child: then it never returns. */
MAYBE void child_main(int argc, char **argv)
{
	char ready = 'r';

	if (argc < 2 || strcmp(argv[1], "--child") != 0) {
		signal(SIGPIPE, SIG_IGN);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 2; i < argc; i++)
		child_do(argv[i]);
	if (write(CHILD_READY, &ready, 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

struct child {
	pid_t pid;    /* as the test sees it */
	pid_t waiter; /* what the test has to wait for */
};

MAYBE void child_exec(const char *name, const char *const *args, char *const *env, int ready)
{
	char *argv[16] = { (char *)(uintptr_t)name, (char *)(uintptr_t) "--child" };

	for (size_t i = 0; args[i] && i < 13; i++)
		argv[i + 2] = (char *)(uintptr_t)args[i];
	if (dup2(ready, CHILD_READY) < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(name, argv, env);
	_exit(1);
}

/*
 * Starts name (a copy of or a link to the test program) with arguments and environment, in new
 * namespaces (CLONE_NEWPID, CLONE_NEWNET), and waits until it is ready.
 */
MAYBE struct child child_start(const char *name, const char *const *args, char *const *env,
			       int namespaces)
{
	struct child child = { 0 };
	int ready[2], pids[2];
	char byte;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(pids), 0);
	child.waiter = fork();
	assert_true(child.waiter >= 0);
	if (child.waiter == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		if (!namespaces)
			child_exec(name, args, env, ready[1]);
		if (unshare(namespaces) < 0)
			_exit(1);
		child.pid = fork();
		if (child.pid == 0)
			child_exec(name, args, env, ready[1]);
		if (write(pids[1], &child.pid, sizeof(child.pid)) != sizeof(child.pid))
			_exit(1);
		close(ready[1]);
		waitpid(child.pid, NULL, 0);
		_exit(0);
	}
	close(ready[1]);
	if (!namespaces)
		child.pid = child.waiter;
	else
		assert_int_equal(read(pids[0], &child.pid, sizeof(child.pid)), sizeof(child.pid));
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("%s did not come up", name);
	close(ready[0]);
	close(pids[0]);
	close(pids[1]);
	return child;
}

MAYBE void child_end(struct child *child)
{
	if (child->pid > 0)
		kill(child->pid, SIGKILL);
	if (child->waiter > 0)
		waitpid(child->waiter, NULL, 0);
	*child = (struct child){ 0 };
}

/* A link called name in the test's directory that leads to the test program. */
MAYBE const char *child_name(const char *name)
{
	const char *path = dir_at("%s", name);
	char self[512];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	if (symlink(self, path) < 0)
		assert_int_equal(errno, EEXIST);
	return path;
}

#endif
