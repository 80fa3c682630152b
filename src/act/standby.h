/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread that waits for the end of a process, the agent, and then shuts down at once those of a
 * prepared list of links that are still ESTABLISHED.
 *
 * A pidfd becomes readable when the last thread of a process has closed its descriptors (Linux
 * 6.1, do_exit(): exit_files() and exit_task_work() before exit_notify()). What the end of the
 * agent tells its executors has then been sent, and over loopback received. Between that moment and
 * the last call the thread allocates nothing and writes no file of a disk: the list is in locked
 * memory, the processes are open as pidfds.
 */
#ifndef EW_ACT_STANDBY_H
#define EW_ACT_STANDBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "act/armed_file.h"
#include "act/inject/inject_api.h"

struct error;
struct standby;

/* One link of the list. */
struct standby_link {
	struct inject_request request; /* of one method, not INJECT_AUTO */
	int pidfd;		       /* of its process, closed with the list; -1: none */
	struct armed_record *record;   /* where its state is kept for the next execwatch */
	enum armed_state state;
	int64_t begun; /* when the call was begun, mono ns; 0: it was not */
	struct inject_result injected;
	struct inject_plan plan; /* of INJECT_PTRACE */
};

struct standby_options {
	pid_t agent_pid;
	uint64_t agent_start;
	/*
	 * For INJECT_PTRACE, used by threads from now on: as many links at a time, since on a busy
	 * host each waits for its process to be scheduled. Without any: links are only treated by
	 * INJECT_PIDFD.
	 */
	struct inject_worker *const *workers;
	size_t n_workers;
	/* Makes the plans of links to be treated by INJECT_PTRACE, for standby_arm(). May be NULL.
	 */
	struct inject_worker *planner;
	/*
	 * Does a socket that is not the agent's listen on its port? Then a new agent may have asked
	 * executors to reconnect. True also when that cannot be found out. Called by the thread.
	 */
	bool (*next_listens)(void *ctx);
	void *ctx;
};

/*
 * Starts the thread, with real-time priority where that is allowed. Errors: -ENOSYS where the
 * kernel lacks pidfd_open(2) or pidfd_getfd(2); -ESRCH: the agent has ended.
 */
int standby_new(const struct standby_options *options, struct standby **ret, struct error *error);
/* Ends the thread, after what it is doing. What it did can still be read. Twice is fine. */
void standby_stop(struct standby *standby);
/* The same, and frees. finished: the file is removed. NULL is fine. */
void standby_free(struct standby *standby, bool finished);

/* Is the thread scheduled before all that has no real-time priority? */
bool standby_is_first(const struct standby *standby);

/*
 * Gives the thread another list: n links with pidfd -1, which are copied, and the file that has
 * their records, which is taken over. A process that is not the one of its request any more, or
 * whose descriptor cannot be copied, is left out of what the thread treats: its state is
 * ARMED_LEFT. *armed: the thread has this list, also when an error is returned, which then says
 * that its file could not be named; else it has the list of before. Returns 0; -EALREADY when the
 * agent has ended meanwhile; another negative errno. *locked: the list is in locked memory.
 */
int standby_arm(struct standby *standby, const struct standby_link *links, size_t n,
		struct armed_file *file, bool *armed, bool *locked, struct error *error);

/* Readable once the thread has acted. */
int standby_fd(const struct standby *standby);
/* True then: the list is the caller's to read until standby_free(). */
bool standby_acted(struct standby *standby);
/* When the end of the agent was seen, mono ns; only after standby_acted(). */
int64_t standby_ended(const struct standby *standby);
const struct standby_link *standby_links(const struct standby *standby, size_t *n);

#endif
