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
#include "observe/agent/checkpoint_file.h"
#include "base/array.h"
#include "base/emit.h"

struct walk {
	const struct fact_sink *sink;
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *container_id; /* of the run */
	char *file;		  /* CHECKPOINT_FILE_MAX bytes to read files into */
	const char *boot;	  /* the tree's, when it is not this host's; NULL */
	bool former;		  /* in the tree of an agent id that slaves/latest does not name */
	bool *incomplete;	  /* set when something that is there was refused */
	struct checkpoint_path path;
};

/* What is not there, or is no directory, was not kept from us. */
static void emit_refused(struct walk *walk, int err, const char *name)
{
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EACCES || err == -EPERM ||
	    err == -EIO || err == -ESTALE)
		*walk->incomplete = true;
	emit_unread(walk->sink, 0, 0, err, "%s%s%s", walk->path.text, *name ? "/" : "", name);
}

/*
 * Calls one(walk, dirfd, name) for each real directory in dir, which it closes; links and files are
 * passed over.
 */
static void each_directory(struct walk *walk, int dir,
			   void (*one)(struct walk *walk, int dir, const char *name))
{
	DIR *list = fdopendir(dir);
	struct dirent *entry;

	if (!list) {
		emit_refused(walk, -errno, "");
		close(dir);
		return;
	}
	while ((entry = readdir(list))) {
		int sub;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN))
			continue;
		sub = openat(dirfd(list), entry->d_name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		checkpoint_path_push(&walk->path, entry->d_name);
		if (sub >= 0)
			one(walk, sub, entry->d_name);
		else if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
			emit_refused(walk, -errno, "");
		checkpoint_path_pop(&walk->path);
		if (sub >= 0)
			close(sub);
	}
	closedir(list);
}

/* The same for the directories in dir/name, which need not be there. */
static void each_directory_in(struct walk *walk, int dir, const char *name,
			      void (*one)(struct walk *walk, int dir, const char *name))
{
	int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	checkpoint_path_push(&walk->path, name);
	if (sub >= 0)
		each_directory(walk, sub, one);
	else if (errno != ENOENT)
		emit_refused(walk, -errno, "");
	checkpoint_path_pop(&walk->path);
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

/* One file of a run. An empty one counts as none, as for Mesos; damage is put. 0 or a negative. */
static int run_file(struct walk *walk, int dir, const char *name, struct mesos_span *file)
{
	int err = checkpoint_file_read(dir, name, walk->file, file);

	if (err < 0 && err != -ENOENT)
		emit_refused(walk, err, name);
	return err;
}

static void damaged(struct walk *walk, int32_t pid, const char *name, int err,
		    const struct error *what)
{
	char object[PATH_MAX + 64];

	snprintf(object, sizeof(object), "%s/%s", walk->path.text, name);
	emit_corrupt(walk->sink, pid, object,
		     err == -ENODATA ? "is empty: the agent takes it as missing" : what->message);
}

static void run_forked_pid(struct walk *walk, int dir, int32_t *pid)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err;

	if (run_file(walk, dir, "pids/forked.pid", &file) < 0)
		return;
	err = mesos_checkpoint_pid(file, pid, &what);
	if (err < 0)
		damaged(walk, 0, "pids/forked.pid", err, &what);
}

static void run_upid(struct walk *walk, int dir, int32_t pid, char *upid, size_t size)
{
	struct mesos_upid parsed;
	struct mesos_span file;
	struct error what = { 0 };
	int err;

	if (run_file(walk, dir, "pids/libprocess.pid", &file) < 0)
		return;
	err = mesos_checkpoint_upid(file, &parsed, &what);
	if (err < 0)
		damaged(walk, pid, "pids/libprocess.pid", err, &what);
	else
		mesos_span_copy(file, upid, size);
}

/* What is collected of the tasks of a run. */
struct tasks {
	struct walk walk; /* first: each_directory() hands it back */
	char **names;
	size_t n;
	size_t cap;
};

static const char *by_name(enum mesos_source source)
{
	static const char *const names[] = { "master", "agent", "executor" };

	return source == MESOS_BY_UNKNOWN ? "" : names[source];
}

static void emit_task_end(const struct walk *walk, const char *id, const struct mesos_update *last)
{
	struct fact fact = { .type = FACT_TASK, .mono = now_mono() };

	fact.task.framework_id = walk->framework_id;
	fact.task.executor_id = walk->executor_id;
	fact.task.container_id = walk->container_id;
	fact.task.task_id = id;
	fact.task.state = last->state;
	fact.task.reason = last->reason;
	fact.task.source = "disk";
	fact.task.wall = (int64_t)(last->timestamp * (double)NS_PER_S);
	fact.task.by = by_name(last->source);
	fact_emit(walk->sink, &fact);
}

/* Its last update tells; a record cut off by a crash is not one yet. */
static bool task_is_over(struct walk *walk, int dir, const char *id)
{
	struct mesos_update update, last = { 0 };
	struct mesos_span file;
	struct error what = { 0 };
	int got;

	if (run_file(walk, dir, "task.updates", &file) < 0)
		return false;
	while ((got = mesos_checkpoint_update(&file, &update, &what)) > 0)
		if (!update.ack)
			last = update;
	if (got == -EBADMSG)
		damaged(walk, 0, "task.updates", got, &what);
	if (!mesos_task_state_is_final(last.state))
		return false;
	emit_task_end(walk, id, &last);
	return true;
}

static void one_task(struct walk *walk, int dir, const char *id)
{
	struct tasks *tasks = (struct tasks *)walk;
	struct mesos_task_info info = { 0 };
	struct mesos_span file;
	struct error what = { 0 };
	char *name;
	int err;

	if (task_is_over(walk, dir, id))
		return;
	err = run_file(walk, dir, "task.info", &file);
	if (!err) {
		err = mesos_checkpoint_task_info(file, &info, &what);
		if (err < 0)
			damaged(walk, 0, "task.info", err, &what);
	}
	if (array_reserve(&tasks->names, &tasks->cap, tasks->n, sizeof(*tasks->names)) < 0)
		return;
	name = !err && info.name.len ? mesos_span_dup(info.name) : strdup(id);
	if (name)
		tasks->names[tasks->n++] = name;
}

/* Not access(2): that asks for the real user, without its capabilities. */
static bool is_there(struct walk *walk, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		emit_refused(walk, -errno, name);
	return false;
}

/* Where a container's /proc shows a boot id of its own, an agent in it has written that one. */
static enum ew_tri own_boot(const struct walk *walk, int32_t pid)
{
	char path[PROC_PATH_MAX + 32], boot[64];
	ssize_t len;

	if (!walk->boot)
		return EW_UNKNOWN;
	if (!pid)
		return EW_NO;
	snprintf(path, sizeof(path), "/proc/%d/root/proc/sys/kernel/random/boot_id", pid);
	len = proc_read(AT_FDCWD, path, boot, sizeof(boot));
	if (len < 0)
		return proc_is_gone((int)len) ? EW_NO : EW_UNKNOWN;
	boot[strcspn(boot, "\n")] = '\0';
	return strcmp(boot, walk->boot) == 0 ? EW_YES : EW_NO;
}

static void one_task_end(struct walk *walk, int dir, const char *id)
{
	task_is_over(walk, dir, id);
}

void checkpoints_emit_tasks(int dir, const char *framework_id, const char *executor_id,
			    const char *container_id, const struct fact_sink *sink)
{
	struct walk walk = { .sink = sink,
			     .framework_id = framework_id,
			     .executor_id = executor_id,
			     .container_id = container_id };

	walk.file = malloc(CHECKPOINT_FILE_MAX);
	checkpoint_path_push(&walk.path, container_id);
	if (walk.file)
		each_directory_in(&walk, dir, "tasks", one_task_end);
	free(walk.file);
}

static void emit_run(struct walk *walk, int dir, const char *container_id)
{
	struct fact fact = { .type = FACT_CHECKPOINT, .mono = now_mono() };
	struct fact_checkpoint *run = &fact.checkpoint;
	struct tasks tasks = { .walk = *walk };
	char upid[256] = "";

	tasks.walk.container_id = container_id;
	run->slave_id = walk->slave_id;
	run->framework_id = walk->framework_id;
	run->executor_id = walk->executor_id;
	run->container_id = container_id;
	run->latest = true;
	run->completed = is_there(walk, dir, "executor.sentinel");
	if (run->completed && walk->former)
		return;
	run_forked_pid(walk, dir, &run->forked_pid);
	run_upid(walk, dir, run->forked_pid, upid, sizeof(upid));
	run->upid = upid;
	run->http = is_there(walk, dir, "http.marker");
	run->own_boot = own_boot(walk, run->forked_pid);
	each_directory_in(&tasks.walk, dir, "tasks", one_task);
	run->tasks = (const char *const *)tasks.names;
	run->n_tasks = tasks.n;
	fact_emit(walk->sink, &fact);
	for (size_t i = 0; i < tasks.n; i++)
		free(tasks.names[i]);
	free(tasks.names);
}

static void one_executor(struct walk *walk, int dir, const char *id)
{
	int runs = openat(dir, "runs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char container_id[NAME_MAX + 1];
	int run = -1, err;

	walk->executor_id = id;
	err = runs < 0 ? -errno : latest_of(runs, container_id, sizeof(container_id));
	checkpoint_path_push(&walk->path, "runs/latest");
	if (!err) {
		run = openat(runs, container_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		err = run < 0 ? -errno : 0;
	}
	if (err < 0)
		emit_refused(walk, err, "");
	checkpoint_path_pop(&walk->path);
	if (run >= 0) {
		checkpoint_path_push(&walk->path, "runs");
		checkpoint_path_push(&walk->path, container_id);
		emit_run(walk, run, container_id);
		checkpoint_path_pop(&walk->path);
		checkpoint_path_pop(&walk->path);
		close(run);
	}
	if (runs >= 0)
		close(runs);
}

static void one_framework(struct walk *walk, int dir, const char *id)
{
	walk->framework_id = id;
	each_directory_in(walk, dir, "executors", one_executor);
}

static void one_slave(struct walk *walk, int dir, const char *id)
{
	walk->slave_id = id;
	each_directory_in(walk, dir, "frameworks", one_framework);
}

enum { BOOT_ID_MAX = 64 };

/* The agent rewrites boot_id when it starts: another one means that no pid in here holds. */
static enum ew_tri same_boot(struct walk *walk, int meta, char *written)
{
	char boot[BOOT_ID_MAX];
	struct mesos_span file, id;
	struct error what = { 0 };
	FILE *now;
	bool got;
	int err;

	if (run_file(walk, meta, "boot_id", &file) < 0)
		return EW_UNKNOWN;
	err = mesos_checkpoint_boot_id(file, &id, &what);
	if (err < 0) {
		damaged(walk, 0, "boot_id", err, &what);
		return EW_UNKNOWN;
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
static void one_former(struct walk *walk, int dir, const char *id)
{
	if (strcmp(id, walk->slave_id) != 0) {
		const char *latest = walk->slave_id;

		walk->former = true;
		one_slave(walk, dir, id);
		walk->former = false;
		walk->slave_id = latest;
	}
}

static void walk_latest(struct walk *walk, int slaves, const char *slave_id)
{
	int dir;

	checkpoint_path_push(&walk->path, slave_id);
	dir = openat(slaves, slave_id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0) {
		emit_refused(walk, -errno, "");
	} else {
		one_slave(walk, dir, slave_id);
		close(dir);
	}
	checkpoint_path_pop(&walk->path);
}

/* Does slaves/latest name an agent that is there? The id goes into slave_id; "" for none. */
static enum ew_tri read_latest(struct walk *walk, int slaves, char *slave_id, size_t size)
{
	struct stat st;
	int err = slaves < 0 ? -ENOENT : latest_of(slaves, slave_id, size);

	if (err == -ENOENT)
		return EW_NO;
	if (err < 0) {
		emit_refused(walk, err, "latest");
		return EW_UNKNOWN;
	}
	if (fstatat(slaves, slave_id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return EW_YES;
	if (errno != ENOENT)
		return EW_UNKNOWN;
	slave_id[0] = '\0'; /* dangling is missing (Mesos slave/state.cpp, State::recover()) */
	return EW_NO;
}

static int emit_tree(struct walk *walk, int meta, struct fact *fact, struct error *error)
{
	char slave_id[NAME_MAX + 1] = "", boot[BOOT_ID_MAX] = "";
	int slaves = openat(meta, "slaves", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	fact->work_dir.same_boot = same_boot(walk, meta, boot);
	walk->boot = fact->work_dir.same_boot == EW_NO ? boot : NULL;
	if (fstat(meta, &st) == 0) {
		fact->work_dir.owner_known = EW_YES;
		fact->work_dir.uid = st.st_uid;
	}
	checkpoint_path_push(&walk->path, "slaves");
	if (slaves < 0 && errno != ENOENT)
		return error_set(error, -errno, "run as root", "open '%s'", walk->path.text);
	fact->work_dir.latest = read_latest(walk, slaves, slave_id, sizeof(slave_id));
	fact->work_dir.readable = EW_YES;
	fact->work_dir.slave_id = slave_id;
	fact_emit(walk->sink, fact);
	if (slaves < 0)
		return 0;
	if (slave_id[0])
		walk_latest(walk, slaves, slave_id);
	walk->slave_id = slave_id;
	each_directory(walk, slaves, one_former);
	return 0;
}

int checkpoints_emit(const char *path, const struct fact_sink *sink, struct error *error)
{
	struct fact fact = { .type = FACT_WORK_DIR, .mono = now_mono() };
	bool incomplete = false;
	struct walk walk = { .sink = sink, .incomplete = &incomplete };
	int meta, err;

	fact.work_dir.path = path;
	fact.work_dir.slave_id = "";
	checkpoint_path_push(&walk.path, path);
	checkpoint_path_push(&walk.path, "meta");
	walk.file = malloc(CHECKPOINT_FILE_MAX);
	if (!walk.file)
		return error_set(error, -ENOMEM, NULL, "read '%s'", path);
	meta = open(walk.path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (meta < 0)
		err = error_set(error, -errno, "name the agent's work directory with --work-dir",
				"open '%s'", walk.path.text);
	else
		err = emit_tree(&walk, meta, &fact, error);
	if (err < 0) {
		fact.work_dir.readable = EW_NO;
		fact_emit(sink, &fact);
		emit_unread(sink, 0, 0, err, "%s", walk.path.text);
	}
	if (meta >= 0)
		close(meta);
	free(walk.file);
	if (!err && incomplete)
		err = error_set(error, -EIO, NULL, "read all of '%s/meta'", path);
	return err;
}
