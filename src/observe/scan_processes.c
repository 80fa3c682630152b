/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes of the host. */
#include <errno.h>
#include <time.h>

#include "base/error.h"
#include "base/now.h"
#include "observe/bpf/thread_scan.h"
#include "observe/proc/procfs.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

/*
 * An executor's library matters, not that of the processes which it has started. Without BPF the
 * executors are not known yet: every process is read closely.
 */
static void take_process(struct scan *scan, const struct procfs_row *row)
{
	bool closely = !scan->with_bpf || snapshot_is_linked(scan->snapshot, row->pid);

	if (row->mesos && procfs_emit_row(scan->procfs, closely, &scan->sink) == -ESRCH)
		return;
	snapshot_add_row(scan->snapshot, row);
}

static int processes_begin(struct scan *scan, struct error *error)
{
	int err = procfs_list(scan->procfs, error);

	if (!err && scan->threads && ew_thread_scan_run(scan->threads, &scan->odd) == 0)
		procfs_list_threads(scan->procfs, &scan->odd);
	return err;
}

enum step scan_processes_step(struct scan *scan)
{
	struct error error = { 0 };
	struct procfs_row row;
	int more = scan->at++ ? 1 : processes_begin(scan, &error) ?: 1;

	for (int i = 0; i < A_STEP && more > 0; i++) {
		more = procfs_next(scan->procfs, &row, &error);
		if (more > 0)
			take_process(scan, &row);
	}
	if (more > 0)
		return STEP_MORE;
	procfs_emit_denied(scan->procfs, &scan->sink);
	snapshot_sort_processes(scan->snapshot);
	snapshot_find_runs(scan->snapshot);
	return more < 0 ? scan_fail(scan, "processes", &error) : STEP_DONE;
}

/* Where it is not clear which process of a run is the executor, the library shows it. */
enum step scan_libraries_step(struct scan *scan)
{
	const struct snapshot *snapshot = scan->snapshot;

	if (scan->at == 0)
		scan->n = scan->with_bpf ? snapshot_n_processes(snapshot) : 0;
	for (int i = 0; i < A_STEP && scan->at < scan->n; i++) {
		const struct snapshot_process *process = snapshot_process(snapshot, scan->at++);

		if (process->mesos && !snapshot_is_linked(snapshot, process->pid) &&
		    !snapshot_run_is_plain(snapshot, process->run))
			procfs_emit(scan->procfs, process->pid,
				    &scan->sink); /* adds it, behind n */
	}
	if (scan->at < scan->n)
		return STEP_MORE;
	snapshot_sort_processes(scan->snapshot);
	return snapshot_is_broken(snapshot) ? STEP_FAILED : STEP_DONE;
}

/*
 * A thread at a tracer's stop or in uninterruptible sleep is looked at a second time. This comes
 * last: by now most have gone on.
 */
enum step scan_states_step(struct scan *scan)
{
	static const struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

	if (procfs_recheck(scan->procfs, &scan->sink)) {
		nanosleep(&pause, NULL);
		return STEP_MORE;
	}
	snapshot_sort_processes(scan->snapshot);
	return STEP_DONE;
}
