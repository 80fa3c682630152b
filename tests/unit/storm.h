/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A storm with known truth: connections, processes and messages made at the same time by processes
 * that note what they do. Sizes are a tenth of the full storm's unless STORM=full is set.
 */
#ifndef EW_TEST_STORM_H
#define EW_TEST_STORM_H

#include <stdatomic.h>
#include <sys/mman.h>

#include "test_bpf_actor.h"

#define STORM_CONNS    2000
#define STORM_PROCS    5000
#define STORM_MESSAGES 50000
#define STORM_CLIENTS  4

/* How a connection ends, and how many changes of state it has at both ends together. */
enum conn_how { CONN_CLOSED, CONN_RESET_BY_CLIENT, CONN_RESET_BY_SERVER, CONN_OPEN };

static const unsigned int conn_changes[] = { 9, 5, 5, 3 };

/* How a process ends. */
enum proc_how { PROC_EXITS, PROC_EXECS, PROC_KILLED, PROC_KILLS_ITSELF };

struct storm_conn {
	uint64_t at_client, at_server;
	pid_t client;
	enum conn_how how;
};

struct storm_proc {
	pid_t pid;
	enum proc_how how;
	int status; /* as wait(2) gave it */
	uint32_t number;
	bool reported; /* its exit: set by the checks */
};

/* Shared by all processes of the storm. */
struct storm {
	uint32_t n_conns, n_procs, n_messages;
	uint16_t port;
	_Atomic uint32_t go, listening, talk_port;
	_Atomic uint32_t conns_done, procs_done, messages_done, workers_done;
	_Atomic uint32_t failed; /* line */
	pid_t agent, clients[STORM_CLIENTS], parent, talker, reader;
	uint64_t talker_start, parent_start;
	struct storm_conn conns[STORM_CONNS];
	struct storm_proc procs[STORM_PROCS];
};

static struct storm *storm;

static inline bool storm_is_full(void)
{
	const char *size = getenv("STORM");

	return size && strcmp(size, "full") == 0;
}

#define STORM_CHECK(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			atomic_store(&storm->failed, __LINE__);                                    \
			pause();                                                                   \
		}                                                                                  \
	} while (0)

static inline void storm_wait(_Atomic uint32_t *flag)
{
	while (!atomic_load(flag))
		poll(NULL, 0, 1);
}

static inline void storm_rest(void)
{
	atomic_fetch_add(&storm->workers_done, 1);
	for (;;)
		pause();
}

/* ---- connections ---- */

struct hello {
	char mark[8]; /* unlike any message */
	uint32_t index;
	enum conn_how how;
};

static inline void close_with_reset(int fd)
{
	struct linger linger = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static inline void serve_one(int listening)
{
	int fd = accept(listening, NULL, NULL);
	struct hello hello;
	char byte = 'k';

	STORM_CHECK(fd >= 0 && recv(fd, &hello, sizeof(hello), MSG_WAITALL) == sizeof(hello));
	storm->conns[hello.index].at_server = (uint64_t)cookie_of(fd);
	switch (hello.how) {
	case CONN_CLOSED:
		STORM_CHECK(recv(fd, &byte, 1, 0) == 0);
		close(fd);
		break;
	case CONN_RESET_BY_CLIENT:
		STORM_CHECK(send(fd, &byte, 1, 0) == 1);
		STORM_CHECK(recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET);
		close(fd);
		break;
	case CONN_RESET_BY_SERVER:
		close_with_reset(fd);
		break;
	case CONN_OPEN:
		break;
	}
	atomic_fetch_add(&storm->conns_done, 1);
}

static inline void storm_agent(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(storm->port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	STORM_CHECK(bind(fd, (void *)&any, sizeof(any)) == 0 && listen(fd, 128) == 0);
	atomic_store(&storm->listening, 1);
	for (uint32_t i = 0; i < storm->n_conns; i++)
		serve_one(fd);
	storm_rest();
}

static inline void connect_one(uint32_t index)
{
	struct storm_conn *conn = &storm->conns[index];
	struct order to = { .act = ACT_CONNECT,
			    .number = storm->port,
			    .family = index / 7 % 2 ? AF_INET6 : AF_INET };
	struct hello hello = { "hello", index, conn->how };
	struct sockaddr_storage address;
	socklen_t len = actor_address(&to, &address);
	int fd = socket(to.family, SOCK_STREAM, 0);
	char byte;

	conn->client = getpid();
	STORM_CHECK(connect(fd, (void *)&address, len) == 0);
	conn->at_client = (uint64_t)cookie_of(fd);
	STORM_CHECK(send(fd, &hello, sizeof(hello), 0) == sizeof(hello));
	if (conn->how == CONN_CLOSED) {
		close(fd);
	} else if (conn->how == CONN_RESET_BY_CLIENT) {
		STORM_CHECK(recv(fd, &byte, 1, 0) == 1);
		close_with_reset(fd);
	} else if (conn->how == CONN_RESET_BY_SERVER) {
		STORM_CHECK(recv(fd, &byte, 1, 0) < 0 && errno == ECONNRESET);
		close(fd);
	}
}

static inline void storm_client(uint32_t which)
{
	storm_wait(&storm->listening);
	for (uint32_t i = which; i < storm->n_conns; i += STORM_CLIENTS)
		connect_one(i);
	storm_rest();
}

/* ---- processes ---- */

static inline void proc_live(uint32_t index)
{
	switch (storm->procs[index].how) {
	case PROC_EXITS:
		_exit((int)(index % 251));
	case PROC_EXECS:
		execl("/bin/true", "true", NULL);
		_exit(127);
	case PROC_KILLED:
		pause();
		_exit(1);
	case PROC_KILLS_ITSELF:
		kill(getpid(), SIGTERM);
		_exit(1);
	}
}

static inline void storm_parent(void)
{
	for (uint32_t i = 0; i < storm->n_procs; i++) {
		struct storm_proc *proc = &storm->procs[i];
		pid_t pid = child_new();

		if (pid == 0)
			proc_live(i);
		proc->pid = pid;
		if (proc->how == PROC_KILLED)
			kill(pid, SIGKILL);
		STORM_CHECK(waitpid(pid, &proc->status, 0) == pid);
		atomic_fetch_add(&storm->procs_done, 1);
	}
	storm_rest();
}

/* ---- messages ---- */

/*
 * Every tenth is followed by a send that might be the body of a v1 call, which is shown for the
 * parser to say so, and by one that is filtered.
 */
static inline void storm_talker(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	int listening = socket(AF_INET, SOCK_STREAM, 0), fd;
	socklen_t len = sizeof(here);
	char text[128];

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	STORM_CHECK(bind(listening, (void *)&here, sizeof(here)) == 0 &&
		    listen(listening, 8) == 0 && getsockname(listening, (void *)&here, &len) == 0);
	storm->talk_port = ntohs(here.sin_port);
	fd = accept(listening, NULL, NULL);
	for (uint32_t i = 0; i < storm->n_messages; i++) {
		int n = snprintf(text, sizeof(text),
				 "POST /slave(1)/x.Y HTTP/1.1\r\n"
				 "Libprocess-From: executor(%u)@127.0.0.1:1\r\n\r\n",
				 i);

		STORM_CHECK(send(fd, text, (size_t)n, 0) == n);
		STORM_CHECK(i % 10 || send(fd, "a body? ", 8, 0) == 8);
		STORM_CHECK(i % 10 || send(fd, "and more", 8, 0) == 8);
		atomic_fetch_add(&storm->messages_done, 1);
	}
	storm_rest();
}

/* Stops reading after each 256 KiB, so that the sender has to wait in the middle of sends.
 */
static inline void storm_reader(void)
{
	struct order to = { .act = ACT_CONNECT, .family = AF_INET };
	struct sockaddr_storage address;
	char buf[65536];
	socklen_t len;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	storm_wait(&storm->talk_port);
	to.number = (int)storm->talk_port;
	len = actor_address(&to, &address);
	STORM_CHECK(connect(fd, (void *)&address, len) == 0);
	atomic_fetch_add(&storm->workers_done, 1);
	for (size_t read = 0; read < SIZE_MAX;) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		STORM_CHECK(n > 0);
		if ((read + (size_t)n) >> 18 != read >> 18)
			poll(NULL, 0, 2);
		read += (size_t)n;
	}
}

#define STORM_WORKERS (STORM_CLIENTS + 4)

/* ---- all of it ---- */

static inline pid_t worker_new(void (*live)(void))
{
	pid_t pid = child_new();

	if (pid == 0) {
		close_range(3, ~0U, 0);
		storm_wait(&storm->go);
		live();
		_exit(1);
	}
	return pid;
}

static inline pid_t client_new(uint32_t which)
{
	pid_t pid = child_new();

	if (pid == 0) {
		close_range(3, ~0U, 0);
		storm_wait(&storm->go);
		storm_client(which);
	}
	return pid;
}

/* The processes exist, in the test's network namespace, and wait. Free with storm_end(). */
static inline void storm_new(uint16_t port)
{
	static const enum conn_how hows[] = { CONN_CLOSED,	    CONN_RESET_BY_CLIENT,
					      CONN_CLOSED,	    CONN_OPEN,
					      CONN_CLOSED,	    CONN_RESET_BY_SERVER,
					      CONN_CLOSED,	    CONN_CLOSED,
					      CONN_RESET_BY_CLIENT, CONN_RESET_BY_SERVER };
	uint32_t part = storm_is_full() ? 1 : 10;

	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(storm, MAP_FAILED);
	storm->port = port;
	storm->n_conns = STORM_CONNS / part;
	storm->n_procs = STORM_PROCS / part;
	storm->n_messages = STORM_MESSAGES / part;
	for (uint32_t i = 0; i < storm->n_conns; i++)
		storm->conns[i].how = hows[i % 10];
	for (uint32_t i = 0; i < storm->n_procs; i++)
		storm->procs[i] = (struct storm_proc){ .how = i % 4, .number = i };
	storm->agent = worker_new(storm_agent);
	for (uint32_t i = 0; i < STORM_CLIENTS; i++)
		storm->clients[i] = client_new(i);
	storm->parent = worker_new(storm_parent);
	storm->parent_start = start_of(storm->parent);
	storm->talker = worker_new(storm_talker);
	storm->talker_start = start_of(storm->talker);
	storm->reader = worker_new(storm_reader);
}

static inline void storm_end(void)
{
	pid_t all[STORM_WORKERS] = { storm->agent, storm->parent, storm->talker, storm->reader };
	int status;

	for (int i = 0; i < STORM_CLIENTS; i++)
		all[4 + i] = storm->clients[i];
	for (int i = 0; i < STORM_WORKERS; i++) {
		kill(all[i], SIGKILL);
		waitpid(all[i], &status, 0);
	}
	munmap(storm, sizeof(*storm));
	storm = NULL;
}

/* Progress of the storm, in percent: of the slowest of its three parts. */
static inline uint32_t storm_percent(void)
{
	uint32_t conns = atomic_load(&storm->conns_done) * 100 / storm->n_conns;
	uint32_t procs = atomic_load(&storm->procs_done) * 100 / storm->n_procs;
	uint32_t messages = atomic_load(&storm->messages_done) * 100 / storm->n_messages;
	uint32_t least = conns < procs ? conns : procs;

	return least < messages ? least : messages;
}

static inline bool storm_is_over(void)
{
	if (atomic_load(&storm->failed))
		fail_msg("a process of the storm failed at line %u", atomic_load(&storm->failed));
	return atomic_load(&storm->workers_done) == STORM_WORKERS;
}

/* Changes of TCP state; forks, execs, signals and exits. */
static inline uint64_t storm_life_made(void)
{
	uint64_t made = 1 + 2; /* the agent listens; the talker listens and accepts */

	for (uint32_t i = 0; i < storm->n_conns; i++)
		made += conn_changes[storm->conns[i].how];
	for (uint32_t i = 0; i < storm->n_procs; i++)
		made += storm->procs[i].how == PROC_EXITS ? 2 : 3;
	return made;
}

#endif
