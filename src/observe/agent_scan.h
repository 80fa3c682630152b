/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent: the process that listens on the agent port, and where it keeps its files. */
#ifndef EW_OBSERVE_AGENT_SCAN_H
#define EW_OBSERVE_AGENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct fact_sink;
struct fact_socket;
struct next_start_options;
struct procfs;
struct snapshot;

/*
 * Emits FACT_PROCESS and FACT_AGENT for every process that has a socket which listens on the agent
 * port, in any namespace; those in the agent's network namespace come last. Programs other than an
 * agent may be among them: a fact names them, and the model judges. next: what will be started. The
 * facts are to be added to the snapshot, which is sorted.
 */
void agent_emit(struct procfs *procfs, struct snapshot *snapshot,
		const struct next_start_options *next, const struct fact_sink *sink);

/*
 * Emits FACT_PROCESS for every process that has the socket, one with the agent port at either end,
 * and has no FACT_PROCESS yet: the master, a monitor. A report names them.
 */
void agent_emit_peers(struct procfs *procfs, struct snapshot *snapshot,
		      const struct fact_socket *socket, const struct fact_sink *sink);

/*
 * Finds the agent's work directory, as it can be opened here, when nobody named it: --work_dir of
 * the agent's command line, MESOS_WORK_DIR of its environment, what its executors' MESOS_DIRECTORY
 * is below; only if it has meta/, and one that root owns rather than another user's. Through
 * /proc/PID/root where the process sees other mounts. The agent need not run.
 */
bool agent_work_dir(const struct snapshot *snapshot, char *buf, size_t size);

/* The user that owns meta/ in a work directory: the agent makes it. False: it cannot be read. */
bool agent_work_dir_owner(const char *path, uint32_t *uid);

/* If that finds nothing: what its API has said, else the usual places. Returns 0 or -ENOENT. */
int agent_work_dir_guess(const struct snapshot *snapshot, char *buf, size_t size,
			 struct error *error);

#endif
