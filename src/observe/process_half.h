/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Half of the host's processes, read by a thread while the caller reads the others: on a node of
 * hundreds of executors their files in /proc take longer than all the rest.
 */
#ifndef EW_OBSERVE_PROCESS_HALF_H
#define EW_OBSERVE_PROCESS_HALF_H

#include <stdbool.h>

struct error;
struct fact_sink;
struct pid_set;
struct process_half;
struct procfs;
struct procfs_row;
struct snapshot;

/* other: what reads the other half; must stay, as snapshot. -ENOMEM, or that of procfs_new(). */
int process_half_new(struct procfs *other, const struct snapshot *snapshot,
		     struct process_half **ret, struct error *error);
void process_half_free(struct process_half *half); /* NULL is fine, as below */

/*
 * Begins; other has begun its list. by_links: who has a link (snapshot_is_linked()) is read
 * closely; else all are. odd: as procfs_list_threads() takes it; NULL: not known.
 */
void process_half_begin(struct process_half *half, bool by_links, const struct pid_set *odd);

/*
 * Waits, hands on the facts, and adds the rows to snapshot. Returns 0, or a negative errno where
 * not all processes could be listed: what was read is handed on all the same.
 */
int process_half_end(struct process_half *half, struct snapshot *snapshot,
		     const struct fact_sink *sink, struct error *error);

/* Has one that was begun end after the process that it reads, and forgets what it has read. */
void process_half_drop(struct process_half *half);

/* As procfs_recheck(). */
bool process_half_recheck(struct process_half *half, const struct fact_sink *sink);

/*
 * Emits the fact of a process with a Mesos environment, closely if it is to be read so. Returns
 * whether it is still there. Of both halves.
 */
bool process_emit(struct procfs *procfs, const struct procfs_row *row,
		  const struct snapshot *snapshot, bool by_links, const struct fact_sink *sink);

#endif
