/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/dirents.h"
#include "base/now.h"
#include "base/proc.h"

/* How long a thread must have stayed in its state; the agent waits 2 s for executors. */
#define STAY_TRACED (100 * NS_PER_MS)
#define STAY_ASLEEP (2 * NS_PER_S)

static int64_t stay(char state)
{
	return state == 't' ? STAY_TRACED : STAY_ASLEEP;
}

void procfs_state_begin(struct stuck_threads *stuck)
{
	size_t kept = 0;

	for (size_t i = 0; i < stuck->n; i++) {
		stuck->v[i].settled = false;
		if (stuck->v[i].scan == stuck->scan)
			stuck->v[kept++] = stuck->v[i];
	}
	stuck->n = kept;
	stuck->again = false;
	stuck->scan++;
}

void procfs_state_clear(struct stuck_threads *stuck)
{
	free(stuck->v);
	*stuck = (struct stuck_threads){ 0 };
}

static struct stuck_thread *stuck_find(struct stuck_threads *stuck, int32_t pid, uint64_t start,
				       int32_t tid)
{
	for (size_t i = 0; i < stuck->n; i++)
		if (stuck->v[i].pid == pid && stuck->v[i].start == start && stuck->v[i].tid == tid)
			return &stuck->v[i];
	return NULL;
}

static struct stuck_thread *stuck_add(struct stuck_threads *stuck, int32_t pid, uint64_t start,
				      int32_t tid)
{
	if (array_reserve(&stuck->v, &stuck->cap, stuck->n, sizeof(*stuck->v)) < 0)
		return NULL;
	stuck->v[stuck->n] = (struct stuck_thread){
		.pid = pid, .start = start, .tid = tid, .settled = stuck->again
	};
	return &stuck->v[stuck->n++];
}

/* Adds one look at a thread that is in state t or D. */
static const struct stuck_thread *stuck_look(struct stuck_threads *stuck, int32_t pid,
					     uint64_t start, int32_t tid, char state,
					     uint64_t switches)
{
	struct stuck_thread *thread = stuck_find(stuck, pid, start, tid);
	bool seen = thread != NULL;

	if (!thread)
		thread = stuck_add(stuck, pid, start, tid);
	if (!thread)
		return NULL;
	if (!seen || thread->state != state || thread->switches != switches) {
		thread->passing = seen;
		thread->state = state;
		thread->switches = switches;
		thread->since = now_mono();
	}
	thread->scan = stuck->scan;
	return thread;
}

static int rank(char state)
{
	return state == 'T' ? 3 : state == 't' ? 2 : state == 'D' ? 1 : 0;
}

bool procfs_state_is_stuck(const struct proc_stat *leader)
{
	return rank(leader->state) > 0;
}

/* One that is worse, or has been so for longer, stands for the process. */
static void take(struct procfs_state *state, char letter, int64_t in_state)
{
	if (rank(letter) < rank(state->letter[0]) ||
	    (rank(letter) == rank(state->letter[0]) && in_state <= state->in_state))
		return;
	state->letter[0] = letter;
	state->in_state = in_state;
}

/* Returns 0 or a negative errno. */
static int stuck_read(int dir, int32_t pid, uint64_t start, int32_t tid, char letter,
		      struct stuck_threads *stuck, struct procfs_state *state)
{
	const struct stuck_thread *thread;
	struct proc_status status;
	char name[PROC_PATH_MAX];
	int err;

	snprintf(name, sizeof(name), "task/%d/status", tid);
	err = proc_status_read(dir, name, &status);
	if (err < 0)
		return err;
	if (status.tracer)
		state->tracer = status.tracer;
	thread = stuck ? stuck_look(stuck, pid, start, tid, letter, status.switches) : NULL;
	if (!thread)
		take(state, letter, 0);
	else if (letter != 't' || !thread->passing)
		take(state, letter, now_mono() - thread->since);
	return 0;
}

/* The first thread's state stands in the stat file of the process (fs/proc/array.c). */
static int thread_letter(int dir, int32_t pid, const struct proc_stat *leader, int32_t tid,
			 char *letter)
{
	struct proc_stat stat;
	char name[PROC_PATH_MAX];
	int err;

	*letter = leader->state;
	if (tid == pid)
		return 0;
	snprintf(name, sizeof(name), "task/%d/stat", tid);
	err = proc_stat_read(dir, name, &stat);
	*letter = err ? '\0' : stat.state;
	return err;
}

/* 0, or why not every thread that lives was looked at: a negative errno. */
static int threads_read(int dir, int32_t pid, const struct proc_stat *leader,
			struct stuck_threads *stuck, struct procfs_state *state)
{
	struct dirents threads;
	int tid, err = dirents_open(&threads, dir, "task");
	int unread = 0;
	char letter;

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	while ((tid = dirents_next(&threads)) > 0) {
		err = thread_letter(dir, pid, leader, tid, &letter);
		if (letter == 'T')
			take(state, 'T', 0);
		else if (letter == 't' || letter == 'D')
			err = stuck_read(dir, pid, leader->start, tid, letter, stuck, state);
		if (err && !proc_is_gone(err))
			unread = err;
	}
	dirents_close(&threads);
	return unread || proc_is_gone(tid) ? unread : tid; /* -ENOENT: the list's end */
}

int procfs_state_read(int dir, int32_t pid, const struct proc_stat *leader,
		      struct stuck_threads *stuck, struct procfs_state *ret)
{
	struct proc_status status;
	int err;

	/* What the first thread is in for a moment is no state of the process. */
	*ret = (struct procfs_state){ .letter = { procfs_state_is_stuck(leader) ? 'S'
										: leader->state } };
	if (proc_status_read(dir, "status", &status) == 0)
		ret->tracer = status.tracer;
	/* One that was not looked at may be the one that stands still. */
	err = threads_read(dir, pid, leader, stuck, ret);
	if (!err || rank(ret->letter[0]))
		return 0;
	ret->letter[0] = '\0';
	return err;
}

/* Whether it is where it was when it was last looked at. */
static bool stays(const struct stuck_thread *thread)
{
	struct proc_status status;
	struct proc_stat stat;
	char path[PROC_PATH_MAX];

	return proc_stat_read(AT_FDCWD, proc_path(path, thread->pid, thread->tid, "stat"), &stat) ==
		       0 &&
	       stat.state == thread->state &&
	       proc_status_read(AT_FDCWD, proc_path(path, thread->pid, thread->tid, "status"),
				&status) == 0 &&
	       status.switches == thread->switches;
}

/* One look at a process is one at all its threads. */
static void settle(struct stuck_threads *stuck, const struct stuck_thread *thread)
{
	char state = thread->state;
	int32_t pid = thread->pid;

	for (size_t i = 0; i < stuck->n; i++)
		if (stuck->v[i].pid == pid && stuck->v[i].state == state)
			stuck->v[i].settled = true;
}

bool procfs_state_due(struct stuck_threads *stuck, int32_t *pid)
{
	int64_t now = now_mono();
	bool more = false;

	*pid = 0;
	stuck->again = true;
	for (size_t i = 0; i < stuck->n; i++) {
		struct stuck_thread *thread = &stuck->v[i];

		if (thread->settled || thread->scan != stuck->scan)
			continue;
		if (!thread->passing && now - thread->since < stay(thread->state) &&
		    stays(thread)) {
			more = true;
			continue;
		}
		settle(stuck, thread);
		*pid = thread->pid;
		return true;
	}
	return more;
}
