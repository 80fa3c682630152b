/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the iterator over descriptors (bpf/row.bpf.h). */
#ifndef EW_OBSERVE_BPF_ITER_H
#define EW_OBSERVE_BPF_ITER_H

#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct event_batch;

#define EW_ITER_AGENTS_MAX 8

struct ew_iter {
	int program;	/* descriptor of the iterator */
	uint32_t *only; /* the program's seed_tgid */
	uint16_t agent_port;
	struct event_batch *batch; /* what take() fills */
	void (*take)(void *ctx, const void *record, size_t size);
	void *ctx;
	struct ew_task
		agents[EW_ITER_AGENTS_MAX]; /* whose sockets have been walked over; to be zeroed */
	size_t next_agent;
};

/*
 * Walks over all descriptors of all processes, then over those of each agent that is not in agents
 * yet: the walk may have come to its other connections before it came to the listener that shows it
 * to be one. Errors: those of bpf(2) and read(2), -EBADMSG.
 */
int ew_iter_run(struct ew_iter *rows);

#endif
