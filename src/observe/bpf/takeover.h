/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_OBSERVE_BPF_TAKEOVER_H
#define EW_OBSERVE_BPF_TAKEOVER_H

#include <stdbool.h>

#include "events.h"

struct error;
struct ew_bpf_options;
struct fact_sink;

struct ew_bpf_takeover {
	const char *pins;    /* options->pins; NULL: nothing is or can be pinned */
	struct ew_meta meta; /* for the maps and programs to be loaded */
	bool resumed; /* the maps of an earlier execwatch are pinned there and will be used */
};

/*
 * Looks for maps that an earlier execwatch has pinned, and removes those that cannot be used (of
 * another layout, port or ring size). Emits FACT_HOOK "pins". Failing to pin is no error: takeover
 * then has pins NULL.
 */
void ew_bpf_takeover_find(struct ew_bpf_takeover *takeover, const struct ew_bpf_options *options,
			  const struct fact_sink *sink);

/* The pinned maps cannot be used after all: removes them, and starts anew. */
void ew_bpf_takeover_give_up(struct ew_bpf_takeover *takeover);

#endif
