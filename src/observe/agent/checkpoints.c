/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/emit.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "mesos/checkpoint.h"
#include "mesos/span.h"
#include "observe/agent/agent_info.h"
#include "observe/agent/checkpoints_private.h"

/* Any text will do: what is no address counts as that of a scheduler that uses HTTP. */
static void need_framework_pid(struct checkpoint_scan *scan, int dir)
{
	struct mesos_span file;
	int err = checkpoint_read(scan, dir, "framework.pid", &file);

	if (!err && !file.len)
		err = -ENODATA;
	checkpoint_judge(&scan->need, err, "framework.pid");
}

static void one_framework(struct checkpoint_scan *scan, int dir, const char *id)
{
	struct checkpoint_need outer = scan->need;
	struct checkpoint_dirs dirs;

	scan->framework_id = id;
	checkpoint_need_info(scan, dir, MESOS_FRAMEWORK_INFO);
	need_framework_pid(scan, dir);
	scan->passed_over |= scan->need.met == EW_NO;
	checkpoint_dirs_begin_in(&dirs, scan, dir, "executors");
	while (checkpoint_dirs_next(&dirs))
		checkpoint_executor(scan, dirs.fd, dirs.name);
	scan->need = outer;
	scan->passed_over = outer.met == EW_NO;
}

static void one_slave(struct checkpoint_scan *scan, int dir, const char *id)
{
	struct checkpoint_need outer = scan->need;
	struct checkpoint_dirs dirs;

	scan->slave_id = id;
	checkpoint_need_info(scan, dir, MESOS_SLAVE_INFO);
	scan->passed_over = scan->need.met == EW_NO;
	checkpoint_dirs_begin_in(&dirs, scan, dir, "frameworks");
	while (checkpoint_dirs_next(&dirs))
		one_framework(scan, dirs.fd, dirs.name);
	scan->need = outer;
}

enum { BOOT_ID_MAX = 64 };

/*
 * The agent rewrites boot_id when it has recovered: another one means that no pid in here holds. It
 * takes any other text, and none, as that of another boot (Mesos slave/state.cpp, recover()).
 */
static enum ew_tri same_boot(struct checkpoint_scan *scan, int meta, char *written)
{
	char boot[BOOT_ID_MAX];
	struct mesos_span file, id;
	struct error what = { 0 };
	FILE *now;
	bool got;
	int err;

	err = checkpoint_read(scan, meta, "boot_id", &file);
	if (err < 0 && err != -ENOENT)
		checkpoint_lacks(&scan->need, EW_UNKNOWN, "boot_id", "could not be read");
	if (err < 0)
		return EW_UNKNOWN;
	err = mesos_checkpoint_boot_id(file, &id, &what);
	if (err < 0) {
		checkpoint_damaged(scan, 0, "boot_id", err, &what);
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
static void scan_former(struct checkpoint_scan *scan, int slaves, const char *latest)
{
	struct checkpoint_dirs dirs;

	scan->former = true;
	checkpoint_dirs_begin(&dirs, scan, slaves);
	dirs.except = latest;
	while (checkpoint_dirs_next(&dirs))
		one_slave(scan, dirs.fd, dirs.name);
	scan->former = false;
}

static void scan_latest(struct checkpoint_scan *scan, int slaves, const char *slave_id)
{
	int dir;

	checkpoint_path_push(&scan->path, slave_id);
	dir = openat(slaves, slave_id, CHECKPOINT_DIR_FLAGS);
	if (dir < 0) {
		checkpoint_refused(scan, -errno, "");
	} else {
		agent_info_emit(dir, slave_id, scan->file, scan->sink);
		one_slave(scan, dir, slave_id);
		close(dir);
	}
	checkpoint_path_pop(&scan->path);
}

/* Does slaves/latest name an agent that is there? The id goes into slave_id; "" for none. */
static enum ew_tri read_latest(struct checkpoint_scan *scan, int slaves, char *slave_id,
			       size_t size)
{
	struct stat st;
	int err = slaves < 0 ? -ENOENT : checkpoint_latest(slaves, slave_id, size);

	if (err == -ENOENT)
		return EW_NO;
	if (err < 0) {
		checkpoint_refused(scan, err, "latest");
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
static uint16_t info_port(struct checkpoint_scan *scan, int slaves, const char *slave_id)
{
	struct mesos_span file;
	uint16_t port = 0;
	int dir;

	dir = openat(slaves, slave_id, CHECKPOINT_DIR_FLAGS);
	if (dir < 0)
		return 0; /* scan_latest() says so */
	checkpoint_path_push(&scan->path, slave_id);
	if (checkpoint_read(scan, dir, "slave.info", &file) == 0)
		mesos_checkpoint_slave_port(file, &port, NULL); /* so is damage */
	checkpoint_path_pop(&scan->path);
	close(dir);
	return port;
}

/* Resources that frameworks have reserved on the agent (Mesos state.cpp, ResourcesState). */
static void check_resources(struct checkpoint_scan *scan, int meta)
{
	static const char *const names[] = { "resources/resources.info",
					     "resources/resources.target" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct mesos_span file;
		struct error what = { 0 };
		int err = checkpoint_read(scan, meta, names[i], &file);

		if (!err)
			err = mesos_checkpoint_resources(file, &what);
		if (err != -EBADMSG)
			continue;
		checkpoint_damaged(scan, 0, names[i], err, &what);
		checkpoint_fatal(scan, names[i], what.message, EW_NO);
	}
}

static int emit_tree(struct checkpoint_scan *scan, int meta, struct fact *fact, struct error *error)
{
	char slave_id[NAME_MAX + 1] = "", boot[BOOT_ID_MAX] = "";
	int slaves = openat(meta, "slaves", CHECKPOINT_DIR_FLAGS);
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
	scan_former(scan, slaves, slave_id);
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
	struct checkpoint_scan scan = { .sink = sink,
					.incomplete = &incomplete,
					.need = { .met = EW_YES } };
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
