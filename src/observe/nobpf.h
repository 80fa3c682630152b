/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live observation without BPF: fork, exec and exit of the followed processes by the proc connector
 * and pidfds, the end of TCP sockets by sock_diag's destroy notifications. Emits FACT_HOOK,
 * FACT_FORK, FACT_EXEC, FACT_EXIT, FACT_TCP, FACT_LOST.
 *
 * Not observed, and to be found by snapshots: new connections and listeners, half-closed
 * connections (the kernel notifies when it frees the socket). Signals, their senders and protocol
 * messages are not observed at all. FACT_HOOK says so, with the reason when this kernel could do
 * more.
 *
 * Order of use: open, add the processes, then dispatch whenever the descriptor is readable and at
 * least every second.
 */
#ifndef EW_OBSERVE_NOBPF_H
#define EW_OBSERVE_NOBPF_H

#include <stdbool.h>
#include <stdint.h>

struct fact_sink;
struct error;
struct agent_ports;
struct nobpf;

struct nobpf_options {
	uint16_t agent_port;
	const char *reason; /* why BPF is not used, for FACT_HOOK; may be NULL */
};

/*
 * Emits a FACT_HOOK for each hook. Errors: lack of memory or descriptors only; a hook that this
 * host does not offer is reported as missing. The proc connector needs the initial user and pid
 * namespaces, access to the initial network namespace (be in it, or see its pid 1), and before 6.6
 * CAP_NET_ADMIN; the rest needs no privilege except to enter other network namespaces
 * (CAP_SYS_ADMIN).
 */
int nobpf_open(const struct nobpf_options *options, const struct fact_sink *sink,
	       struct nobpf **ret, struct error *error);
void nobpf_free(struct nobpf *nobpf); /* NULL is fine */

/*
 * Follows sockets with a port that the agent advertises too, from now on; ports->v[0] is ignored.
 * Returns 0 or a negative errno: sockdiag_destroy_set_ports().
 */
int nobpf_set_ports(struct nobpf *nobpf, const struct agent_ports *ports);

/* Readable when there is something to dispatch; for epoll. Owned by nobpf. */
int nobpf_fd(const struct nobpf *nobpf);

/* Emits what has happened, a process' exit before the end of its sockets. Never blocks. */
void nobpf_dispatch(struct nobpf *nobpf, const struct fact_sink *sink);

enum nobpf_role { NOBPF_ROLE_AGENT = 1, NOBPF_ROLE_EXECUTOR = 2 };

/*
 * Follows a process: its exit, exec, children (an agent's: three generations), and the ends of the
 * sockets with a port of the agent in its network namespace. start as in facts.h. If the process
 * has exited, or its pid was reused, that is no error, and nothing is emitted for it. May be
 * repeated. Errors: -ENOMEM, -EMFILE, and those of entering its network namespace: the process is
 * then followed, its sockets are not.
 */
int nobpf_add_process(struct nobpf *nobpf, int32_t pid, uint64_t start, enum nobpf_role role,
		      struct error *error);

/*
 * Emits a FACT_LOST for each cause whose count has changed since the last call, or for all. Causes:
 * "proc-connector" (exits are seen all the same, perhaps without their status), "sock-diag".
 * Returns true when anything was lost since the last call: a new snapshot is needed.
 */
bool nobpf_counters(struct nobpf *nobpf, bool all, const struct fact_sink *sink);

#endif
