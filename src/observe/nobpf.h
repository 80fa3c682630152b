/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live observation without BPF: the lives of watched processes by the proc connector and pidfds,
 * the end of TCP sockets by sock_diag's destroy notifications. Facts put: FACT_HOOK, FACT_FORK,
 * FACT_EXEC, FACT_EXIT, FACT_TCP, FACT_LOST.
 *
 * Not seen, and to be found by surveys: connections as they are made, half closed ones (a socket is
 * told of when the kernel frees it), who began to listen; signals, senders of signals and protocol
 * messages are not seen at all. FACT_HOOK says so, with the reason where something is missing that
 * this kernel could give.
 *
 * Order of use: open, add the processes, then drain whenever the descriptor is readable and at
 * least every second.
 */
#ifndef EW_OBSERVE_NOBPF_H
#define EW_OBSERVE_NOBPF_H

#include <stdbool.h>
#include <stdint.h>

struct fact_sink;
struct error;
struct nobpf;

struct nobpf_options {
	uint16_t agent_port;
	const char *reason; /* why there is no BPF, for FACT_HOOK; NULL: none is given */
};

/*
 * Puts a FACT_HOOK for each slot. Only lack of memory or descriptors is an error: what this host
 * does not give is missing, and told. The proc connector needs the first user and pid namespace, a
 * way into the first network namespace (be in it, or see its pid 1), and before 6.6 CAP_NET_ADMIN;
 * the rest needs no privilege but for entering other network namespaces (CAP_SYS_ADMIN).
 */
int nobpf_open(const struct nobpf_options *options, const struct fact_sink *sink,
	       struct nobpf **ret, struct error *error);
void nobpf_free(struct nobpf *watch); /* NULL is fine */

/* Readable when there is something to drain; for epoll. Owned by watch. */
int nobpf_fd(const struct nobpf *watch);

/* Puts the facts of what has happened; a process' end before that of its sockets. Never blocks. */
void nobpf_dispatch(struct nobpf *watch, const struct fact_sink *sink);

enum nobpf_role { NOBPF_ROLE_AGENT = 1, NOBPF_ROLE_EXECUTOR = 2 };

/*
 * Watches a process: its end, exec, children (an agent's: three generations), and the ends of the
 * sockets of its network namespace that have the agent port. start as in facts.h. A process that is
 * not there any more, or another one by that start, is no error, and nothing is put of it. Adding
 * it again is fine. Errors: -ENOMEM, -EMFILE, and those of entering its network namespace: its end
 * is then watched, its sockets' is not.
 */
int nobpf_add_process(struct nobpf *watch, int32_t pid, uint64_t start, enum nobpf_role role,
		      struct error *error);

/*
 * Puts a FACT_LOST for each cause whose count has changed since the last call, or for all. Causes:
 * "proc-connector" (ends are seen all the same, their exit status may not be), "sock-diag". Returns
 * true when anything was lost since the last call: survey again then.
 */
bool nobpf_counters(struct nobpf *watch, bool all, const struct fact_sink *sink);

#endif
