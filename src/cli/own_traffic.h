/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * execwatch observes its own connections to the agent's API too. On a quiet node they are most of
 * the events, so they are recognized here and not shown; they are recorded.
 */
#ifndef EW_CLI_OWN_TRAFFIC_H
#define EW_CLI_OWN_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"

#define OWN_MAX 16 /* one request at a time; a few connections may be closing */

struct own_traffic {
	int32_t pid; /* of execwatch */
	struct {
		uint64_t cookie;
		uint16_t port; /* its local port, once that is known */
	} connection[OWN_MAX]; /* a ring: the oldest is forgotten */
	size_t next;
};

/* Whether the event is of a connection of execwatch, at either end. Needs every fact, in order. */
bool own_traffic_event(struct own_traffic *own, const struct fact *fact);

#endif
