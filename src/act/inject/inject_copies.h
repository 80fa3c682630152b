/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Copies of the socket that an injection by ptrace may leave in other processes. For some 100 us
 * the target has a duplicate of its descriptor. A child that another of its threads forks meanwhile
 * inherits the duplicate (Linux has no close-on-fork), does not know of it, and keeps it until it
 * executes a program or ends: until then the target's own close sends no FIN.
 */
#ifndef EW_ACT_INJECT_INJECT_COPIES_H
#define EW_ACT_INJECT_INJECT_COPIES_H

#include <stdbool.h>
#include <sys/types.h>

struct inject_dups;
struct inject_request;

/*
 * The process or thread id that was given out last in the caller's pid namespace, of all processes
 * that are visible in it; 0: not known.
 */
pid_t inject_copies_last_pid(void);

/* Notes a number before the target duplicates its descriptor to it. */
void inject_copies_note(struct inject_dups *dups, int fd);

struct inject_copies {
	int n;	   /* processes that hold an inherited duplicate; -1: not known */
	int left;  /* of these: those that keep the connection open; -1: not known */
	pid_t pid; /* one of them, and the number that it holds; 0: none */
	int fd;
	pid_t other; /* besides, this process holds the socket by itself; 0: none */
};

/*
 * Looks for copies. A fork that was under way during the injection shows only when it is over:
 * INJECT_COPIES_WAIT after the injection. closed: the target has closed the socket. If then nobody
 * but the copies holds it, the connection is ended in place of the target's close (a FIN is sent
 * through the socket of a copy, Linux 5.6): the copies are of no consequence any more.
 */
#define INJECT_COPIES_WAIT (2 * NS_PER_MS)
void inject_copies_settle(const struct inject_request *request, const struct inject_dups *dups,
			  bool closed, struct inject_copies *ret);

/*
 * The same where the injecting process was killed, so that nothing is known of its duplicates: any
 * number but the request's own, in any other process, counts as a copy.
 */
void inject_copies_search(const struct inject_request *request, bool closed,
			  struct inject_copies *ret);

#endif
