/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes of the host. */
#include <sched.h>
#include <stdbool.h>
#include <time.h>

#include "base/error.h"
#include "base/now.h"
#include "observe/bpf/thread_scan.h"
#include "observe/proc/procfs.h"
#include "observe/process_half.h"
#include "observe/scan_internal.h"
#include "observe/snapshot.h"

/*
 * One thread more, where there is a processor for it, and not in a watch, which has time. Without
 * one all is read here.
 */
static void half_choose(struct scan *scan)
{
	cpu_set_t cpus;
	bool wanted = scan->scope == SCAN_ALL && sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
		      CPU_COUNT(&cpus) > 1;

	if (wanted && !scan->half)
		process_half_new(scan->procfs, scan->snapshot, &scan->half, NULL);
	if (!wanted) {
		process_half_free(scan->half);
		scan->half = NULL;
	}
}

/* An executor's library matters, not that of the processes which it has started. Without BPF the
 * executors are not known yet: every process is read closely. */
static int processes_begin(struct scan *scan, struct error *error)
{
	const struct pid_set *odd = NULL;
	int err;

	half_choose(scan);
	err = procfs_list(scan->procfs, error);
	if (err < 0)
		return err;
	if (scan->threads && ew_thread_scan_run(scan->threads, &scan->odd) == 0)
		odd = &scan->odd;
	procfs_list_threads(scan->procfs, odd);
	if (scan->scope != SCAN_ALL) /* one of many, of a watch */
		procfs_list_keep_libraries(scan->procfs);
	if (scan->half)
		process_half_begin(scan->half, scan->with_bpf, odd);
	return 0;
}

static enum step processes_end(struct scan *scan, int err, struct error *error)
{
	struct error other = { 0 };

	if (scan->half && process_half_end(scan->half, scan->snapshot, &scan->sink, &other) < 0 &&
	    !err) {
		err = other.code;
		*error = other;
	}
	procfs_emit_denied(scan->procfs, &scan->sink);
	snapshot_sort_processes(scan->snapshot);
	snapshot_find_runs(scan->snapshot);
	return err < 0 ? scan_fail(scan, "processes", error) : STEP_DONE;
}

enum step scan_processes_step(struct scan *scan)
{
	struct error error = { 0 };
	struct procfs_row row;
	int more = scan->at++ ? 1 : processes_begin(scan, &error) ?: 1;

	for (int i = 0; i < A_STEP && more > 0; i++) {
		more = procfs_next(scan->procfs, &row, &error);
		if (more > 0 &&
		    process_emit(scan->procfs, &row, scan->snapshot, scan->with_bpf, &scan->sink))
			snapshot_add_row(scan->snapshot, &row);
	}
	return more > 0 ? STEP_MORE : processes_end(scan, more, &error);
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

	bool more = procfs_recheck(scan->procfs, &scan->sink);

	more |= process_half_recheck(scan->half, &scan->sink);
	if (more) {
		nanosleep(&pause, NULL);
		return STEP_MORE;
	}
	snapshot_sort_processes(scan->snapshot);
	return STEP_DONE;
}
