/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent: who listens on the agent port, and where it keeps its files. */
#ifndef EW_OBSERVE_AGENT_SCAN_H
#define EW_OBSERVE_AGENT_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct procfs;
struct snapshot;

/*
 * Puts FACT_AGENT for every process that holds a socket which listens on the agent port, in any
 * namespace, and FACT_PROCESS for all that hold a socket with that port at either end and have none
 * yet. Others than the agent may be among them: names are facts, what they mean is not judged here.
 * Those in our own network namespace come last.
 */
void agent_emit_all(struct procfs *procfs, struct snapshot *snapshot);

/*
 * Finds the agent's work directory, as it can be opened here, when nobody named it: --work_dir of
 * the agent's command line, MESOS_WORK_DIR of its environment, what its executors' MESOS_DIRECTORY
 * is below; only if it has meta/. Through /proc/PID/root where the process sees other mounts. The
 * agent need not run.
 */
bool agent_work_dir(const struct snapshot *snapshot, char *buf, size_t size);

/* Where that tells nothing: what its API has said, else the usual places. Returns 0 or -ENOENT. */
int agent_work_dir_guess(const struct snapshot *snapshot, char *buf, size_t size,
			 struct error *error);

#endif
