/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * execwatch asks the agent's API, and sees itself do it. On a quiet node that would be all one
 * sees: events of its own connections are told apart here, and not shown (they are recorded).
 */
#ifndef EW_CLI_OWN_TRAFFIC_H
#define EW_CLI_OWN_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

#define OWN_MAX 16 /* questions are asked one at a time; a few may be closing */

struct own_traffic {
	int32_t pid; /* of execwatch */
	struct {
		uint64_t cookie;
		uint16_t port; /* its local port, once that is known */
	} connection[OWN_MAX]; /* a ring: the oldest is forgotten */
	size_t next;
};

/* Is this event of one of our own connections, at either end? To be asked of each fact in order. */
bool own_traffic_event(struct own_traffic *own, const struct fact *fact);

#endif
