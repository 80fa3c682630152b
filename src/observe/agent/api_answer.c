/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/api_answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "facts.h"
#include "mesos/api_state.h"

static void emit_flags(const struct fact_api *answer, const struct mesos_flags *flags,
		       const struct fact_sink *sink)
{
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++) {
		struct fact fact = { .type = FACT_FLAG, .mono = now_mono() };

		if (!flags->watched[i])
			continue;
		fact.flag.pid = answer->pid;
		fact.flag.start = answer->start;
		fact.flag.when = "running";
		fact.flag.name = mesos_flag_table[i].name;
		fact.flag.value = flags->watched[i];
		fact.flag.source = "api";
		fact_emit(sink, &fact);
	}
}

void api_answer_flags(struct fact_api *answer, const struct mesos_flags *flags,
		      const struct fact_sink *sink)
{
	answer->work_dir = flags->work_dir;
	answer->recovery_timeout = flags->recovery_timeout_ns;
	answer->reregister_timeout = flags->reregistration_timeout_ns;
	emit_flags(answer, flags, sink);
	if (flags->strict)
		answer->strict = strcmp(flags->strict, "false") == 0 ? EW_NO : EW_YES;
}

/* False: no memory, and no fact. */
static bool emit_executor(const struct fact_api *answer, const struct mesos_framework *framework,
			  const struct mesos_executor *executor, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_API_EXECUTOR, .mono = now_mono() };
	const char **tasks = calloc(executor->n_tasks + 1, sizeof(*tasks));

	if (!tasks)
		return false;
	for (const struct mesos_task *task = executor->tasks; task; task = task->next)
		tasks[fact.api_executor.n_tasks++] = *task->name ? task->name : task->id;
	fact.api_executor.answer_nr = answer->answer_nr;
	fact.api_executor.framework_id = framework->id;
	fact.api_executor.executor_id = executor->id;
	fact.api_executor.container_id = executor->container;
	fact.api_executor.completed = executor->completed || framework->completed;
	fact.api_executor.tasks = tasks;
	fact_emit(sink, &fact);
	free(tasks);
	return true;
}

/* How those of its tasks ended that are over. */
static void emit_tasks(const struct mesos_framework *framework,
		       const struct mesos_executor *executor, const struct fact_sink *sink)
{
	for (const struct mesos_task *task = executor->ended; task; task = task->next) {
		struct fact fact = { .type = FACT_TASK, .mono = now_mono() };

		fact.task.framework_id = framework->id;
		fact.task.executor_id = executor->id;
		fact.task.container_id = executor->container;
		fact.task.task_id = task->id;
		fact.task.state = task->state;
		fact.task.source = "api";
		fact.task.wall = (int64_t)(task->timestamp * (double)NS_PER_S);
		fact_emit(sink, &fact);
	}
}

/*
 * Access rules take what a caller may not see out of an answer, flags and executors alike (Mesos
 * common/authorization.cpp): without rules, and with the flags there, nothing was taken out.
 */
static enum ew_tri is_complete(const struct mesos_flags *flags)
{
	if (!*flags->work_dir)
		return EW_UNKNOWN;
	return *flags->acls || (*flags->authorizers && strcmp(flags->authorizers, "local") != 0)
		       ? EW_NO
		       : EW_YES;
}

int api_answer_state(struct fact_api *answer, const struct mesos_state *state,
		     const struct fact_sink *sink)
{
	answer->slave_id = state->id;
	answer->version = state->version;
	answer->start_time = state->start_time;
	answer->upid = state->pid;
	answer->complete = is_complete(&state->flags);
	api_answer_flags(answer, &state->flags, sink);
	for (const struct mesos_framework *f = state->frameworks; f; f = f->next)
		for (const struct mesos_executor *e = f->executors; e; e = e->next) {
			emit_tasks(f, e, sink);
			if (!emit_executor(answer, f, e, sink))
				return -ENOMEM;
		}
	return 0;
}
