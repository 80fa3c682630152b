/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that follow commands one at a time, so that a test knows what has happened. */
#ifndef EW_TEST_BPF_ACTOR_H
#define EW_TEST_BPF_ACTOR_H

#include <linux/sockios.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/proc.h"
#include "test_bpf_fixture.h"

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

/* A child that ends with the test, however that ends. */
static inline pid_t child_new(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

enum act {
	ACT_LISTEN,	    /* number: port, family -> cookie */
	ACT_SHARE,	    /* the same with SO_REUSEPORT */
	ACT_CONNECT,	    /* number: port, family -> cookie */
	ACT_ACCEPT,	    /* -> cookie */
	ACT_SEND,	    /* bytes, on the connection made last */
	ACT_SEND_UNTOUCHED, /* number: bytes, from memory that is not populated yet */
	ACT_SEND_PIECES,    /* number: the same by writev(2) from buffers of this size */
	ACT_SEND_APART, /* the same by a child -> its pid, as soon as it waits for buffer space */
	ACT_STUFF,	/* sends until the socket buffers are full */
	ACT_RECEIVE,
	ACT_CLOSE,
	ACT_RESET, /* closes with a RST */
	ACT_UNLISTEN,
	ACT_TALK,  /* number: times to connect to its own listener, accept and close both ends */
	ACT_FORK,  /* -> pid of a child that waits for a signal, with copies of all descriptors */
	ACT_LEAVE, /* the same, but it outlives the actor, for a minute at most */
	ACT_RUN,   /* text: a shell command, exec'd in a child -> its wait status */
	ACT_KILL,  /* number: pid, family: signal */
	ACT_REAP,  /* -> wait status of any child */
	ACT_EXIT,  /* number: code; no answer */
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
		v6->sin6_addr = o->act == ACT_CONNECT ? in6addr_loopback : in6addr_any;
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
	if (o->act == ACT_SHARE) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
		if (o->family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	}
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

static inline int64_t actor_fork(bool outlives)
{
	pid_t pid = child_new();

	if (pid == 0) {
		if (outlives)
			prctl(PR_SET_PDEATHSIG, 0);
		alarm(60);
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

static inline int64_t actor_send_pieces(int conn, const struct order *o)
{
	struct iovec pieces[512];
	struct msghdr message = { .msg_iov = pieces };

	for (size_t at = 0; at < o->size; at += pieces[message.msg_iovlen++].iov_len) {
		size_t left = o->size - at, piece = (size_t)o->number;

		pieces[message.msg_iovlen] =
			(struct iovec){ (void *)(o->bytes + at), left < piece ? left : piece };
	}
	return sendmsg(conn, &message, MSG_NOSIGNAL);
}

static inline char actor_state_of(pid_t pid)
{
	struct proc_stat stat;

	return proc_stat_of(pid, &stat) == 0 ? stat.state : '\0';
}

static inline int64_t actor_send_apart(int conn, const struct order *o)
{
	pid_t pid = child_new();

	if (pid == 0) {
		/* Written, as by any sender: a page shared by fork may need a fault (arm64). */
		struct order own = *o;

		_exit(send(conn, own.bytes, own.size, MSG_NOSIGNAL) != (ssize_t)own.size);
	}
	for (int i = 0; i < PATIENCE_MS / 2; i++) {
		switch (actor_state_of(pid)) {
		case 'S':
			return pid;
		case 'Z':
			return -EBUSY; /* the buffer was not full */
		}
		poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

/* Waits until all queued data is at the receiver, so that no buffer space becomes free. */
static inline bool actor_is_stuffed(int conn)
{
	int queued, unsent;

	return ioctl(conn, SIOCOUTQ, &queued) == 0 && ioctl(conn, SIOCOUTQNSD, &unsent) == 0 &&
	       queued == unsent && queued > 0;
}

static inline int64_t actor_stuff(int conn)
{
	char junk[4096] = { 0 };

	for (int i = 0; i < PATIENCE_MS / 2; i++) {
		bool stuffed = actor_is_stuffed(conn), sent = false;

		while (send(conn, junk, sizeof(junk), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
			sent = true;
		if (errno != EAGAIN)
			return -errno;
		if (stuffed && !sent)
			return 0;
		poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
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
	case ACT_SHARE:
	case ACT_CONNECT:
		return actor_open(s, o);
	case ACT_ACCEPT:
		s->conn = accept(s->listening, NULL, NULL);
		return cookie_of(s->conn);
	case ACT_SEND:
		return send(s->conn, o->bytes, o->size, MSG_NOSIGNAL);
	case ACT_SEND_UNTOUCHED:
		return send(s->conn,
			    mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
			    (size_t)o->number, MSG_NOSIGNAL);
	case ACT_SEND_PIECES:
		return actor_send_pieces(s->conn, o);
	case ACT_SEND_APART:
		return actor_send_apart(s->conn, o);
	case ACT_STUFF:
		return actor_stuff(s->conn);
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
	case ACT_LEAVE:
		return actor_fork(o->act == ACT_LEAVE);
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
		/* Closes the test's descriptors: other actors' pipes, and links, which stay alive
		 * otherwise. */
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
