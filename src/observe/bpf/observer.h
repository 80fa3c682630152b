/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live observation by BPF: TCP connections of the agent and its executors, fork, exec, exit and
 * signals of their processes, and the protocol messages they send. Emits FACT_HOOK, FACT_SOCKET,
 * FACT_HOLDER, FACT_TCP, FACT_FORK, FACT_EXEC, FACT_EXIT, FACT_SIGNAL, FACT_MESSAGE, FACT_LOST.
 *
 * Order of use: open (the programs are active from then on), scan (what was there before), then
 * dispatch whenever the descriptor is readable. Observed are all sockets with the agent port at
 * either end, in every network namespace; all connections made or accepted by processes that were
 * added; and what the programs learn by themselves: a process that listens on the agent port is an
 * agent, and three generations of its descendants are followed.
 *
 * A new agent shows as FACT_TCP with to == TCP_LISTEN and the agent port as local port; FACT_AGENT
 * needs /proc and is not emitted here. The pid of FACT_TCP is the process that connects, listens or
 * closes; of an accepted connection (SYN_RECV to ESTABLISHED) it is the listener's. If another
 * process is then seen reading or sending, a FACT_TCP with from == to names it.
 */
#ifndef EW_OBSERVE_BPF_OBSERVER_H
#define EW_OBSERVE_BPF_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/bpf/bpf_options.h"

struct agent_ports;
struct ew_bpf;
struct fact_sink;
struct error;

/*
 * Loads and attaches. Emits a FACT_HOOK for each hook. Needs CAP_BPF and CAP_PERFMON (CAP_NET_ADMIN
 * too for messages from cgroup_skb), and a kernel with BTF; before 5.12 root and a mounted cgroup2
 * hierarchy (bpf/cookie.bpf.h explains why). Errors: -EPERM (a capability or lockdown, see *error),
 * -ENOTSUP (no BTF; too old and no cgroup2), -EINVAL and others from loading, -EIO (the self-test
 * failed).
 */
int ew_bpf_open(const struct ew_bpf_options *options, const struct fact_sink *sink,
		struct ew_bpf **ret, struct error *error);
/* Detaches and unloads everything, and removes the pins unless options.keep. NULL is fine. */
void ew_bpf_free(struct ew_bpf *observer);

/*
 * With options.pins, everything is pinned in that directory (it is made, and a bpf filesystem
 * mounted on it, unless it is in one; its parent must exist). When the process is killed, or
 * options.keep is set, the programs stay active, and the next open with the same directory, port
 * and ring sizes resumes: its first dispatch emits once more what the earlier one had read, as far
 * back as that was stored, and all that has happened since; the rest is counted as lost. One
 * observer at a time may use a directory: the caller holds a lock. When pinning fails, FACT_HOOK
 * "pins" says why, and the observer works without.
 */
bool ew_bpf_resumed(const struct ew_bpf *observer);
/* Will the next one resume after ew_bpf_free()? Only with options.keep, and if it is pinned. */
bool ew_bpf_kept(const struct ew_bpf *observer);

/*
 * Ports of the agent: the one that it was opened with, those that an earlier observer was told, and
 * those of the last ew_bpf_set_ports(). That adds the ports that the agent advertises: sockets with
 * one of them at either end are observed from now on; ew_bpf_scan() finds those that were there
 * before. ports->v[0] is ignored. Returns 0 or a negative errno of bpf(2).
 */
void ew_bpf_ports(const struct ew_bpf *observer, struct agent_ports *ports);
int ew_bpf_set_ports(struct ew_bpf *observer, const struct agent_ports *ports);

/* Readable when there is something to dispatch; for epoll. Owned by the observer. */
int ew_bpf_fd(const struct ew_bpf *observer);

/* Emits the facts of all events there are, in order of time. Never blocks. */
void ew_bpf_dispatch(struct ew_bpf *observer, const struct fact_sink *sink);

/*
 * Empties the rings into memory unless that was done some ms ago: cheap, and to be called often
 * during other long work. The next dispatch emits what was read.
 */
void ew_bpf_poll_throttled(struct ew_bpf *observer);

/* The same, and emits what was read when it is much. Must not be called from the sink. */
void ew_bpf_flush_if_large(struct ew_bpf *observer, const struct fact_sink *sink);

/*
 * Scans all descriptors of all processes and emits FACT_SOCKET and FACT_HOLDER for each observed
 * socket, together with the events that wait, in order of time. Sees only processes of the caller's
 * pid namespace. A socket that the scan does not find has no descriptor any more. May be repeated.
 * Errors: those of bpf(2) and read(2); -ENOTSUP before 5.8.
 */
int ew_bpf_scan(struct ew_bpf *observer, const struct fact_sink *sink, struct error *error);

enum ew_bpf_role { EW_BPF_ROLE_AGENT = 1, EW_BPF_ROLE_EXECUTOR = 2 };

/*
 * Follows a process: its connections, signals, exit, and its children (an agent's: three
 * generations). start as in facts.h. Add it first, then check that it is still there: an exit
 * before the adding is not seen. Adding it again adds the role. Errors: -E2BIG (more than 16,384).
 */
int ew_bpf_add_process(struct ew_bpf *observer, int32_t pid, uint64_t start, enum ew_bpf_role role,
		       struct error *error);
/*
 * Emits a FACT_LOST for each cause whose count has changed since the last call, or for all, counted
 * since the first event that this observer can report. Causes: "history" (read by an execwatch that
 * was killed, and no longer stored, with whatever else was lost by then: the fact has the time
 * until which events may be missing), "lifecycle-ring" and "message-ring" (full; seen is all that
 * the programs saw, see struct ew_counters), "message-memory" (the sender's memory could not be
 * read), "map-full" (an event was lost, or its process or connection is not followed), "no-cookie"
 * (a socket without one, before 5.12), "recursion" (the kernel skipped a program), "memory". Exits
 * that a full ring has lost are emitted as FACT_EXIT from the kernel's map. Returns true when
 * anything was lost since the last call, or may have been: skipped changes of TCP state are counted
 * for the whole host. Scan again then.
 */
bool ew_bpf_counters(struct ew_bpf *observer, bool all, const struct fact_sink *sink);

#endif
