/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The port that an agent listens on, found by the one that it advertises (flag advertise_port or
 * LIBPROCESS_ADVERTISE_PORT, Mesos 3rdparty/libprocess/src/process.cpp): executors and people may
 * know the latter alone.
 */
#ifndef EW_OBSERVE_AGENT_LISTENER_PORT_H
#define EW_OBSERVE_AGENT_LISTENER_PORT_H

#include <stdint.h>

struct error;

struct listener_port {
	uint16_t port; /* that is listened on; 0: nobody listens, and no agent advertises it */
	int32_t pid;   /* of the agent that advertises the port asked for; 0: it is listened on */
};

/*
 * Who is reached at the port in a network namespace (a descriptor, or NETNS_OWN)? A listener comes
 * first, whoever it is. Else the agent (a process with that name) that says it advertises the port,
 * root's rather than another user's; of several with different listeners none. Returns 0 or a
 * negative errno.
 */
int listener_port_find(int nsfd, uint16_t port, struct listener_port *ret, struct error *error);

#endif
