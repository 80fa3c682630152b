/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sockets of a scan by sock_diag, with the descriptors that refer to them by /proc/PID/fd. */
#ifndef EW_OBSERVE_SOCKETS_H
#define EW_OBSERVE_SOCKETS_H

#include <stdbool.h>

struct error;
struct fact_sink;
struct snapshot;
struct sockets;

/*
 * Prepares to emit FACT_SOCKET, and FACT_HOLDER, for: every socket with the agent port at either
 * end, in each namespace where a process of interest lives or something listens on that port; the
 * listening sockets of executors.
 *
 * with_bpf: the sockets with the agent port and their descriptors are in the snapshot already. This
 * then adds what descriptors do not show, and the listening sockets of those processes which alone
 * tell which of them is the executor (snapshot_run_is_plain()). Otherwise the descriptors of every
 * process are read, and all TCP sockets of processes with a Mesos environment are emitted.
 *
 * Expects the processes in the snapshot, and snapshot_find_runs(); sorts it. It stays the caller's.
 * Returns 0 or a negative errno.
 */
int sockets_new(struct snapshot *snapshot, bool with_bpf, struct sockets **ret,
		struct error *error);
void sockets_free(struct sockets *sockets); /* NULL is fine */

/*
 * Does a small part of it: returns 1 when there is more to do, 0 when all was emitted, or a
 * negative errno: the sockets are not complete. The facts are to be added to the snapshot.
 */
int sockets_step(struct sockets *sockets, const struct fact_sink *sink, struct error *error);

#endif
