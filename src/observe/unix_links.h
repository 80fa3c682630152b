/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors' connections to an agent's domain socket (Mesos 1.10, --http_executor_domain_sockets).
 */
#ifndef EW_OBSERVE_UNIX_LINKS_H
#define EW_OBSERVE_UNIX_LINKS_H

struct fact_sink;
struct snapshot;

/*
 * Emits FACT_UNIX_LINK for each connection of a process with MESOS_DOMAIN_SOCKET to a listener with
 * a path: the variable alone says nothing, v0 executors have it too and use TCP. peer_pid is the
 * agent where that holds the other end. FACT_UNREAD where the sockets could not be listed.
 */
void unix_links_emit(const struct snapshot *snapshot, const struct fact_sink *sink);

#endif
