/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the iterator over descriptors (bpf/row.bpf.h). */
#ifndef EW_OBSERVE_ROWS_H
#define EW_OBSERVE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct live_batch;

#define ROWS_AGENTS_MAX 8

struct rows {
	int program;	/* descriptor of the iterator */
	uint32_t *only; /* the program's seed_tgid */
	uint16_t agent_port;
	struct live_batch *batch; /* what take() fills */
	void (*take)(void *ctx, const void *record, size_t size);
	void *ctx;
	struct ew_task
		agents[ROWS_AGENTS_MAX]; /* whose sockets have been walked over; to be zeroed */
	size_t next_agent;
};

/*
 * Walks over all descriptors of all processes, then over those of each agent that is not in agents
 * yet: the walk may have come to its other connections before it came to the listener that shows it
 * to be one. Errors: those of bpf(2) and read(2), -EBADMSG.
 */
int rows_walk(struct rows *rows);

#endif
