/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/now.h"
#include "facts.h"
#include "mesos/checkpoint.h"
#include "mesos/span.h"
#include "mesos/task_state.h"
#include "observe/agent/checkpoints_private.h"

static const char *by_name(enum mesos_source source)
{
	static const char *const names[] = { "master", "agent", "executor" };

	return source == MESOS_BY_UNKNOWN ? "" : names[source];
}

static void emit_task_end(const struct checkpoint_scan *scan, const char *id,
			  const struct mesos_update *last)
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
static struct mesos_update last_update(struct checkpoint_scan *scan, int dir)
{
	struct mesos_update update, last = { 0 };
	struct mesos_span file;
	struct error what = { 0 };
	int got;

	if (checkpoint_read(scan, dir, "task.updates", &file) < 0)
		return last;
	while ((got = mesos_checkpoint_update(&file, &update, &what)) > 0)
		if (!update.ack)
			last = update;
	if (got == -EBADMSG) {
		checkpoint_damaged(scan, 0, "task.updates", got, &what);
		checkpoint_fatal(scan, "task.updates", what.message, EW_NO);
	}
	return last;
}

static bool task_is_over(struct checkpoint_scan *scan, int dir, const char *id)
{
	struct mesos_update last = last_update(scan, dir);

	if (!mesos_task_state_is_final(last.state))
		return false;
	emit_task_end(scan, id, &last);
	return true;
}

/* The name is in the buffer that files are read into. */
static int task_info(struct checkpoint_scan *scan, int dir, struct mesos_task_info *info)
{
	struct mesos_span file;
	struct error what = { 0 };
	int err = checkpoint_info_file(scan, dir, MESOS_TASK_INFO, &file);

	if (err < 0)
		return err;
	err = mesos_checkpoint_task_info(file, info, &what);
	if (err < 0)
		checkpoint_info_damaged(scan, MESOS_TASK_INFO, err, &what);
	return err;
}

static void name_add(struct checkpoint_tasks *tasks, char *name)
{
	if (name && array_reserve(&tasks->names, &tasks->cap, tasks->n, sizeof(*tasks->names)) == 0)
		tasks->names[tasks->n++] = name;
	else
		free(name);
}

static void one_task(struct checkpoint_scan *scan, int dir, const char *id,
		     struct checkpoint_tasks *tasks)
{
	struct mesos_task_info info = { 0 };
	bool over = task_is_over(scan, dir, id);
	int err = task_info(scan, dir, &info);

	if (over)
		return;
	/* A directory with neither file is no task's. */
	if (err != -ENOENT || checkpoint_is_there(scan, dir, "task.updates"))
		checkpoint_judge(&scan->need, err, "task.info");
	name_add(tasks, !err && info.name.len ? mesos_span_dup(info.name) : strdup(id));
}

void checkpoint_tasks_read(struct checkpoint_scan *scan, int run, struct checkpoint_tasks *tasks)
{
	struct checkpoint_dirs dirs;

	*tasks = (struct checkpoint_tasks){ 0 };
	checkpoint_dirs_begin_in(&dirs, scan, run, "tasks");
	while (checkpoint_dirs_next(&dirs))
		one_task(scan, dirs.fd, dirs.name, tasks);
}

void checkpoint_tasks_free(struct checkpoint_tasks *tasks)
{
	for (size_t i = 0; i < tasks->n; i++)
		free(tasks->names[i]);
	free(tasks->names);
}

void checkpoint_tasks_check(struct checkpoint_scan *scan, int run)
{
	struct mesos_task_info info;
	struct checkpoint_dirs dirs;

	checkpoint_dirs_begin_in(&dirs, scan, run, "tasks");
	while (checkpoint_dirs_next(&dirs)) {
		task_info(scan, dirs.fd, &info);
		last_update(scan, dirs.fd);
	}
}

void checkpoints_emit_tasks(int dir, const char *framework_id, const char *executor_id,
			    const char *container_id, const struct fact_sink *sink)
{
	bool incomplete = false;
	struct checkpoint_scan scan = { .sink = sink,
					.incomplete = &incomplete,
					.framework_id = framework_id,
					.executor_id = executor_id,
					.container_id = container_id,
					.passed_over = true };
	struct checkpoint_dirs dirs;

	checkpoint_path_push(&scan.path, container_id);
	scan.file = malloc(CHECKPOINT_FILE_MAX);
	if (!scan.file) {
		checkpoint_refused(&scan, -ENOMEM, "tasks");
		return;
	}
	checkpoint_dirs_begin_in(&dirs, &scan, dir, "tasks");
	while (checkpoint_dirs_next(&dirs))
		task_is_over(&scan, dirs.fd, dirs.name);
	free(scan.file);
}
