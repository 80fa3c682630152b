/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/inject/inject_copies.h"
#include "act/inject/inject_api.h"
#include "base/dirents.h"
#include "base/now.h"
#include "base/pidfd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	BIRTHS_MAX = 20000, /* ids to look at, some 30 ms */
	COPIES_KEPT = 16,   /* any one of them serves */
	FIRST_PID = 300,    /* the lowest id after a wrap: RESERVED_PIDS, kernel/pid.c */
};

#define CLOSE_WAIT (100 * NS_PER_MS) /* until the target's thread has closed its duplicate */

/* ---- which processes were born during the injection ---- */

/* One line of a file of proc(5) itself: a container's may be another program's (lxcfs). */
static bool read_proc_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	ssize_t n = -1;

	if (fd < 0)
		return false;
	if (fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC)
		n = read(fd, buf, size - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

pid_t inject_copies_last_pid(void)
{
	char line[128], *last;

	if (!read_proc_line("/proc/loadavg", line, sizeof(line)))
		return 0;
	last = strrchr(line, ' ');
	return last ? (pid_t)strtol(last + 1, NULL, 10) : 0;
}

void inject_copies_note(struct inject_dups *dups, int fd)
{
	for (int i = 0; i < dups->n; i++)
		if (dups->fd[i] == fd)
			return;
	if (dups->n < INJECT_DUPS_MAX)
		dups->fd[dups->n++] = fd;
	else
		dups->last_pid = 0; /* not all are known */
}

/* Ids are given out in ascending order; after the highest one they begin anew. */
struct births {
	pid_t after, last; /* born: after < id <= last */
	pid_t end;	   /* above the highest id */
};

static bool births_read(pid_t after, struct births *ret)
{
	char line[32];

	*ret = (struct births){ after, inject_copies_last_pid(), 0 };
	if (!after || !ret->last || !read_proc_line("/proc/sys/kernel/pid_max", line, sizeof(line)))
		return false;
	ret->end = (pid_t)strtol(line, NULL, 10);
	return true;
}

static bool births_have(const struct births *births, pid_t pid)
{
	if (births->after <= births->last)
		return pid > births->after && pid <= births->last;
	return pid > births->after || pid <= births->last;
}

/* The next id that was given out after pid; 0: there is none. */
static pid_t births_next(const struct births *births, pid_t pid)
{
	if (pid == births->last)
		return 0;
	return pid + 1 < births->end ? pid + 1 : FIRST_PID;
}

/* ---- who holds the socket ---- */

struct holder {
	pid_t pid;
	int fd;
};

/* What was found. */
struct look {
	const struct inject_request *request;
	const struct inject_dups *dups; /* NULL: any number but the request's */
	struct births births;
	bool complete;
	int n; /* copies; the first ones: */
	struct holder copies[COPIES_KEPT];
	pid_t other; /* a process that holds the socket otherwise; 0: none */
};

static bool is_dup(const struct look *look, int fd)
{
	if (!look->dups)
		return fd != look->request->fd;
	for (int i = 0; i < look->dups->n; i++)
		if (look->dups->fd[i] == fd)
			return true;
	return false;
}

static bool holds(const struct look *look, pid_t pid, pid_t tid, int fd)
{
	uint64_t inode;

	return proc_thread_socket(pid, tid, fd, &inode) == 0 && inode == look->request->inode;
}

static void add_copy(struct look *look, pid_t pid, int fd)
{
	if (look->n < COPIES_KEPT)
		look->copies[look->n] = (struct holder){ pid, fd };
	look->n++;
}

static bool is_process(pid_t id)
{
	char path[PROC_PATH_MAX];
	struct proc_status status;

	return proc_status_read(AT_FDCWD, proc_path(path, id, 0, "status"), &status) == 0 &&
	       status.tgid == id;
}

/*
 * The kernel copies the descriptors of a forking process first, then its memory, and gives out the
 * new id last (copy_process(), Linux 6.1). The memory is copied under the lock of the memory map,
 * which any access from outside waits for.
 */
static void await_forks(pid_t pid)
{
	char byte;
	struct iovec to = { &byte, 1 }, from = { (void *)4096, 1 };

	process_vm_readv(pid, &to, 1, &from, 1, 0);
}

/* Of the processes born since the first duplicate: those that hold one. */
static void look_at_births(struct look *look)
{
	int n = 0;

	await_forks(look->request->pid);
	look->complete = births_read(look->dups->last_pid, &look->births);
	for (pid_t pid = look->births.after;
	     look->complete && (pid = births_next(&look->births, pid));) {
		if (++n > BIRTHS_MAX)
			look->complete = false;
		for (int i = 0; i < look->dups->n; i++)
			if (holds(look, pid, pid, look->dups->fd[i]) && is_process(pid))
				add_copy(look, pid, look->dups->fd[i]);
	}
}

static void look_at_descriptors(struct look *look, pid_t pid, pid_t tid)
{
	char path[PROC_PATH_MAX];
	struct dirents fds;
	int fd, err = dirents_open(&fds, AT_FDCWD, proc_path(path, pid, tid, "fd"));

	while (!err && (fd = dirents_next(&fds)) >= 0) {
		if (!holds(look, pid, tid, fd))
			continue;
		if (is_dup(look, fd) && (!look->dups || births_have(&look->births, pid)))
			add_copy(look, pid, fd);
		else
			look->other = pid;
	}
	if (!err)
		dirents_close(&fds);
	if (err && !proc_is_gone(err))
		look->complete = false;
}

/* All processes of the host but the target. */
static void look_at_all(struct look *look)
{
	struct dirents processes;
	int pid, err = dirents_open(&processes, AT_FDCWD, "/proc");

	look->n = 0;
	look->other = 0;
	look->complete = !err;
	while (!err && (pid = dirents_next(&processes)) > 0) {
		pid_t live = pid == look->request->pid ? 0 : proc_live_thread(pid, 0);

		if (live > 0)
			look_at_descriptors(look, pid, live);
		else if (live < 0)
			look->complete = false;
	}
	if (!err)
		dirents_close(&processes);
}

/* ---- the connection of copies ---- */

static bool is_requested(const struct inject_request *request, int copy)
{
	socklen_t len = sizeof(uint64_t);
	uint64_t cookie = 0;
	struct stat st;

	if (fstat(copy, &st) < 0 || st.st_ino != request->inode)
		return false;
	return !request->cookie || (getsockopt(copy, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 &&
				    cookie == request->cookie);
}

/* Returns 0; -ESRCH: the process does not hold it any more; or another negative errno. */
static int end_through(const struct inject_request *request, const struct holder *holder)
{
	int pidfd = ew_pidfd_open(holder->pid, false), copy, err = 0;

	if (pidfd < 0)
		return pidfd;
	copy = ew_pidfd_getfd(pidfd, holder->fd);
	close(pidfd);
	if (copy < 0)
		return copy == -EBADF ? -ESRCH : copy;
	if (!is_requested(request, copy))
		err = -ESRCH;
	else if (shutdown(copy, SHUT_WR) < 0 && errno != ENOTCONN) /* reset: it has ended */
		err = -errno;
	close(copy);
	return err;
}

/* What the target's close would have done, had it had the only descriptors. */
static bool end_connection(const struct look *look)
{
	for (int i = 0; i < look->n && i < COPIES_KEPT; i++) {
		int err = end_through(look->request, &look->copies[i]);

		if (err != -ESRCH)
			return err == 0;
	}
	return look->n <= COPIES_KEPT; /* no copy is held any more */
}

/* The thread closes its duplicates when it runs on, normally at once. */
static bool target_has_closed_dups(const struct look *look)
{
	static const struct timespec pause = { .tv_nsec = 100000 };
	const struct inject_request *request = look->request;
	int64_t until = now_mono() + CLOSE_WAIT;

	do {
		pid_t live = proc_live_thread(request->pid, request->start);
		int n = 0;

		for (int i = 0; live > 0 && i < look->dups->n; i++)
			n += holds(look, request->pid, live, look->dups->fd[i]);
		if (live >= 0 && n == 0)
			return true;
		nanosleep(&pause, NULL);
	} while (now_mono() < until);
	return false;
}

static void settle(struct look *look, bool closed, struct inject_copies *ret)
{
	bool found = look->complete && look->n > 0;

	if (found && closed)
		look_at_all(look);
	*ret = (struct inject_copies){ -1, -1, 0, 0, look->other };
	if (!look->complete)
		return;
	ret->n = ret->left = look->n;
	if (look->n == 0)
		return;
	ret->pid = look->copies[0].pid;
	ret->fd = look->copies[0].fd;
	if (closed && !look->other && end_connection(look))
		ret->left = 0;
}

void inject_copies_settle(const struct inject_request *request, const struct inject_dups *dups,
			  bool closed, struct inject_copies *ret)
{
	struct look look = { .request = request, .dups = dups };

	*ret = (struct inject_copies){ 0 };
	if (!dups->n)
		return;
	if (target_has_closed_dups(&look))
		look_at_births(&look);
	settle(&look, closed, ret);
}

void inject_copies_search(const struct inject_request *request, bool closed,
			  struct inject_copies *ret)
{
	struct look look = { .request = request };

	look_at_all(&look);
	settle(&look, closed, ret);
}
