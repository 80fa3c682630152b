/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which processes have a connection to the agent, and which of a run is the executor. */
#include <stdlib.h>

#include "observe/snapshot_internal.h"

static int pid_order(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int run_order(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->run < y->run ? -1 : x->run > y->run;
}

void snapshot_find_linked(struct snapshot *snapshot)
{
	snapshot->n_linked = 0;
	for (size_t i = 0; i < snapshot->n_sockets; i++) {
		const struct fact_holder *holders;
		size_t n;

		if (!agent_ports_have(&snapshot->ports, snapshot->sockets[i].remote.port))
			continue;
		holders = snapshot_holders(snapshot, snapshot->sockets[i].cookie, &n);
		for (size_t j = 0; j < n; j++)
			if (snapshot_reserve(snapshot, &snapshot->linked, &snapshot->linked_cap,
					     snapshot->n_linked, sizeof(*snapshot->linked)))
				snapshot->linked[snapshot->n_linked++] = holders[j].pid;
	}
	snapshot_sort_unique(snapshot->linked, &snapshot->n_linked, sizeof(*snapshot->linked),
			     pid_order);
}

bool snapshot_is_linked(const struct snapshot *snapshot, int32_t pid)
{
	return snapshot->n_linked &&
	       bsearch(&pid, snapshot->linked, snapshot->n_linked, sizeof(pid), pid_order);
}

static bool has_parent_in_run(const struct snapshot *snapshot,
			      const struct snapshot_process *process)
{
	const struct snapshot_process *parent = snapshot_process_find(snapshot, process->ppid);

	return parent && parent->mesos && parent->run == process->run;
}

void snapshot_find_runs(struct snapshot *snapshot)
{
	snapshot->n_runs = 0;
	for (size_t i = 0; i < snapshot->n_processes; i++) {
		const struct snapshot_process *process = &snapshot->processes[i];

		if (!process->mesos || !snapshot_is_linked(snapshot, process->pid) ||
		    !snapshot_reserve(snapshot, &snapshot->runs, &snapshot->runs_cap,
				      snapshot->n_runs, sizeof(*snapshot->runs)))
			continue;
		snapshot->runs[snapshot->n_runs++] = (struct run){
			.run = process->run,
			.is_executor = process->library && !has_parent_in_run(snapshot, process),
		};
	}
	if (snapshot->n_runs)
		qsort(snapshot->runs, snapshot->n_runs, sizeof(*snapshot->runs), run_order);
}

bool snapshot_run_is_plain(const struct snapshot *snapshot, uint64_t run)
{
	struct run key = { .run = run };
	const struct run *found = snapshot->n_runs ? bsearch(&key, snapshot->runs, snapshot->n_runs,
							     sizeof(key), run_order)
						   : NULL;

	return found && found->is_executor && !(found > snapshot->runs && found[-1].run == run) &&
	       !(found + 1 < snapshot->runs + snapshot->n_runs && found[1].run == run);
}
