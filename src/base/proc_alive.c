/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/dirents.h"

static bool is_live(const struct proc_stat *stat)
{
	return stat->state != 'Z' && stat->state != 'X' && !(stat->flags & PROC_EXITING);
}

static int thread_stat(pid_t pid, pid_t tid, struct proc_stat *ret)
{
	char path[PROC_PATH_MAX];

	return proc_stat_read(AT_FDCWD, proc_path(path, pid, tid, "stat"), ret);
}

/* As proc_live_thread(), for a process whose first thread does not qualify. */
static pid_t other_live_thread(pid_t pid)
{
	struct dirents threads;
	struct proc_stat stat;
	char path[PROC_PATH_MAX];
	pid_t tid;
	int err = dirents_open(&threads, AT_FDCWD, proc_path(path, pid, 0, "task"));

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	while ((tid = dirents_next(&threads)) > 0) {
		err = thread_stat(pid, tid, &stat);
		if (!err && is_live(&stat))
			break;
		if (err < 0 && !proc_is_gone(err)) {
			tid = err;
			break;
		}
	}
	dirents_close(&threads);
	return proc_is_gone(tid) ? 0 : tid;
}

pid_t proc_live_thread_from(pid_t pid, const struct proc_stat *first)
{
	return is_live(first) ? pid : other_live_thread(pid);
}

pid_t proc_live_thread(pid_t pid, uint64_t start)
{
	struct proc_stat stat;
	int err = proc_stat_of(pid, &stat);

	if (err < 0)
		return proc_is_gone(err) ? 0 : err;
	return start && stat.start != start ? 0 : proc_live_thread_from(pid, &stat);
}

/* The first thread stays as a zombie until the others have ended. task has a link for each. */
static bool is_alone(int dir, const struct proc_stat *first)
{
	struct stat task;

	if (first->state != 'Z' && first->state != 'X')
		return false;
	return fstatat(dir, "task", &task, 0) < 0 ? proc_is_gone(-errno) : task.st_nlink <= 3;
}

bool proc_has_ended(pid_t pid, uint64_t start)
{
	int dir = proc_open(pid), err;
	struct proc_stat first;
	bool ended;

	if (dir < 0)
		return proc_is_gone(dir);
	err = proc_stat_read(dir, "stat", &first);
	if (err < 0)
		ended = proc_is_gone(err);
	else
		ended = first.start != start || is_alone(dir, &first);
	close(dir);
	return ended;
}
