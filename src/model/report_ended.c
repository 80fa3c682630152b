/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors that have ended since a watch began. */
#include <string.h>

#include "base/arena.h"
#include "model/appeared.h"
#include "model/model_private.h"
#include "model/report_row.h"

static void ended_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;
	size_t max = store->baselines.n + HASH_COUNT(store->processes);

	report->ended = arena_array(report->arena, max, sizeof(*report->ended));
	if (!report->ended)
		return;
	for (size_t i = 0; i < store->baselines.n; i++) {
		const struct fact_baseline *b = &store->baselines.v[i];

		if (!process_is_alive(store_process_find(store, b->pid, b->start)))
			report_row_compare(view, b, true, &report->ended[report->n_ended++],
					   report->arena);
	}
	HASH_ITER(hh, store->processes, process, next)
	{
		if (appeared_is_dead(store, process))
			report_row_of_appeared(view, process, &report->ended[report->n_ended++],
					       report->arena);
	}
	report_rows_sort(report->ended, report->n_ended);
}

static bool is_same(const struct report_executor *a, const struct report_executor *b)
{
	return strcmp(a->executor_id, b->executor_id) == 0 &&
	       strcmp(a->framework_id, b->framework_id) == 0 &&
	       strcmp(a->container_id, b->container_id) == 0;
}

/* Checkpoints and the agent's API may list an executor for a while after its process has ended. */
static void ended_remove(struct report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];
		bool ended = false;

		for (size_t j = 0; executor->pid <= 0 && j < report->n_ended; j++)
			ended |= is_same(executor, &report->ended[j]);
		if (!ended)
			report->executors[kept++] = *executor;
	}
	report->n_executors = kept;
}

void report_ended_fill(const struct executors *view, struct report *report)
{
	ended_fill(view, report);
	ended_remove(report);
}
