/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live observation without BPF: the lives of watched processes by the proc connector and pidfds,
 * the end of TCP sockets by sock_diag's destroy notifications. Facts put: FACT_SLOT, FACT_FORK,
 * FACT_EXEC, FACT_EXIT, FACT_TCP, FACT_LOST.
 *
 * Not seen, and to be found by surveys: connections as they are made, half closed ones (a socket is
 * told of when the kernel frees it), who began to listen; signals, senders of signals and protocol
 * messages are not seen at all. FACT_SLOT says so, with the reason where something is missing that
 * this kernel could give.
 *
 * Order of use: open, add the processes, then drain whenever the descriptor is readable and at
 * least every second.
 */
#ifndef EW_OBSERVE_PLAIN_H
#define EW_OBSERVE_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

struct fact_sink;
struct fail;
struct plain_watch;

struct plain_watch_options {
	uint16_t agent_port;
	const char *reason; /* why there is no BPF, for FACT_SLOT; NULL: none is given */
};

/*
 * Puts a FACT_SLOT for each slot. Only lack of memory or descriptors is an error: what this host
 * does not give is missing, and told. The proc connector needs the first user and pid namespace, a
 * way into the first network namespace (be in it, or see its pid 1), and before 6.6 CAP_NET_ADMIN;
 * the rest needs no privilege but for entering other network namespaces (CAP_SYS_ADMIN).
 */
int plain_watch_open(const struct plain_watch_options *options, const struct fact_sink *sink,
		     struct plain_watch **ret, struct fail *why);
void plain_watch_free(struct plain_watch *watch); /* NULL is fine */

/* Readable when there is something to drain; for epoll. Owned by watch. */
int plain_watch_fd(const struct plain_watch *watch);

/* Puts the facts of what has happened; a process' end before that of its sockets. Never blocks. */
void plain_watch_drain(struct plain_watch *watch, const struct fact_sink *sink);

enum plain_role { PLAIN_ROLE_AGENT = 1, PLAIN_ROLE_EXECUTOR = 2 };

/*
 * Watches a process: its end, exec, children (an agent's: three generations), and the ends of the
 * sockets of its network namespace that have the agent port. start as in facts.h. A process that is
 * not there any more, or another one by that start, is no error, and nothing is put of it. Adding
 * it again is fine. Errors: -ENOMEM, -EMFILE, and those of entering its network namespace: its end
 * is then watched, its sockets' is not.
 */
int plain_watch_add_process(struct plain_watch *watch, int32_t pid, uint64_t start,
			    enum plain_role role, struct fail *why);

/*
 * Puts a FACT_LOST for each cause whose count has changed since the last call, or for all. Causes:
 * "proc-connector" (ends are seen all the same, their exit status may not be), "sock-diag". Returns
 * true when anything was lost since the last call: survey again then.
 */
bool plain_watch_counters(struct plain_watch *watch, bool all, const struct fact_sink *sink);

#endif
