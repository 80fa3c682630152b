/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of a survey: seeded by BPF where there is one, and as sock_diag shows them. */
#ifndef EW_OBSERVE_SOCKETS_H
#define EW_OBSERVE_SOCKETS_H

#include <stdbool.h>

struct error;
struct procfs;
struct snapshot;

/*
 * Puts FACT_SOCKET, and FACT_HOLDER of: every socket with the agent port at either end, in each
 * namespace where a process of interest lives or something listens on that port; the listening
 * sockets of executors. With seeded (somebody has put the sockets with the agent port and their
 * holders already) this adds what descriptors do not show, and the listening sockets of those
 * processes of which only that tells which is the executor (snapshot_run_is_plain()). Otherwise the
 * descriptors of every process are read, and all TCP sockets of processes with a Mesos environment
 * are put. Expects the processes in the snapshot, and snapshot_find_runs() if seeded; sorts it.
 * Returns 0, or a negative errno when the picture is not complete.
 */
int sockets_emit(struct procfs *procfs, struct snapshot *snapshot, bool seeded,
		 struct error *error);

#endif
