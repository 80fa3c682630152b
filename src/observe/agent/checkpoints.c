/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "base/error.h"
#include "mesos/checkpoint.h"
#include "mesos/span.h"
#include "mesos/task_state.h"
#include "observe/agent/agent_info.h"
#include "observe/agent/checkpoint_file.h"
#include "base/array.h"
#include "base/emit.h"

/*
 * What an agent that starts needs to take an executor back. Mesos slave/state.cpp: without
 * slave.info the agent takes a new id (SlaveState::recover()); without framework.info,
 * framework.pid or executor.info it passes over the executors below, and without task.info over the
 * task. Damage ends the recovery, with --strict=false it counts as missing.
 */
struct need {
	enum ew_tri met;
	char obstacle[128];
};

struct scan {
	const struct fact_sink *sink;
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *container_id; /* of the run */
	char *file;		  /* CHECKPOINT_FILE_MAX bytes to read files into */
	const char *boot;	  /* the tree's, when it is not this host's; NULL */
	bool former;		  /* in the tree of an agent id that slaves/latest does not name */
	bool passed_over;	  /* the agent does not look in here */
	bool *incomplete;	  /* set when something that is there was refused */
	struct need need;	  /* of all that has been entered */
	struct checkpoint_path path;
};

/* What is not there, or is no directory, was not kept from us. */
static void emit_refused(struct scan *scan, int err, const char *name)
{
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EACCES || err == -EPERM ||
	    err == -EIO || err == -ESTALE)
		*scan->incomplete = true;
	emit_unread(scan->sink, 0, 0, err, "%s%s%s", scan->path.text, *name ? "/" : "", name);
}

/*
 * Calls one(scan, dirfd, name) for each real directory in dir, which it closes; links and files are
 * passed over.
 */
static void each_directory(struct scan *scan, int dir,
			   void (*one)(struct scan *scan, int dir, const char *name))
{
	DIR *list = fdopendir(dir);
	struct dirent *entry;

	if (!list) {
		emit_refused(scan, -errno, "");
		close(dir);
		return;
	}
	while (errno = 0, (entry = readdir(list))) {
		int sub;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		sub = openat(dirfd(list), entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		checkpoint_path_push(&scan->path, entry->d_name);
		if (sub >= 0)
			one(scan, sub, entry->d_name);
		else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
			emit_refused(scan, -errno, "");
		checkpoint_path_pop(&scan->path);
		if (sub >= 0)
			close(sub);
	}
	if (errno)
		emit_refused(scan, -errno, "");
	closedir(list);
}

/* The same for the directories in dir/name, which need not be there. */
static void each_directory_in(struct scan *scan, int dir, const char *name,
			      void (*one)(struct scan *scan, int dir, const char *name))
{
	int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	checkpoint_path_push(&scan->path, name);
	if (sub >= 0)
		each_directory(scan, sub, one);
	else if (errno != ENOENT)
		emit_refused(scan, -errno, "");
	checkpoint_path_pop(&scan->path);
}

/* The last part of the text of the link dir/"latest". -ENOENT when there is none. */
static int latest_of(int dir, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, "latest", target, sizeof(target));
	struct mesos_span last;

	if (len < 0)
		return -errno;
	last = mesos_span_last(mesos_span_at(target, (size_t)len), '/');
	if (last.len == 0 || last.len >= size || mesos_span_is(last, ".."))
		return -EBADMSG;
	mesos_span_copy(last, name, size);
	return 0;
}

/*
 * One file of a run. An empty one counts as none, as for Mesos; damage is emitted, and what is left
 * out of a file that is too large. 0 or a negative errno.
 */
static int run_file(struct scan *scan, int dir, const char *name, struct mesos_span *file)
{
	int err = checkpoint_file_read(dir, name, scan->file, file);

	if (err > 0)
		emit_refused(scan, -EFBIG, name);
	else if (err < 0 && err != -ENOENT)
		emit_refused(scan, err, name);
	return err < 0 ? err : 0;
}

static void damaged(struct scan *scan, int32_t pid, const char *name, int err,
		    const struct error *what)
{
	char object[PATH_MAX + 64];

	snprintf(object, sizeof(object), "%s/%s", scan->path.text, name);
	emit_corrupt(scan->sink, pid, object,
		     err == -ENODATA ? "is empty: the agent takes it as missing" : what->message);
}

static int64_t written_at(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
}

/* What was lacking first, or is known to lack, stays. */
static void need_lacks(struct need *need, enum ew_tri met, const char *name, const char *how)
{
	if (need->met == EW_NO || (need->met == EW_UNKNOWN && met == EW_UNKNOWN))
		return;
	need->met = met;
	snprintf(need->obstacle, sizeof(need->obstacle), "%s %s", name, how);
}

/* err: of reading or parsing the file; -ENOENT, -ENODATA (empty), -EBADMSG (damaged), or another.
 */
static void need_judge(struct need *need, int err, const char *name)
{
	switch (err) {
	case 0:
		return;
	case -ENOENT:
		need_lacks(need, EW_NO, name, "is missing");
		return;
	case -ENODATA:
		need_lacks(need, EW_NO, name, "is empty");
		return;
	case -EBADMSG:
		need_lacks(need, EW_NO, name, "is damaged");
		return;
	default:
		need_lacks(need, EW_UNKNOWN, name, "could not be read");
	}
}

/* The agent's recovery ends here, unless another agent id is the latest. */
static void fatal(const struct scan *scan, const char *name, const char *text, enum ew_tri fatal)
{
	struct fact fact = { .type = FACT_DAMAGE, .mono = now_mono() };
	char path[PATH_MAX + 64];

	if (scan->former || scan->passed_over)
		return;
	snprintf(path, sizeof(path), "%s%s%s", scan->path.text, *name ? "/" : "", name);
	fact.damage.path = path;
	fact.damage.text = text;
	fact.damage.fatal = fatal;
	fact_emit(scan->sink, &fact);
}

/* A file that the buffer does not hold is neither whole nor damaged. */
static int info_file(struct scan *scan, int dir, enum mesos_info which, struct mesos_span *file)
{
	int err = run_file(scan, dir, mesos_info_name(which), file);

	return !err && file->len == CHECKPOINT_FILE_MAX ? -EFBIG : err;
}

static void info_damaged(struct scan *scan, enum mesos_info which, int err,
			 const struct error *what)
{
	damaged(scan, 0, mesos_info_name(which), err, what);
	if (err == -EBADMSG)
		fatal(scan, mesos_info_name(which), what->message, EW_NO);
}

static void need_info(struct scan *scan, int dir, enum mesos_info which)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err = info_file(scan, dir, which, &file);

	if (!err) {
		err = mesos_checkpoint_info(file, which, &what);
		if (err < 0)
			info_damaged(scan, which, err, &what);
	}
	need_judge(&scan->need, err, mesos_info_name(which));
}

/* Any text will do: what is no address counts as that of a scheduler that uses HTTP. */
static void need_framework_pid(struct scan *scan, int dir)
{
	struct mesos_span file;
	int err = run_file(scan, dir, "framework.pid", &file);

	if (!err && !file.len)
		err = -ENODATA;
	need_judge(&scan->need, err, "framework.pid");
}

static void run_forked_pid(struct scan *scan, int dir, int32_t *pid)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err;

	if (run_file(scan, dir, "pids/forked.pid", &file) < 0)
		return;
	err = mesos_checkpoint_pid(file, pid, &what);
	if (err < 0)
		damaged(scan, 0, "pids/forked.pid", err, &what);
	if (err == -EBADMSG)
		fatal(scan, "pids/forked.pid", what.message, EW_YES);
}

/* 0, or why there is none: -ENOENT, -ENODATA for an empty one. */
static int run_upid(struct scan *scan, int dir, int32_t pid, char *upid, size_t size)
{
	struct mesos_upid parsed;
	struct mesos_span file;
	struct error what = { 0 };
	int err = run_file(scan, dir, "pids/libprocess.pid", &file);

	if (err < 0)
		return err;
	err = mesos_checkpoint_upid(file, &parsed, &what);
	if (err < 0)
		damaged(scan, pid, "pids/libprocess.pid", err, &what);
	else
		mesos_span_copy(file, upid, size);
	return err;
}

/* Not access(2): that asks for the real user, without its capabilities. */
static bool is_there(struct scan *scan, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		emit_refused(scan, -errno, name);
	return false;
}

/* What is collected of the tasks of a run. */
struct tasks {
	struct scan scan; /* first: each_directory() hands it back */
	char **names;
	size_t n;
	size_t cap;
};

static const char *by_name(enum mesos_source source)
{
	static const char *const names[] = { "master", "agent", "executor" };

	return source == MESOS_BY_UNKNOWN ? "" : names[source];
}

static void emit_task_end(const struct scan *scan, const char *id, const struct mesos_update *last)
{
	struct fact fact = { .type = FACT_TASK, .mono = now_mono() };

	fact.task.framework_id = scan->framework_id;
	fact.task.executor_id = scan->executor_id;
	fact.task.container_id = scan->container_id;
	fact.task.task_id = id;
	fact.task.state = last->state;
	fact.task.reason = last->reason;
	fact.task.source = "disk";
	fact.task.wall = (int64_t)(last->timestamp * (double)NS_PER_S);
	fact.task.by = by_name(last->source);
	fact_emit(scan->sink, &fact);
}

/* The last update; a record cut off by a crash is not one yet. */
static struct mesos_update last_update(struct scan *scan, int dir)
{
	struct mesos_update update, last = { 0 };
	struct mesos_span file;
	struct error what = { 0 };
	int got;

	if (run_file(scan, dir, "task.updates", &file) < 0)
		return last;
	while ((got = mesos_checkpoint_update(&file, &update, &what)) > 0)
		if (!update.ack)
			last = update;
	if (got == -EBADMSG) {
		damaged(scan, 0, "task.updates", got, &what);
		fatal(scan, "task.updates", what.message, EW_NO);
	}
	return last;
}

static bool task_is_over(struct scan *scan, int dir, const char *id)
{
	struct mesos_update last = last_update(scan, dir);

	if (!mesos_task_state_is_final(last.state))
		return false;
	emit_task_end(scan, id, &last);
	return true;
}

/* The name is in the buffer that files are read into. */
static int task_info(struct scan *scan, int dir, struct mesos_task_info *info)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err = info_file(scan, dir, MESOS_TASK_INFO, &file);

	if (err < 0)
		return err;
	err = mesos_checkpoint_task_info(file, info, &what);
	if (err < 0)
		info_damaged(scan, MESOS_TASK_INFO, err, &what);
	return err;
}

static void one_task(struct scan *scan, int dir, const char *id)
{
	struct tasks *tasks = (struct tasks *)scan;
	struct mesos_task_info info = { 0 };
	bool over = task_is_over(scan, dir, id);
	char *name;
	int err = task_info(scan, dir, &info);

	if (over)
		return;
	/* A directory with neither file is no task's. */
	if (err != -ENOENT || is_there(scan, dir, "task.updates"))
		need_judge(&scan->need, err, "task.info");
	if (array_reserve(&tasks->names, &tasks->cap, tasks->n, sizeof(*tasks->names)) < 0)
		return;
	name = !err && info.name.len ? mesos_span_dup(info.name) : strdup(id);
	if (name)
		tasks->names[tasks->n++] = name;
}

/* Where a container's /proc shows a boot id of its own, an agent in it has written that one. */
static enum ew_tri own_boot(const struct scan *scan, int32_t pid)
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

static void one_task_end(struct scan *scan, int dir, const char *id)
{
	task_is_over(scan, dir, id);
}

void checkpoints_emit_tasks(int dir, const char *framework_id, const char *executor_id,
			    const char *container_id, const struct fact_sink *sink)
{
	bool incomplete = false;
	struct scan scan = { .sink = sink,
			     .incomplete = &incomplete,
			     .framework_id = framework_id,
			     .executor_id = executor_id,
			     .container_id = container_id,
			     .passed_over = true };

	scan.file = malloc(CHECKPOINT_FILE_MAX);
	checkpoint_path_push(&scan.path, container_id);
	if (scan.file)
		each_directory_in(&scan, dir, "tasks", one_task_end);
	else
		emit_refused(&scan, -ENOMEM, "tasks");
	free(scan.file);
}

static void emit_run(struct scan *scan, int dir, const char *container_id)
{
	struct fact fact = { .type = FACT_CHECKPOINT, .mono = now_mono() };
	struct fact_checkpoint *run = &fact.checkpoint;
	struct tasks tasks = { .scan = *scan };
	char upid[256] = "";
	struct stat st;
	int err;

	tasks.scan.container_id = container_id;
	run->slave_id = scan->slave_id;
	run->framework_id = scan->framework_id;
	run->executor_id = scan->executor_id;
	run->container_id = container_id;
	run->latest = true;
	run->completed = is_there(scan, dir, "executor.sentinel");
	if (run->completed && scan->former)
		return;
	run_forked_pid(scan, dir, &run->forked_pid);
	if (run->forked_pid)
		run->forked_wall = written_at(dir, "pids/forked.pid");
	err = run_upid(scan, dir, run->forked_pid, upid, sizeof(upid));
	run->upid = upid;
	/* The agent looks for the marker only where there is no libprocess.pid. */
	run->http = err != -ENODATA && is_there(scan, dir, "http.marker");
	run->own_boot = own_boot(scan, run->forked_pid);
	each_directory_in(&tasks.scan, dir, "tasks", one_task);
	run->recoverable = tasks.scan.need.met;
	run->obstacle = tasks.scan.need.obstacle;
	run->tasks = (const char *const *)tasks.names;
	run->n_tasks = tasks.n;
	if (fstat(dir, &st) == 0) {
		run->owner_known = EW_YES;
		run->uid = st.st_uid;
	}
	fact_emit(scan->sink, &fact);
	for (size_t i = 0; i < tasks.n; i++)
		free(tasks.names[i]);
	free(tasks.names);
}

static void one_earlier_task(struct scan *scan, int dir, const char *id)
{
	struct mesos_task_info info;

	(void)id;
	task_info(scan, dir, &info);
	last_update(scan, dir);
}

/* An agent reads the files of earlier runs too: damage there ends its recovery as well. */
static void one_earlier_run(struct scan *scan, int dir, const char *container_id)
{
	int32_t pid = 0;

	if (strcmp(container_id, scan->container_id) == 0)
		return;
	run_forked_pid(scan, dir, &pid);
	each_directory_in(scan, dir, "tasks", one_earlier_task);
}

/* Opens the run that runs/latest names; a negative errno. */
static int latest_run(struct scan *scan, int runs, char *container_id, size_t size)
{
	int err = runs < 0 ? runs : latest_of(runs, container_id, size), run = -1;

	checkpoint_path_push(&scan->path, "runs/latest");
	if (!err) {
		run = openat(runs, container_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = run < 0 ? -errno : 0;
	}
	/* glob() of glibc before 2.27 passed over a link that leads nowhere: it counts as missing
	 * there. */
	if ((err == -ENOENT && *container_id) || err == -EBADMSG)
		fatal(scan, "", "it names no run that is there", EW_YES);
	if (err < 0)
		emit_refused(scan, err, "");
	checkpoint_path_pop(&scan->path);
	return err < 0 ? err : run;
}

static void one_executor(struct scan *scan, int dir, const char *id)
{
	int runs = openat(dir, "runs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct need outer = scan->need;
	char container_id[NAME_MAX + 1] = "";
	int run;

	runs = runs < 0 ? -errno : runs;
	scan->executor_id = id;
	run = latest_run(scan, runs, container_id, sizeof(container_id));
	need_info(scan, dir, MESOS_EXECUTOR_INFO);
	checkpoint_path_push(&scan->path, "runs");
	if (run >= 0) {
		checkpoint_path_push(&scan->path, container_id);
		emit_run(scan, run, container_id);
		checkpoint_path_pop(&scan->path);
		close(run);
	}
	if (runs >= 0) {
		scan->container_id = container_id;
		each_directory(scan, runs, one_earlier_run);
	}
	checkpoint_path_pop(&scan->path);
	scan->need = outer;
}

static void one_framework(struct scan *scan, int dir, const char *id)
{
	struct need outer = scan->need;

	scan->framework_id = id;
	need_info(scan, dir, MESOS_FRAMEWORK_INFO);
	need_framework_pid(scan, dir);
	scan->passed_over |= scan->need.met == EW_NO;
	each_directory_in(scan, dir, "executors", one_executor);
	scan->need = outer;
	scan->passed_over = outer.met == EW_NO;
}

static void one_slave(struct scan *scan, int dir, const char *id)
{
	struct need outer = scan->need;

	scan->slave_id = id;
	need_info(scan, dir, MESOS_SLAVE_INFO);
	scan->passed_over = scan->need.met == EW_NO;
	each_directory_in(scan, dir, "frameworks", one_framework);
	scan->need = outer;
}

enum { BOOT_ID_MAX = 64 };

/*
 * The agent rewrites boot_id when it has recovered: another one means that no pid in here holds. It
 * takes any other text, and none, as that of another boot (Mesos slave/state.cpp, recover()).
 */
static enum ew_tri same_boot(struct scan *scan, int meta, char *written)
{
	char boot[BOOT_ID_MAX];
	struct mesos_span file, id;
	struct error what = { 0 };
	FILE *now;
	bool got;
	int err;

	err = run_file(scan, meta, "boot_id", &file);
	if (err < 0 && err != -ENOENT)
		need_lacks(&scan->need, EW_UNKNOWN, "boot_id", "could not be read");
	if (err < 0)
		return EW_UNKNOWN;
	err = mesos_checkpoint_boot_id(file, &id, &what);
	if (err < 0) {
		damaged(scan, 0, "boot_id", err, &what);
		return EW_NO;
	}
	now = fopen("/proc/sys/kernel/random/boot_id", "re");
	got = now && fscanf(now, "%63s", boot) == 1;
	if (now)
		fclose(now);
	if (!got)
		return EW_UNKNOWN;
	mesos_span_copy(id, written, BOOT_ID_MAX);
	return mesos_span_is(id, boot) ? EW_YES : EW_NO;
}

/* Executors of an agent id that was given up live on, and nobody asks them. */
static void one_former(struct scan *scan, int dir, const char *id)
{
	if (strcmp(id, scan->slave_id) != 0) {
		const char *latest = scan->slave_id;

		scan->former = true;
		one_slave(scan, dir, id);
		scan->former = false;
		scan->slave_id = latest;
	}
}

static void scan_latest(struct scan *scan, int slaves, const char *slave_id)
{
	int dir;

	checkpoint_path_push(&scan->path, slave_id);
	dir = openat(slaves, slave_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0) {
		emit_refused(scan, -errno, "");
	} else {
		agent_info_emit(dir, slave_id, scan->file, scan->sink);
		one_slave(scan, dir, slave_id);
		close(dir);
	}
	checkpoint_path_pop(&scan->path);
}

/* Does slaves/latest name an agent that is there? The id goes into slave_id; "" for none. */
static enum ew_tri read_latest(struct scan *scan, int slaves, char *slave_id, size_t size)
{
	struct stat st;
	int err = slaves < 0 ? -ENOENT : latest_of(slaves, slave_id, size);

	if (err == -ENOENT)
		return EW_NO;
	if (err < 0) {
		emit_refused(scan, err, "latest");
		return EW_UNKNOWN;
	}
	if (fstatat(slaves, slave_id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EW_YES;
	if (errno != ENOENT)
		return EW_UNKNOWN;
	slave_id[0] = '\0'; /* dangling is missing (Mesos slave/state.cpp, State::recover()) */
	return EW_NO;
}

/* The port that the agent advertises, as its slave.info says; 0: not known. */
static uint16_t info_port(struct scan *scan, int slaves, const char *slave_id)
{
	struct mesos_span file;
	uint16_t port = 0;
	int dir;

	dir = openat(slaves, slave_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return 0; /* scan_latest() says so */
	checkpoint_path_push(&scan->path, slave_id);
	if (run_file(scan, dir, "slave.info", &file) == 0)
		mesos_checkpoint_slave_port(file, &port, NULL); /* so is damage */
	checkpoint_path_pop(&scan->path);
	close(dir);
	return port;
}

/* Resources that frameworks have reserved on the agent (Mesos state.cpp, ResourcesState). */
static void check_resources(struct scan *scan, int meta)
{
	static const char *const names[] = { "resources/resources.info",
					     "resources/resources.target" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct mesos_span file;
		struct error what = { 0 };
		int err = run_file(scan, meta, names[i], &file);

		if (!err)
			err = mesos_checkpoint_resources(file, &what);
		if (err != -EBADMSG)
			continue;
		damaged(scan, 0, names[i], err, &what);
		fatal(scan, names[i], what.message, EW_NO);
	}
}

static int emit_tree(struct scan *scan, int meta, struct fact *fact, struct error *error)
{
	char slave_id[NAME_MAX + 1] = "", boot[BOOT_ID_MAX] = "";
	int slaves = openat(meta, "slaves", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int err = slaves < 0 && errno != ENOENT ? -errno : 0;
	struct stat st;

	fact->work_dir.same_boot = same_boot(scan, meta, boot);
	if (fstatat(meta, "boot_id", &st, AT_SYMLINK_NOFOLLOW) == 0)
		fact->work_dir.boot_written =
			(int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	scan->boot = fact->work_dir.same_boot == EW_NO ? boot : NULL;
	if (fstat(meta, &st) == 0) {
		fact->work_dir.owner_known = EW_YES;
		fact->work_dir.uid = st.st_uid;
	}
	check_resources(scan, meta);
	checkpoint_path_push(&scan->path, "slaves");
	if (err < 0)
		return error_set(error, err, "run as root", "open '%s'", scan->path.text);
	fact->work_dir.latest = read_latest(scan, slaves, slave_id, sizeof(slave_id));
	fact->work_dir.readable = EW_YES;
	fact->work_dir.slave_id = slave_id;
	if (slave_id[0])
		fact->work_dir.info_port = info_port(scan, slaves, slave_id);
	fact_emit(scan->sink, fact);
	if (slaves < 0)
		return 0;
	if (slave_id[0])
		scan_latest(scan, slaves, slave_id);
	scan->slave_id = slave_id;
	each_directory(scan, slaves, one_former);
	return 0;
}

/*
 * Sandboxes and no meta/: an agent that starts takes that for its first start (Mesos
 * slave/state.cpp, recover()).
 */
static bool is_wiped(const char *path)
{
	char slaves[PATH_MAX + 16];
	struct stat st;

	snprintf(slaves, sizeof(slaves), "%s/slaves", path);
	return stat(slaves, &st) == 0 && S_ISDIR(st.st_mode);
}

int checkpoints_emit(const char *path, const struct fact_sink *sink, struct error *error)
{
	struct fact fact = { .type = FACT_WORK_DIR, .mono = now_mono() };
	bool incomplete = false;
	struct scan scan = { .sink = sink, .incomplete = &incomplete, .need = { .met = EW_YES } };
	int meta, err;

	fact.work_dir.path = path;
	fact.work_dir.slave_id = "";
	checkpoint_path_push(&scan.path, path);
	checkpoint_path_push(&scan.path, "meta");
	scan.file = malloc(CHECKPOINT_FILE_MAX);
	if (!scan.file)
		return error_set(error, -ENOMEM, NULL, "read '%s'", path);
	meta = open(scan.path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0 && errno == ENOENT && is_wiped(path)) {
		fact.work_dir.readable = EW_YES;
		fact.work_dir.latest = EW_NO;
		fact_emit(sink, &fact);
		err = 0;
	} else if (meta < 0)
		err = error_set(error, -errno, "name the agent's work directory with --work-dir",
				"open '%s'", scan.path.text);
	else
		err = emit_tree(&scan, meta, &fact, error);
	if (err < 0) {
		fact.work_dir.readable = EW_NO;
		fact_emit(sink, &fact);
		emit_unread(sink, 0, 0, err, "%s", scan.path.text);
	}
	if (meta >= 0)
		close(meta);
	free(scan.file);
	if (!err && incomplete)
		err = error_set(error, -EIO, NULL, "read all of '%s/meta'", path);
	return err;
}
