/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Final states of tasks, and evidence of executors' ends, by run and source. */
#include <stdlib.h>
#include <string.h>

#include "mesos/task_state.h"
#include "model/store/apply.h"
#include "model/store/checkpoints.h"
#include "model/store/memory.h"
#include "model/store/task_ends.h"

static struct run_end *run_end(struct store *store, const struct run_key *key)
{
	struct run_end *run;

	HASH_FIND(hh, store->run_ends, key, sizeof(*key), run);
	if (run)
		return run;
	run = calloc(1, sizeof(*run));
	if (!run) {
		store->broken = true;
		return NULL;
	}
	run->key = *key;
	HASH_ADD(hh, store->run_ends, key, sizeof(run->key), run);
	return run;
}

const struct run_end *store_run_end(const struct store *store, const struct run_key *key)
{
	struct run_end *run;

	HASH_FIND(hh, store->run_ends, key, sizeof(*key), run);
	return run;
}

/* The entry of this task from this source; for messages, from this process. */
static struct task_end *task_end(struct store *store, struct run_end *run, const char *task_id,
				 enum cause source, int32_t pid, uint64_t start)
{
	struct task_end *task;

	for (task = run->tasks; task; task = task->next)
		if (task->task_id == task_id && task->source == source && task->pid == pid &&
		    task->start == start)
			return task;
	task = calloc(1, sizeof(*task));
	if (!task) {
		store->broken = true;
		return NULL;
	}
	task->task_id = task_id;
	task->source = source;
	task->pid = pid;
	task->start = start;
	task->next = run->tasks;
	run->tasks = task;
	return task;
}

void store_apply_task(struct store *store, const struct fact *fact)
{
	const struct fact_task *from = &fact->task;
	struct run_key key =
		store_run_key(store, from->framework_id, from->executor_id, from->container_id);
	enum cause source =
		strcmp(store_text(store, from->source), "api") == 0 ? CAUSE_API : CAUSE_DISK;
	struct run_end *run;
	struct task_end *task;

	if (!mesos_task_state_is_final(from->state))
		return;
	run = run_end(store, &key);
	task = run ? task_end(store, run, store_text(store, from->task_id), source, 0, 0) : NULL;
	if (!task)
		return;
	task->state = store_text(store, from->state);
	task->reason = store_text(store, from->reason);
	task->by = store_text(store, from->by);
	task->at = store_mono(store, from->wall);
}

void store_apply_task_message(struct store *store, const struct process *process,
			      const struct fact *fact)
{
	const struct process_facts *p = &process->facts;
	struct run_key key = store_run_key(store, p->framework_id, p->executor_id, p->container_id);
	struct run_end *run;
	struct task_end *task;

	if (!mesos_task_state_is_final(fact->message.task_state))
		return;
	run = run_end(store, &key);
	task = run ? task_end(store, run, store_text(store, fact->message.task_id), CAUSE_EVENT,
			      process->key.pid, process->key.start)
		   : NULL;
	if (!task || task->at) /* unacknowledged updates are sent again */
		return;
	task->state = store_text(store, fact->message.task_state);
	task->reason = "";
	task->by = "executor";
	task->at = fact->mono;
}

void store_apply_end(struct store *store, const struct fact *fact)
{
	const struct fact_end *from = &fact->end;
	struct run_key key =
		store_run_key(store, from->framework_id, from->executor_id, from->container_id);
	struct run_end *run = run_end(store, &key);
	struct post_mortem *end = run ? calloc(1, sizeof(*end)) : NULL;

	if (!end) {
		store->broken = true;
		return;
	}
	end->cause = store_text(store, from->cause);
	end->source = store_text(store, from->source);
	end->text = store_text(store, from->text);
	end->at = store_mono(store, from->wall);
	for (const struct post_mortem *had = run->found; had; had = had->next) {
		if (had->cause == end->cause && had->source == end->source &&
		    had->text == end->text) {
			free(end);
			return;
		}
	}
	end->next = run->found;
	run->found = end;
}

static void run_end_free(struct run_end *run)
{
	while (run->tasks) {
		struct task_end *next = run->tasks->next;

		free(run->tasks);
		run->tasks = next;
	}
	while (run->found) {
		struct post_mortem *next = run->found->next;

		free(run->found);
		run->found = next;
	}
	free(run);
}

void store_clear_run_ends(struct store *store)
{
	struct run_end *run, *next;

	HASH_ITER(hh, store->run_ends, run, next)
	{
		HASH_DEL(store->run_ends, run);
		run_end_free(run);
	}
}
