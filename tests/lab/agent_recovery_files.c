/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The files that Mesos' slave/state.cpp needs at each level of the tree, and what it does without.
 */
#include "agent.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Required fields of mesos.proto. */
static const unsigned int slave_fields[] = { 1, 0 };
static const unsigned int framework_fields[] = { 1, 2, 0 };
static const unsigned int executor_fields[] = { 1, 0 };
static const unsigned int task_fields[] = { 1, 2, 3, 5, 6, 0 };

void agent_recovery_failed(struct agent *a, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	agent_log(a, 'E', "slave.cpp:8348", "EXIT with status 1: Failed to perform recovery: %s",
		  text);
	_exit(1);
}

static void damaged(struct agent *a, const char *what, const char *path)
{
	if (launch_is(a->flags.strict, "true"))
		agent_recovery_failed(a, "Failed to read %s from '%s': Failed to deserialize", what,
				      path);
	agent_log(a, 'W', "state.cpp:180", "Failed to read %s from '%s'", what, path);
}

static bool message_is_there(struct agent *a, const char *dir, const char *name, const char *what,
			     const unsigned int *required)
{
	char *path = lab_fmt("%s/%s", dir, name);
	enum checkpoint_state state = checkpoint_message(path, required);

	if (state == CHECKPOINT_DAMAGED)
		damaged(a, what, path);
	else if (state == CHECKPOINT_NONE)
		agent_log(a, 'W', "state.cpp:152", "Failed to find %s file '%s'", what, path);
	free(path);
	return state == CHECKPOINT_READ;
}

bool agent_slave_info(struct agent *a)
{
	char *dir = lab_fmt("%s/meta/slaves/%s", a->flags.work_dir, a->slave_id);
	bool there = message_is_there(a, dir, "slave.info", "agent info", slave_fields);

	free(dir);
	return there;
}

bool agent_framework_info(struct agent *a, const char *framework_dir)
{
	char *pid = lab_fmt("%s/framework.pid", framework_dir);
	struct buf text = { 0 };
	bool there = message_is_there(a, framework_dir, "framework.info", "framework info",
				      framework_fields);

	if (there) {
		checkpoint_read(pid, &text);
		there = text.len > 0;
	}
	buf_free(&text);
	free(pid);
	return there;
}

bool agent_executor_info(struct agent *a, const char *executor_dir)
{
	return message_is_there(a, executor_dir, "executor.info", "executor info", executor_fields);
}

static bool task_info(struct agent *a, const char *dir)
{
	char *updates = lab_fmt("%s/task.updates", dir);
	bool there = message_is_there(a, dir, "task.info", "task info", task_fields);

	if (there && checkpoint_records(updates) == CHECKPOINT_DAMAGED)
		damaged(a, "status updates", updates);
	free(updates);
	return there;
}

bool agent_tasks_info(struct agent *a, const char *run_dir)
{
	char *pattern = lab_fmt("%s/tasks/*", run_dir);
	glob_t found = { 0 };
	bool all = true;

	glob(pattern, 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		all &= task_info(a, found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
	return all;
}

void agent_resources_info(struct agent *a)
{
	char *path = lab_fmt("%s/meta/resources/resources.info", a->flags.work_dir);

	if (checkpoint_records(path) == CHECKPOINT_DAMAGED)
		damaged(a, "resources file", path);
	free(path);
}

pid_t agent_forked_pid(struct agent *a, const struct checkpoint_ids *at)
{
	char *text = checkpoint_read_run_file(at, "pids/forked.pid"), *end = text;
	long pid = text && *text ? strtol(text, &end, 10) : 0;

	if (text && *end)
		agent_recovery_failed(a, "Failed to parse forked pid '%s' of container %s", text,
				      at->container_id);
	free(text);
	return (pid_t)pid;
}
