/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/processes.h"

#include <stdlib.h>

struct process *store_process_find(const struct store *store, int32_t pid, uint64_t start)
{
	struct process_key key = { .pid = pid, .start = start };
	struct process *process;

	HASH_FIND(hh, store->processes, &key, sizeof(key), process);
	return process;
}

struct process *store_process(struct store *store, int32_t pid, uint64_t start)
{
	struct process *process = store_process_find(store, pid, start);

	if (process)
		return process;
	process = calloc(1, sizeof(*process));
	if (!process)
		goto broken;
	process->key = (struct process_key){ .pid = pid, .start = start };
	HASH_ADD(hh, store->processes, key, sizeof(process->key), process);
	if (process->hh.tbl)
		return process;
broken:
	free(process);
	store->broken = true;
	return NULL;
}

bool process_is_alive(const struct process *process)
{
	return process && !process->ended && !process->vanished;
}

/* Executors are the agent's children too, but their signals are their own. */
bool process_is_executor(const struct process *process)
{
	return process->known ? *process->facts.executor_id : process->said_executor_id != NULL;
}

struct process *store_executor_find(const struct store *store, int32_t pid, uint64_t start)
{
	struct process *process = store_process_find(store, pid, start);

	return process && process->known && *process->facts.executor_id ? process : NULL;
}

void store_clear_processes(struct store *store)
{
	struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		HASH_DEL(store->processes, process);
		free(process);
	}
}
