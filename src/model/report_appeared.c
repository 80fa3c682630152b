/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors that came after the baseline. */
#include <string.h>

#include "base/arena.h"
#include "model/appeared.h"
#include "model/model_private.h"
#include "model/report_row.h"

/* Living ones by their verdict, those that have ended by what is known of that. */
static void appeared_processes_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;

	for (size_t i = 0; i < view->n_executors; i++) {
		struct report_executor *out = &report->executors[report->n_executors];
		const char **why;

		if (!appeared_is_living(store, &view->executors[i]))
			continue;
		if (appeared_came_back(store, &view->executors[i])) {
			report_row_of_appeared(view, view->executors[i].process, out,
					       report->arena);
			report->n_executors++;
			continue;
		}
		report_row_fill(store, &view->executors[i], out, report->arena);
		why = arena_array(report->arena, 1, sizeof(*why));
		/* Of another agent id: not launched by this one, so it is none that came. */
		if (out->verdict == VERDICT_FOREIGN || out->verdict == VERDICT_ORPHANED || !why)
			continue;
		why[0] = appeared_outcome(out, &out->outcome);
		out->why = why;
		out->n_why = 1;
		out->severity = outcome_severity(out->outcome);
		out->appeared = true;
		report->n_executors++;
	}
	HASH_ITER(hh, store->processes, process, next)
	{
		if (appeared_is_dead(store, process))
			report_row_of_appeared(view, process,
					       &report->executors[report->n_executors++],
					       report->arena);
	}
}

/* Of a process that ended before it was read only the executor's id and the pid are known. */
static bool is_row_of_run(const struct report_executor *row, const struct run_key *key,
			  const struct checkpoint *checkpoint)
{
	if (strcmp(row->executor_id, key->executor_id) != 0 ||
	    strcmp(row->framework_id, key->framework_id) != 0)
		return false;
	if (*row->container_id)
		return strcmp(row->container_id, key->container_id) == 0;
	return !checkpoint || !checkpoint->facts.forked_pid ||
	       checkpoint->facts.forked_pid == row->pid;
}

/* A completed run that no process was seen of, or none that was seen to act as an executor. */
static void appeared_run_fill(const struct executors *view, const struct run_key *key,
			      const struct checkpoint *checkpoint, const char *slave_id,
			      struct report *report)
{
	static const char *const unseen[] = {
		"Its run came after the audit and is completed, and no process of it was seen: "
		"what became of it is not known."
	};
	struct report_executor *out = &report->executors[report->n_executors];
	struct process process = appeared_process_of_run(key, slave_id);

	if (!appeared_is_run_over(view->store, key, checkpoint))
		return;
	for (size_t i = 0; i < report->n_executors; i++)
		if (is_row_of_run(&report->executors[i], key, checkpoint))
			return;
	report_row_of_appeared(view, &process, out, report->arena);
	if (out->outcome == OUTCOME_UNKNOWN) {
		out->why = unseen;
		out->n_why = 1;
	}
	report->n_executors++;
}

static void appeared_runs_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct checkpoint *checkpoint, *next_checkpoint;
	const struct listing *listing, *next_listing;

	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint)
	{
		if (checkpoint->facts.completed && store->has_work_dir &&
		    store->work_dir.same_boot != EW_NO &&
		    strcmp(checkpoint->facts.slave_id, store->work_dir.slave_id) == 0)
			appeared_run_fill(view, &checkpoint->key, checkpoint,
					  checkpoint->facts.slave_id, report);
	}
	HASH_ITER(hh, store->listings, listing, next_listing)
	{
		if (listing->completed && listing->answer_nr == store->listed_answer_nr &&
		    store->session.elsewhere != EW_UNKNOWN)
			appeared_run_fill(view, &listing->key, NULL, store->api.slave_id, report);
	}
}

void report_appeared_fill(const struct executors *view, struct report *report)
{
	appeared_processes_fill(view, report);
	appeared_runs_fill(view, report);
}
