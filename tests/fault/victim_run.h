/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Starts a victim, checks its health, ends it. For the fault campaign, unit tests and benches. */
#ifndef EW_VICTIM_RUN_H
#define EW_VICTIM_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "victim.h"

struct inject_request;

struct victim {
	pid_t pid; /* 0: not started */
	int page_fd;
	int input; /* its standard input: one byte for each ping */
	struct victim_page *page;
	/* Inherited connections: ours[i] is descriptor VICTIM_LINK_FD + i of the victim. */
	int n_links;
	int ours[VICTIM_LINKS], peers[VICTIM_LINKS];
	int calls; /* counts its shutdown() calls, exactly; -1: not counted */
};

/* The result of one ping. Counters are sums over all threads since the victim started. */
struct victim_health {
	bool alive;    /* the process exists and is no zombie */
	bool stopped;  /* job control or trace stop */
	bool answered; /* every thread answered in time */
	bool link_shut;
	unsigned bad, eintr, odd, decoys_hit;
	char detail[96]; /* the first fault found */
};

/* argv[0]: path of the program. Waits until it is ready. False: it did not start. */
bool victim_start(struct victim *v, const char *const *argv);

/*
 * The id of a tracepoint, such as "syscalls/sys_enter_shutdown", or -1. Mounts tracefs in a mount
 * namespace of its own if it is not mounted.
 */
int victim_tracepoint(const char *name);

/* Starts to count a tracepoint in pid (0: this process) and its future children. -1: cannot. */
int victim_count(pid_t pid, int tracepoint);

/* The count; -1: not counted. */
int64_t victim_counted(int counter);

/*
 * As victim_start(), with n_links inherited connections (at most VICTIM_LINKS). tracepoint: the id
 * of syscalls/sys_enter_shutdown, or -1.
 */
bool victim_start_with(struct victim *v, const char *const *argv, int n_links, int tracepoint);

/* A TCP connection over the loopback: returns one end, or -1. Both are close-on-exec. */
int victim_connect(int *ret_other);

/* Asks all threads to answer; waits up to timeout_ms. */
void victim_ping(struct victim *v, int timeout_ms, struct victim_health *ret);

/* A request for the victim's own link. */
void victim_target(const struct victim *v, struct inject_request *ret);

/* A request for one of the inherited connections. */
void victim_link_target(const struct victim *v, int link, struct inject_request *ret);

/* Which of these connections have been shut down for reading: bit i is connection i. */
uint32_t victim_links_shut(const struct victim *v);

/* Waits until n descriptors of the victim refer to this connection. */
bool victim_await_descriptors(const struct victim *v, int link, int n, int timeout_ms);

/*
 * Makes the victim close its descriptor of this connection, and closes the one here. The connection
 * cannot be used afterwards. False: the victim has not answered within timeout_ms.
 */
bool victim_close_link(struct victim *v, int link, int timeout_ms);

/* The other end of the connection has received a FIN within timeout_ms: no copy was left. */
bool victim_await_fin(const struct victim *v, int link, int timeout_ms);

/* Starts the forks of threads of kind "keeps"; ends them, and waits for the children. */
void victim_forks_begin(struct victim *v);
void victim_forks_end(struct victim *v, int timeout_ms);

/* How often the victim has called shutdown() since it started; -1: not counted. */
int64_t victim_calls(const struct victim *v);

/* Kills the victim and frees what belongs to it. Harmless if it was not started. */
void victim_stop(struct victim *v);

/* State letter of a thread from /proc; 0: gone. */
char victim_state(pid_t pid, pid_t tid);

/* Waits until thread tid of v has the given state ('S' asleep), up to timeout_ms. */
bool victim_await_state(const struct victim *v, pid_t tid, char state, int timeout_ms);

#endif
