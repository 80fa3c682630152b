/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes by proc(5).
 *
 * All files of a process are opened relative to its directory in /proc, whose inode holds the
 * kernel's struct pid: when the process ends, even if its number is given to another, they fail
 * with ESRCH. A fact of one process never mixes two.
 */
#ifndef EW_OBSERVE_PROC_PROCFS_H
#define EW_OBSERVE_PROC_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

struct fact_sink;
struct error;
struct pid_set;
struct procfs;

/* Holds /proc and the read buffers. */
int procfs_new(struct procfs **ret_procfs, struct error *error);

/* No file is waited for beyond that time (mono ns; 0: no bound). */
void procfs_bound(struct procfs *procfs, int64_t until);

void procfs_free(struct procfs *procfs);

struct procfs_row {
	int32_t pid;
	uint64_t netns; /* inode; 0: not permitted to know */
	bool mesos;	/* MESOS_EXECUTOR_ID is in its environment */
};

/*
 * Lists the processes of the host: procfs_list() begins, and procfs_next() returns 1 with the next
 * process in *row, 0 at the end, or a negative errno. It reads the environment, never descriptors.
 * Processes that end meanwhile are left out. One list at a time: a second procfs_list() ends it.
 */
int procfs_list(struct procfs *procfs, struct error *error);
int procfs_next(struct procfs *procfs, struct procfs_row *row, struct error *error);

/*
 * From the next list on two threads have half of the processes each, the same half in every list.
 * They share what is read of libraries: the first must begin its list before the second, and stay
 * as long. second NULL: the first has all.
 */
void procfs_halves(struct procfs *first, struct procfs *second);

/*
 * For the list that procfs_list() has just begun: every thread of the host has been looked at
 * (observe/bpf/thread_scan.h), and all that are in state T, t or D, or traced, are of these
 * processes. odd must stay until the list ends. The threads of the others are not read again.
 */
void procfs_list_threads(struct procfs *procfs, const struct pid_set *odd);

/*
 * For the list that procfs_list() has just begun: the library of a process that still runs the
 * program that it ran in the last such list is not looked for again within a minute.
 */
void procfs_list_keep_libraries(struct procfs *procfs);

/*
 * Emits FACT_PROCESS for the process that procfs_next() has just returned, one with row->mesos.
 * closely: with its program, arguments, cgroup, the state of its threads and its Mesos library; to
 * find the library costs more than all the rest. Returns 0 or -ESRCH: it has ended, nothing was
 * emitted.
 */
int procfs_emit_row(struct procfs *procfs, bool closely, const struct fact_sink *sink);

/*
 * Emits one FACT_UNREAD for all processes of the list whose environment may not be read: without
 * privilege that is most of a host.
 */
void procfs_emit_denied(const struct procfs *procfs, const struct fact_sink *sink);

/* Adds those of the other half. */
void procfs_denied_add(struct procfs *procfs, const struct procfs *other);

/*
 * Emits FACT_PROCESS for one process, whatever its environment; closely if it has a Mesos
 * environment, or in any case. -ESRCH: it has ended, no fact; another negative errno: FACT_UNREAD
 * says what could not be read.
 */
int procfs_emit(struct procfs *procfs, int32_t pid, const struct fact_sink *sink);
int procfs_emit_closely(struct procfs *procfs, int32_t pid, const struct fact_sink *sink);

/*
 * Looks again at the processes of the list that were emitted closely with a thread in state t or D
 * (procfs_state.h), and emits FACT_PROCESS for those that can be judged by now. Returns whether
 * others need one more look, some time later: within 2 s after the first all are judged.
 */
bool procfs_recheck(struct procfs *procfs, const struct fact_sink *sink);

/* What was emitted last, with strings that live until the next call of any function here. */
const struct fact_process *procfs_emitted(const struct procfs *procfs);

#endif
