/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "mesos/answer.h"
#include "mesos/flags.h"

#define WHAT "the agent's /state"

static void tasks_free(struct mesos_task *tasks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(tasks[i].id);
		free(tasks[i].name);
		free(tasks[i].state);
	}
	free(tasks);
}

static void executors_free(struct mesos_executor *executors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(executors[i].id);
		free(executors[i].name);
		free(executors[i].source);
		free(executors[i].container);
		free(executors[i].directory);
		tasks_free(executors[i].tasks, executors[i].n_tasks);
	}
	free(executors);
}

void mesos_state_free(struct mesos_state *state)
{
	if (!state)
		return;
	for (size_t i = 0; i < state->n_frameworks; i++) {
		free(state->frameworks[i].id);
		free(state->frameworks[i].name);
		executors_free(state->frameworks[i].executors, state->frameworks[i].n_executors);
	}
	free(state->frameworks);
	free(state->id);
	free(state->pid);
	free(state->version);
	free(state->hostname);
	mesos_flags_clear(&state->flags);
	free(state);
}

static int tasks_read(const json_t *json, struct mesos_executor *executor, struct fail *why)
{
	size_t n = json_array_size(json);
	void *items;

	if (mesos_answer_alloc(n, sizeof(*executor->tasks), &items) < 0)
		return mesos_answer_memory(WHAT, why);
	executor->tasks = items;
	executor->n_tasks = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *item = json_array_get(json, i);
		struct mesos_task *task = &executor->tasks[i];

		if (mesos_answer_text(item, "id", &task->id) < 0 ||
		    mesos_answer_text(item, "name", &task->name) < 0 ||
		    mesos_answer_text(item, "state", &task->state) < 0)
			return mesos_answer_memory(WHAT, why);
		if (!*task->id)
			return mesos_answer_lacks(WHAT, "frameworks[].executors[].tasks[].id", why);
	}
	return 0;
}

static int executor_read(const json_t *json, struct mesos_executor *executor, struct fail *why)
{
	if (mesos_answer_text(json, "id", &executor->id) < 0 ||
	    mesos_answer_text(json, "name", &executor->name) < 0 ||
	    mesos_answer_text(json, "source", &executor->source) < 0 ||
	    mesos_answer_text(json, "container", &executor->container) < 0 ||
	    mesos_answer_text(json, "directory", &executor->directory) < 0)
		return mesos_answer_memory(WHAT, why);
	if (!*executor->id)
		return mesos_answer_lacks(WHAT, "frameworks[].executors[].id", why);
	executor->n_queued = json_array_size(mesos_answer_array(json, "queued_tasks"));
	return tasks_read(mesos_answer_array(json, "tasks"), executor, why);
}

static int executors_read(const json_t *json, struct mesos_framework *framework, struct fail *why)
{
	const json_t *running = mesos_answer_array(json, "executors");
	const json_t *completed = mesos_answer_array(json, "completed_executors");
	size_t n_running = json_array_size(running);
	size_t n = n_running + json_array_size(completed);
	void *items;

	if (mesos_answer_alloc(n, sizeof(*framework->executors), &items) < 0)
		return mesos_answer_memory(WHAT, why);
	framework->executors = items;
	framework->n_executors = n;
	for (size_t i = 0; i < n; i++) {
		struct mesos_executor *executor = &framework->executors[i];
		const json_t *item = i < n_running ? json_array_get(running, i)
						   : json_array_get(completed, i - n_running);
		int err = executor_read(item, executor, why);

		if (err < 0)
			return err;
		executor->completed = i >= n_running || framework->completed;
	}
	return 0;
}

static int framework_read(const json_t *json, struct mesos_framework *framework, struct fail *why)
{
	if (mesos_answer_text(json, "id", &framework->id) < 0 ||
	    mesos_answer_text(json, "name", &framework->name) < 0)
		return mesos_answer_memory(WHAT, why);
	if (!*framework->id)
		return mesos_answer_lacks(WHAT, "frameworks[].id", why);
	framework->checkpoint = json_is_true(json_object_get(json, "checkpoint"));
	return executors_read(json, framework, why);
}

static int frameworks_read(const json_t *root, struct mesos_state *state, struct fail *why)
{
	const json_t *active = mesos_answer_array(root, "frameworks");
	const json_t *completed = mesos_answer_array(root, "completed_frameworks");
	size_t n_active = json_array_size(active);
	size_t n = n_active + json_array_size(completed);
	void *items;

	if (!active)
		return mesos_answer_lacks(WHAT, "frameworks", why);
	if (mesos_answer_alloc(n, sizeof(*state->frameworks), &items) < 0)
		return mesos_answer_memory(WHAT, why);
	state->frameworks = items;
	state->n_frameworks = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *item = i < n_active ? json_array_get(active, i)
						  : json_array_get(completed, i - n_active);
		int err;

		state->frameworks[i].completed = i >= n_active;
		err = framework_read(item, &state->frameworks[i], why);
		if (err < 0)
			return err;
	}
	return 0;
}

static int state_read(const json_t *root, struct mesos_state *state, struct fail *why)
{
	if (mesos_answer_text(root, "id", &state->id) < 0 ||
	    mesos_answer_text(root, "pid", &state->pid) < 0 ||
	    mesos_answer_text(root, "version", &state->version) < 0 ||
	    mesos_answer_text(root, "hostname", &state->hostname) < 0 ||
	    mesos_flags_read(json_object_get(root, "flags"), &state->flags) < 0)
		return mesos_answer_memory(WHAT, why);
	state->start_time = json_number_value(json_object_get(root, "start_time"));
	return frameworks_read(root, state, why);
}

int mesos_state_parse(struct mesos_span body, struct mesos_state **ret_state, struct fail *why)
{
	struct mesos_state *state = NULL;
	json_t *root = NULL;
	int err = mesos_answer_load(body, WHAT, &root, why);

	if (err < 0)
		return err;
	state = calloc(1, sizeof(*state));
	err = state ? state_read(root, state, why) : mesos_answer_memory(WHAT, why);
	if (err == 0) {
		*ret_state = state;
		state = NULL;
	}
	mesos_state_free(state);
	json_decref(root);
	return err;
}
