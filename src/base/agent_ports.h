/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The ports of one agent. It listens on one and may advertise another (LIBPROCESS_ADVERTISE_PORT,
 * Mesos 3rdparty/libprocess/src/process.cpp): executors then connect to the advertised port, and
 * address translation leads them to the listener.
 */
#ifndef EW_BASE_AGENT_PORTS_H
#define EW_BASE_AGENT_PORTS_H

#include <stdbool.h>
#include <stdint.h>

enum { AGENT_PORTS_MAX = 4 };

struct agent_ports {
	uint16_t v[AGENT_PORTS_MAX]; /* v[0]: the listener's; then those it advertises; 0: none */
};

static inline bool agent_ports_have(const struct agent_ports *ports, uint32_t port)
{
	for (int i = 0; port && i < AGENT_PORTS_MAX; i++)
		if (ports->v[i] == port)
			return true;
	return false;
}

/* Returns true when the port is new and there was room for it. */
static inline bool agent_ports_add(struct agent_ports *ports, uint16_t port)
{
	if (!port || agent_ports_have(ports, port))
		return false;
	for (int i = 1; i < AGENT_PORTS_MAX; i++) {
		if (!ports->v[i]) {
			ports->v[i] = port;
			return true;
		}
	}
	return false;
}

#endif
