/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes by proc(5).
 *
 * All files of a process are opened relative to its directory in /proc, whose inode holds the
 * kernel's struct pid: when the process ends, even if its number is given to another, they fail
 * with ESRCH. What is put of one process never mixes two.
 */
#ifndef EW_OBSERVE_PROC_PROCFS_H
#define EW_OBSERVE_PROC_PROCFS_H

#include <stdbool.h>
#include <stdint.h>

struct fact_sink;
struct error;
struct procfs;

/* Holds /proc and the read buffers. */
int procfs_new(struct procfs **ret_procfs, struct error *error);
void procfs_free(struct procfs *procfs);

struct procfs_row {
	int32_t pid;
	uint64_t netns; /* inode; 0: not permitted to know */
	bool mesos;	/* MESOS_EXECUTOR_ID is in its environment: FACT_PROCESS was put */
};

struct procfs_visitor {
	/* Gets every process; may be NULL. */
	void (*each)(void *ctx, const struct procfs_row *row);
	/*
	 * Does the library matter of this process? Finding it costs more than all the rest. NULL:
	 * of each that has a Mesos environment.
	 */
	bool (*library_matters)(void *ctx, int32_t pid);
	void *ctx;
};

/*
 * Reads the environment of every process and puts FACT_PROCESS for those that have
 * MESOS_EXECUTOR_ID: executors, and what they started. One FACT_UNREAD for those whose environment
 * may not be read. Processes that end meanwhile are passed over. Never looks at descriptors.
 */
int procfs_walk(struct procfs *procfs, const struct fact_sink *sink,
		const struct procfs_visitor *visitor, struct error *error);

/* Puts FACT_PROCESS for one process, whatever its environment. -ESRCH: it is gone, nothing put. */
int procfs_emit(struct procfs *procfs, int32_t pid, const struct fact_sink *sink);

/* Start time in clock ticks since boot; 0: the process is gone. */
uint64_t procfs_start(struct procfs *procfs, int32_t pid);

#endif
