/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * For tests of the BPF side: a network namespace of the test's own, facts kept for comparison, and
 * actors: processes that do one thing at a time, so that the truth is known. A port per test
 * process keeps whatever else runs on this kernel out of sight.
 */
#ifndef EW_TEST_BPF_FIXTURE_H
#define EW_TEST_BPF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"
#include "facts.h"
#include "observe/bpf.h"

#define FACTS_MAX   100000
#define PATIENCE_MS 30000 /* an emulated processor is slow */

struct fixture {
	struct bpf_watch *watch;
	struct fact_sink sink;
	struct fact facts[FACTS_MAX]; /* strings are the fixture's own */
	size_t n;
	uint16_t port;
	uint64_t netns;
};

static inline const char *kept(const char *text)
{
	return strdup(text ? text : "");
}

static inline void fixture_put(void *ctx, const struct fact *fact)
{
	struct fixture *f = ctx;
	struct fact *copy = &f->facts[f->n];

	assert_true(f->n < FACTS_MAX);
	*copy = *fact;
	switch (fact->type) {
	case FACT_SLOT:
		copy->slot.slot = kept(fact->slot.slot);
		copy->slot.program = kept(fact->slot.program);
		copy->slot.reason = kept(fact->slot.reason);
		break;
	case FACT_EXEC:
		copy->exec.comm = kept(fact->exec.comm);
		copy->exec.filename = kept(fact->exec.filename);
		break;
	case FACT_EXIT:
		copy->exit.comm = kept(fact->exit.comm);
		copy->exit.killer_comm = kept(fact->exit.killer_comm);
		break;
	case FACT_SIGNAL:
		copy->signal.sender_comm = kept(fact->signal.sender_comm);
		break;
	case FACT_MESSAGE:
		copy->message.name = kept(fact->message.name);
		copy->message.from = kept(fact->message.from);
		copy->message.executor_id = kept(fact->message.executor_id);
		copy->message.framework_id = kept(fact->message.framework_id);
		break;
	case FACT_LOST:
		copy->lost.cause = kept(fact->lost.cause);
		break;
	default:
		break;
	}
	f->n++;
}

static inline void fixture_forget(struct fixture *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fact *fact = &f->facts[i];

		if (fact->type == FACT_SLOT) {
			free((void *)fact->slot.slot);
			free((void *)fact->slot.program);
			free((void *)fact->slot.reason);
		} else if (fact->type == FACT_EXEC) {
			free((void *)fact->exec.comm);
			free((void *)fact->exec.filename);
		} else if (fact->type == FACT_EXIT) {
			free((void *)fact->exit.comm);
			free((void *)fact->exit.killer_comm);
		} else if (fact->type == FACT_SIGNAL) {
			free((void *)fact->signal.sender_comm);
		} else if (fact->type == FACT_MESSAGE) {
			free((void *)fact->message.name);
			free((void *)fact->message.from);
			free((void *)fact->message.executor_id);
			free((void *)fact->message.framework_id);
		} else if (fact->type == FACT_LOST) {
			free((void *)fact->lost.cause);
		}
	}
	f->n = 0;
}

/* A directory for pins, in which a mount is seen by nobody else and ends with the test. */
static inline int fixture_dir_new(char *template)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mkdtemp(template) ? 0 : -1;
}

/* Into a new network namespace with its loopback up. */
static inline void netns_enter(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static inline uint64_t netns_of_self(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/self/ns/net", &st), 0);
	return st.st_ino;
}

static inline void fixture_open(struct fixture *f, const struct bpf_watch_options *options)
{
	struct fail why = { 0 };

	if (bpf_watch_open(options, &f->sink, &f->watch, &why) < 0)
		fail_msg("%s; %s", why.what, why.cure);
}

/* cmocka's setup for a test; options may be NULL. */
static inline struct fixture *fixture_new(const struct bpf_watch_options *options)
{
	struct bpf_watch_options used = { 0 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	if (options)
		used = *options;
	netns_enter();
	f->netns = netns_of_self();
	f->sink = (struct fact_sink){ fixture_put, f };
	f->port = (uint16_t)(10000 + getpid() % 20000);
	used.agent_port = f->port;
	fixture_open(f, &used);
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	bpf_watch_free(f->watch);
	fixture_forget(f);
	free(f);
}

static inline int64_t mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Drains until count facts satisfy match, or fails the test. */
static inline void fixture_wait(struct fixture *f, bool (*match)(const struct fact *, const void *),
				const void *arg, size_t count, const char *what)
{
	int64_t end = mono_ms() + PATIENCE_MS;

	for (;;) {
		struct pollfd pfd = { .fd = bpf_watch_fd(f->watch), .events = POLLIN };
		size_t found = 0;

		bpf_watch_drain(f->watch, &f->sink);
		for (size_t i = 0; i < f->n; i++)
			found += match(&f->facts[i], arg);
		if (found >= count)
			return;
		if (mono_ms() > end)
			fail_msg("%zu of %zu: %s", found, count, what);
		poll(&pfd, 1, 100);
	}
}

struct expected_state {
	uint64_t cookie;
	uint32_t to;
};

static inline bool state_reached(const struct fact *fact, const void *arg)
{
	const struct expected_state *e = arg;

	return fact->type == FACT_TCP && fact->tcp.cookie == e->cookie && fact->tcp.to == e->to;
}

static inline void fixture_wait_state(struct fixture *f, uint64_t cookie, uint32_t to)
{
	struct expected_state e = { cookie, to };

	fixture_wait(f, state_reached, &e, 1, "change of TCP state");
}

static inline size_t fixture_count(const struct fixture *f, enum fact_type type)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->facts[i].type == type;
	return n;
}

/* As last told; NULL: nothing was. */
static inline const struct fact *fixture_loss(const struct fixture *f, const char *cause)
{
	for (size_t i = f->n; i-- > 0;)
		if (f->facts[i].type == FACT_LOST && strcmp(f->facts[i].lost.cause, cause) == 0)
			return &f->facts[i];
	return NULL;
}

static inline uint64_t fixture_lost(const struct fixture *f, const char *cause)
{
	const struct fact *loss = fixture_loss(f, cause);

	return loss ? loss->lost.lost : 0;
}

/* Changes of TCP state that were put, and those of which nobody can tell. */
static inline size_t fixture_told_or_lost(const struct fixture *f)
{
	return fixture_count(f, FACT_TCP) + fixture_lost(f, "lifecycle-ring") +
	       fixture_lost(f, "history");
}

/* The last packets of a connection may be on their way when both ends are closed. */
static inline size_t fixture_settle(struct fixture *f, size_t expected)
{
	int64_t end = mono_ms() + PATIENCE_MS;

	for (;;) {
		struct pollfd pfd = { .fd = bpf_watch_fd(f->watch), .events = POLLIN };

		bpf_watch_drain(f->watch, &f->sink);
		bpf_watch_counters(f->watch, false, &f->sink);
		if (fixture_told_or_lost(f) >= expected || mono_ms() > end)
			return fixture_told_or_lost(f);
		poll(&pfd, 1, 10);
	}
}

static inline uint64_t start_of(pid_t pid)
{
	char path[64], text[1024], *at;
	unsigned long long start = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	at = strrchr(text, ')');
	assert_non_null(at);
	assert_int_equal(sscanf(at + 2,
				"%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d "
				"%*d %*d %*d %*d %*d %llu",
				&start),
			 1);
	return start;
}

/* Ends with the test, however that ends. */
static inline pid_t child_new(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* ---- actors ---- */

enum act {
	ACT_LISTEN,  /* number: port, family -> cookie */
	ACT_CONNECT, /* number: port, family -> cookie */
	ACT_ACCEPT,  /* -> cookie */
	ACT_SEND,    /* bytes, on the connection made last */
	ACT_RECEIVE,
	ACT_CLOSE,
	ACT_RESET, /* closes with a RST */
	ACT_UNLISTEN,
	ACT_TALK, /* number: so often connects to its own listener, accepts, closes both ends */
	ACT_FORK, /* -> pid of a child that waits for a signal, with copies of all descriptors */
	ACT_RUN,  /* text: a shell command, exec'd in a child -> its wait status */
	ACT_KILL, /* number: pid, family: signal */
	ACT_REAP, /* -> wait status of any child */
	ACT_EXIT, /* number: code; no answer */
};

struct order {
	enum act act;
	int number;
	int family;
	size_t size;
	char bytes[1200];
};

struct actor {
	pid_t pid;
	uint64_t start;
	int talk;
};

struct actor_state {
	int listening, conn;
};

static inline int64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0 ? -errno : (int64_t)cookie;
}

static inline socklen_t actor_address(const struct order *o, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;

	memset(address, 0, sizeof(*address));
	if (o->family == AF_INET6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)o->number);
		v6->sin6_addr = o->act == ACT_LISTEN ? in6addr_any : in6addr_loopback;
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)o->number);
	v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(*v4);
}

static inline int64_t actor_open(struct actor_state *s, const struct order *o)
{
	struct sockaddr_storage address;
	socklen_t len = actor_address(o, &address);
	int fd = socket(o->family, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (o->act == ACT_CONNECT) {
		s->conn = fd;
		if (connect(fd, (void *)&address, len) < 0)
			return -errno;
		return cookie_of(fd);
	}
	s->listening = fd;
	if (bind(fd, (void *)&address, len) < 0 || listen(fd, 64) < 0)
		return -errno;
	return cookie_of(fd);
}

static inline int64_t actor_run(const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid ? status : -errno;
}

static inline int64_t actor_fork(void)
{
	pid_t pid = child_new();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static inline int64_t actor_close(struct actor_state *s, bool reset)
{
	struct linger linger = { .l_onoff = 1 };

	if (reset)
		setsockopt(s->conn, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	return close(s->conn);
}

static inline int64_t actor_talk(const struct actor_state *s, int times)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	char byte;

	if (getsockname(s->listening, (void *)&address, &len) < 0)
		return -errno;
	for (int i = 0; i < times; i++) {
		int out = socket(AF_INET, SOCK_STREAM, 0), in = -1;

		if (connect(out, (void *)&address, len) == 0)
			in = accept(s->listening, NULL, NULL);
		close(out);
		if (in < 0 || read(in, &byte, 1) != 0)
			return -EPROTO;
		close(in);
	}
	return times;
}

static inline int64_t actor_do(struct actor_state *s, const struct order *o)
{
	char sink[4096];
	int status;

	switch (o->act) {
	case ACT_LISTEN:
	case ACT_CONNECT:
		return actor_open(s, o);
	case ACT_ACCEPT:
		s->conn = accept(s->listening, NULL, NULL);
		return cookie_of(s->conn);
	case ACT_SEND:
		return send(s->conn, o->bytes, o->size, MSG_NOSIGNAL);
	case ACT_RECEIVE:
		return recv(s->conn, sink, sizeof(sink), 0);
	case ACT_CLOSE:
	case ACT_RESET:
		return actor_close(s, o->act == ACT_RESET);
	case ACT_UNLISTEN:
		return close(s->listening);
	case ACT_TALK:
		return actor_talk(s, o->number);
	case ACT_FORK:
		return actor_fork();
	case ACT_RUN:
		return actor_run(o->bytes);
	case ACT_KILL:
		return kill(o->number, o->family);
	case ACT_REAP:
		return wait(&status) < 0 ? -errno : status;
	case ACT_EXIT:
		_exit(o->number);
	}
	return -EINVAL;
}

static inline void actor_live(int talk)
{
	struct actor_state state = { -1, -1 };
	struct order order;

	while (recv(talk, &order, sizeof(order), 0) > 0) {
		int64_t answer = actor_do(&state, &order);

		if (send(talk, &answer, sizeof(answer), 0) < 0)
			break;
	}
	_exit(0);
}

static inline struct actor actor_new(void)
{
	struct actor actor;
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	actor.pid = child_new();
	if (actor.pid == 0) {
		/* Nothing of the test's: no other actor's line, no BPF link kept alive. */
		dup2(ends[1], 3);
		close_range(4, ~0U, 0);
		actor_live(3);
	}
	close(ends[1]);
	actor.talk = ends[0];
	actor.start = start_of(actor.pid);
	return actor;
}

static inline void actor_begin(const struct actor *actor, const struct order *order)
{
	assert_int_equal(send(actor->talk, order, sizeof(*order), 0), sizeof(*order));
}

static inline int64_t actor_answer(const struct actor *actor)
{
	struct pollfd pfd = { .fd = actor->talk, .events = POLLIN };
	int64_t answer = -EPIPE;

	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(actor->talk, &answer, sizeof(answer), 0), sizeof(answer));
	return answer;
}

static inline int64_t actor_order(const struct actor *actor, const struct order *order)
{
	actor_begin(actor, order);
	return order->act == ACT_EXIT ? 0 : actor_answer(actor);
}

static inline int64_t actor_act(const struct actor *actor, enum act act, int number, int family)
{
	struct order order = { .act = act, .number = number, .family = family };

	return actor_order(actor, &order);
}

static inline int64_t actor_send(const struct actor *actor, const char *text)
{
	struct order order = { .act = ACT_SEND, .size = strlen(text) };

	memcpy(order.bytes, text, order.size);
	return actor_order(actor, &order);
}

/* Ends it; returns its wait status. */
static inline int actor_end(struct actor *actor)
{
	int status = -1;

	close(actor->talk);
	assert_int_equal(waitpid(actor->pid, &status, 0), actor->pid);
	return status;
}

#endif
