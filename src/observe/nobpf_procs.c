/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/nobpf_procs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/error.h"
#include "base/netns.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/netlink/proc_connector.h"
#include "observe/netlink/sockdiag_destroy.h"
#include "observe/proc/pidfd_exit.h"

/*
 * The threads of a process that is killed or exits end within moments of each other. If the process
 * outlives its leader by more, the leader's exit status need not be the process' own.
 */
#define TOGETHER (2 * NS_PER_S)

/* How long after the pidfd the connector's event of an exit may come; nearly always below 1 ms. */
#define CONNECTOR_LAG (NS_PER_S / 10)

struct followed {
	int32_t pid;
	uint64_t start;
	int64_t added;
	unsigned int generations;
	int pidfd;	/* -1: none */
	uint64_t netns; /* joined for its sockets; 0: none */
	char comm[64];
	bool ended;	  /* its pidfd was readable */
	int64_t ended_at; /* when that was seen */
	bool leader_ended;
	int64_t leader_ended_at;
	int32_t leader_status;
	bool outlived; /* a thread was seen alive after the leader had ended */
	UT_hash_handle hh;
};

struct nobpf_procs {
	int epoll;
	struct sockdiag_destroy *destroy;
	struct followed *all;
	size_t n_ending; /* processes that have ended, or whose leader has */
};

struct nobpf_procs *nobpf_procs_new(int epoll, struct sockdiag_destroy *destroy)
{
	struct nobpf_procs *procs = calloc(1, sizeof(*procs));

	if (procs) {
		procs->epoll = epoll;
		procs->destroy = destroy;
	}
	return procs;
}

static struct followed *find(const struct nobpf_procs *procs, int32_t pid)
{
	struct followed *w;

	HASH_FIND(hh, procs->all, &pid, sizeof(pid), w);
	return w;
}

static void remove_process(struct nobpf_procs *procs, struct followed *w)
{
	if (w->pidfd >= 0)
		close(w->pidfd);
	if (w->netns)
		sockdiag_destroy_leave(procs->destroy, w->netns);
	procs->n_ending -= w->ended || w->leader_ended;
	HASH_DEL(procs->all, w);
	free(w);
}

void nobpf_procs_free(struct nobpf_procs *procs)
{
	struct followed *w, *next;

	if (!procs)
		return;
	HASH_ITER(hh, procs->all, w, next)
	remove_process(procs, w);
	free(procs);
}

/* Where pidfds are not supported, the proc connector and /proc serve. */
static int pidfd_watch(struct nobpf_procs *procs, struct followed *w, struct error *error)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint64_t)w->pid };

	w->pidfd = ew_pidfd_open(w->pid, false);
	if (w->pidfd == -EMFILE || w->pidfd == -ENFILE)
		return error_set(error, w->pidfd, "raise the limit of open files (ulimit -n)",
				 "watch process %d", w->pid);
	if (w->pidfd >= 0 && epoll_ctl(procs->epoll, EPOLL_CTL_ADD, w->pidfd, &event) < 0)
		return error_set(error, -errno, NULL, "watch process %d", w->pid);
	return 0;
}

static struct followed *insert(struct nobpf_procs *procs, int32_t pid, unsigned int generations)
{
	struct followed *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->pid = pid;
	w->pidfd = -1;
	w->added = now_mono();
	w->generations = generations;
	HASH_ADD(hh, procs->all, pid, sizeof(w->pid), w);
	if (w->hh.tbl)
		return w;
	free(w);
	return NULL;
}

static int netns_follow(struct nobpf_procs *procs, struct followed *w, struct error *error)
{
	uint64_t inode;
	int nsfd = netns_open_pid(w->pid, &inode), err;

	if (nsfd == -ENOENT || nsfd == -ESRCH)
		return 0; /* the process has exited, which is seen next */
	if (nsfd < 0)
		return error_set(error, nsfd, "run as root",
				 "open the network namespace of process %d", w->pid);
	err = sockdiag_destroy_join(procs->destroy, inode, nsfd, error);
	close(nsfd);
	if (!err)
		w->netns = inode;
	return err;
}

int nobpf_procs_add(struct nobpf_procs *procs, int32_t pid, uint64_t start,
		    unsigned int generations, struct error *error)
{
	struct followed *w = find(procs, pid);
	struct proc_stat stat;
	int err, err_stat, err_netns;

	if (w && w->start == start) {
		w->generations = generations > w->generations ? generations : w->generations;
		return 0;
	}
	if (w)
		remove_process(procs, w);
	w = insert(procs, pid, generations);
	if (!w)
		return error_set(error, -ENOMEM, NULL, "watch process %d", pid);
	err = pidfd_watch(procs, w, error);
	/* After pidfd_open: the pidfd then refers to the process with this start time, or to a
	 * later one. */
	err_stat = proc_stat_of(pid, &stat);
	if (err_stat < 0 || stat.start != start) {
		remove_process(procs, w);
		if (!err_stat || proc_is_gone(err_stat))
			return 0;
		return err ? err : error_set(error, err_stat, NULL, "watch process %d", pid);
	}
	w->start = start;
	snprintf(w->comm, sizeof(w->comm), "%s", stat.comm);
	err_netns = netns_follow(procs, w, err ? NULL : error);
	return err ? err : err_netns;
}

/*
 * The event has no start time, and /proc shows the present: a process that started after the event
 * is another one, which has reused the pid. Start times include suspended time; a suspension
 * meanwhile only makes this check lenient.
 */
static bool started_before(const struct proc_stat *stat, int64_t mono)
{
	int64_t tick = NS_PER_S / sysconf(_SC_CLK_TCK);
	struct timespec boot;

	clock_gettime(CLOCK_BOOTTIME, &boot);
	mono += boot.tv_sec * NS_PER_S + boot.tv_nsec - now_mono();
	return (int64_t)stat->start <= mono / tick;
}

static void fork_emit(struct nobpf_procs *procs, const struct followed *parent,
		      const struct connector_event *event, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_FORK, .mono = event->mono };
	struct proc_stat stat = { 0 };
	struct followed *child;
	bool known = proc_stat_of(event->pid, &stat) == 0 && started_before(&stat, event->mono);

	fact.fork.pid = event->pid;
	fact.fork.parent = event->parent;
	fact.fork.start = known ? stat.start : 0;
	fact_emit(sink, &fact);
	if (!parent->generations || !known || find(procs, event->pid))
		return;
	child = insert(procs, event->pid, parent->generations - 1);
	if (!child)
		return;
	child->start = stat.start;
	child->added = event->mono;
	snprintf(child->comm, sizeof(child->comm), "%s", stat.comm);
}

static void exec_emit(struct followed *w, const struct connector_event *event,
		      const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_EXEC, .mono = event->mono };
	struct proc_stat stat;
	char exe[PATH_MAX] = "";
	int dir = proc_open(w->pid);
	bool deleted;

	if (dir >= 0 && proc_stat_read(dir, "stat", &stat) == 0 && stat.start == w->start) {
		snprintf(w->comm, sizeof(w->comm), "%s", stat.comm);
		proc_exe(dir, exe, sizeof(exe), &deleted);
	}
	if (dir >= 0)
		close(dir);
	fact.exec.pid = w->pid;
	fact.exec.start = w->start;
	fact.exec.comm = w->comm;
	fact.exec.filename = exe;
	fact_emit(sink, &fact);
}

/* Any thread may exec: the leader ends, and the thread continues with the leader's pid. */
static void leader_replaced(struct nobpf_procs *procs, struct followed *w)
{
	procs->n_ending -= w->leader_ended && !w->ended;
	w->leader_ended = false;
	w->outlived = false;
}

static void leader_ended(struct nobpf_procs *procs, struct followed *w,
			 const struct connector_event *event)
{
	procs->n_ending += !w->leader_ended && !w->ended;
	w->leader_ended = true;
	w->leader_ended_at = event->mono;
	w->leader_status = event->status;
}

void nobpf_procs_consume(struct nobpf_procs *procs, const struct connector_event *event,
			 const struct fact_sink *sink)
{
	struct followed *w =
		find(procs, event->what == CONNECTOR_FORK ? event->parent : event->pid);

	if (!w || event->mono < w->added) /* of an earlier process with this pid */
		return;
	if (event->what == CONNECTOR_FORK) {
		fork_emit(procs, w, event, sink);
	} else if (event->what == CONNECTOR_EXEC) {
		leader_replaced(procs, w);
		exec_emit(w, event, sink);
	} else {
		leader_ended(procs, w, event);
	}
}

void nobpf_procs_ended(struct nobpf_procs *procs, int32_t pid)
{
	struct followed *w = find(procs, pid);

	if (!w)
		return;
	procs->n_ending += !w->leader_ended && !w->ended;
	if (!w->ended)
		w->ended_at = now_mono();
	w->ended = true;
}

static bool is_gone(const struct followed *w)
{
	if (w->pidfd >= 0)
		return w->ended || ew_pidfd_has_ended(w->pidfd);
	return proc_has_ended(w->pid, w->start);
}

/* Only the connector will tell its exit status, and its event is on the way. */
static bool status_comes(const struct followed *w, int64_t now)
{
	return w->ended && !w->leader_ended && now - w->ended_at < CONNECTOR_LAG &&
	       pidfd_exit_status(w->pidfd, w->pid, w->start) < 0;
}

static void exit_emit(const struct followed *w, int64_t now, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_EXIT, .mono = now };
	bool together = w->leader_ended && (!w->outlived || now - w->leader_ended_at < TOGETHER);
	int32_t status = pidfd_exit_status(w->pidfd, w->pid, w->start);

	if (status < 0 && together)
		status = w->leader_status;
	if (together)
		fact.mono = w->leader_ended_at;
	fact.exit.pid = w->pid;
	fact.exit.start = w->start;
	fact.exit.comm = w->comm;
	fact.exit.status = status;
	fact.exit.signal = status >= 0 && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	fact_emit(sink, &fact);
}

void nobpf_procs_settle(struct nobpf_procs *procs, const struct fact_sink *sink)
{
	int64_t now = now_mono();
	struct followed *w, *next;

	if (!procs->n_ending)
		return;
	HASH_ITER(hh, procs->all, w, next)
	{
		if (!w->ended && !w->leader_ended)
			continue;
		if (status_comes(w, now))
			continue;
		if (is_gone(w)) {
			exit_emit(w, now, sink);
			remove_process(procs, w);
		} else {
			w->outlived = true;
		}
	}
}
