/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/checkpoint.h"
#include "mesos/span.h"

static void run_forked_pid(struct checkpoint_scan *scan, int dir, int32_t *pid)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err;

	if (checkpoint_read(scan, dir, "pids/forked.pid", &file) < 0)
		return;
	err = mesos_checkpoint_pid(file, pid, &what);
	if (err < 0)
		checkpoint_damaged(scan, 0, "pids/forked.pid", err, &what);
	if (err == -EBADMSG)
		checkpoint_fatal(scan, "pids/forked.pid", what.message, EW_YES);
}

/* 0, or why there is none: -ENOENT, -ENODATA for an empty one. */
static int run_upid(struct checkpoint_scan *scan, int dir, int32_t pid, char *upid, size_t size)
{
	struct mesos_upid parsed;
	struct mesos_span file;
	struct error what = { 0 };
	int err = checkpoint_read(scan, dir, "pids/libprocess.pid", &file);

	if (err < 0)
		return err;
	err = mesos_checkpoint_upid(file, &parsed, &what);
	if (err < 0)
		checkpoint_damaged(scan, pid, "pids/libprocess.pid", err, &what);
	else
		mesos_span_copy(file, upid, size);
	return err;
}

/* Where a container's /proc shows a boot id of its own, an agent in it has written that one. */
static enum ew_tri own_boot(const struct checkpoint_scan *scan, int32_t pid)
{
	char path[PROC_PATH_MAX + 32], boot[64];
	ssize_t len;

	if (!scan->boot)
		return EW_UNKNOWN;
	if (!pid)
		return EW_NO;
	snprintf(path, sizeof(path), "/proc/%d/root/proc/sys/kernel/random/boot_id", pid);
	len = proc_read(AT_FDCWD, path, boot, sizeof(boot));
	if (len < 0)
		return proc_is_gone((int)len) ? EW_NO : EW_UNKNOWN;
	boot[strcspn(boot, "\n")] = '\0';
	return strcmp(boot, scan->boot) == 0 ? EW_YES : EW_NO;
}

static int64_t written_at(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
}

static void emit_run(struct checkpoint_scan *scan, int dir, const char *container_id)
{
	struct fact fact = { .type = FACT_CHECKPOINT, .mono = now_mono() };
	struct fact_checkpoint *run = &fact.checkpoint;
	struct checkpoint_tasks tasks;
	char upid[256] = "";
	struct stat st;
	int err;

	scan->container_id = container_id;
	run->slave_id = scan->slave_id;
	run->framework_id = scan->framework_id;
	run->executor_id = scan->executor_id;
	run->container_id = container_id;
	run->latest = true;
	run->completed = checkpoint_is_there(scan, dir, "executor.sentinel");
	if (run->completed && scan->former)
		return;
	run_forked_pid(scan, dir, &run->forked_pid);
	if (run->forked_pid)
		run->forked_wall = written_at(dir, "pids/forked.pid");
	err = run_upid(scan, dir, run->forked_pid, upid, sizeof(upid));
	run->upid = upid;
	/* The agent looks for the marker only where there is no libprocess.pid. */
	run->http = err != -ENODATA && checkpoint_is_there(scan, dir, "http.marker");
	run->own_boot = own_boot(scan, run->forked_pid);
	checkpoint_tasks_read(scan, dir, &tasks);
	run->recoverable = scan->need.met;
	run->obstacle = scan->need.obstacle;
	run->tasks = (const char *const *)tasks.names;
	run->n_tasks = tasks.n;
	if (fstat(dir, &st) == 0) {
		run->owner_known = EW_YES;
		run->uid = st.st_uid;
	}
	fact_emit(scan->sink, &fact);
	checkpoint_tasks_free(&tasks);
}

/* An agent reads the files of earlier runs too: damage there ends its recovery as well. */
static void earlier_runs(struct checkpoint_scan *scan, int runs, const char *latest)
{
	struct checkpoint_dirs dirs;

	checkpoint_dirs_begin(&dirs, scan, runs);
	dirs.except = latest;
	while (checkpoint_dirs_next(&dirs)) {
		int32_t pid = 0;

		run_forked_pid(scan, dirs.fd, &pid);
		checkpoint_tasks_check(scan, dirs.fd);
	}
}

/* Opens the run that runs/latest names; a negative errno. */
static int latest_run(struct checkpoint_scan *scan, int runs, char *container_id, size_t size)
{
	int err = runs < 0 ? runs : checkpoint_latest(runs, container_id, size), run = -1;

	checkpoint_path_push(&scan->path, "runs/latest");
	if (!err) {
		run = openat(runs, container_id, CHECKPOINT_DIR_FLAGS);
		err = run < 0 ? -errno : 0;
	}
	/* glob() of glibc before 2.27 passed over a link that leads nowhere: it counts as missing
	 * there. */
	if ((err == -ENOENT && *container_id) || err == -EBADMSG)
		checkpoint_fatal(scan, "", "it names no run that is there", EW_YES);
	if (err < 0)
		checkpoint_refused(scan, err, "");
	checkpoint_path_pop(&scan->path);
	return err < 0 ? err : run;
}

void checkpoint_executor(struct checkpoint_scan *scan, int dir, const char *id)
{
	int runs = openat(dir, "runs", CHECKPOINT_DIR_FLAGS);
	struct checkpoint_need outer = scan->need;
	char container_id[NAME_MAX + 1] = "";
	int run;

	runs = runs < 0 ? -errno : runs;
	scan->executor_id = id;
	run = latest_run(scan, runs, container_id, sizeof(container_id));
	checkpoint_need_info(scan, dir, MESOS_EXECUTOR_INFO);
	checkpoint_path_push(&scan->path, "runs");
	if (run >= 0) {
		checkpoint_path_push(&scan->path, container_id);
		emit_run(scan, run, container_id);
		checkpoint_path_pop(&scan->path);
		close(run);
	}
	if (runs >= 0)
		earlier_runs(scan, runs, container_id);
	checkpoint_path_pop(&scan->path);
	scan->need = outer;
}
