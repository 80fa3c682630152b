/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A quick look at the sockets with a port of the agent, between two scans. */
#ifndef EW_OBSERVE_SOCKET_LOOK_H
#define EW_OBSERVE_SOCKET_LOOK_H

#include <stddef.h>
#include <stdint.h>

struct agent_ports;
struct ew_addr;
struct error;
struct fact_sink;

/*
 * Emits a FACT_SOCKET for each TCP socket with one of the ports at either end, in the namespace
 * nsfd (NETNS_OWN: ours) and in those of the n processes, each namespace once. It is no scan: a
 * socket that is not shown is not said to be gone. A process that has ended is passed over. Returns
 * 0 or a negative errno: then sockets may be missing.
 */
int socket_look(int nsfd, const int32_t *pids, size_t n, const struct agent_ports *ports,
		const struct fact_sink *sink, struct error *error);

/* Does a socket listen on the port in that namespace? 1, 0 or a negative errno. */
int socket_look_listener(int nsfd, uint64_t netns, uint16_t port, struct error *error);

/*
 * Does this process hold a socket that listens on that address or on any, in its own network
 * namespace? 1, 0 or a negative errno.
 */
int socket_look_owned(int32_t pid, const struct ew_addr *at, struct error *error);

#endif
