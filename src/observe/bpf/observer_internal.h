/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an observer consists of. For observer*.c, which put the parts together, and their tests. */
#ifndef EW_OBSERVE_BPF_OBSERVER_INTERNAL_H
#define EW_OBSERVE_BPF_OBSERVER_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "events.h"
#include "observe/bpf/bpf_features.h"
#include "observe/bpf/programs.h"

struct ew_bpf_records;
struct ew_bpf_rings;
struct ew_iter;

/* Counts of losses. */
struct ew_bpf_losses {
	struct ew_counters sum;
	struct ew_bpf_misses misses;
	uint64_t memory; /* records dropped for lack of memory */
};

struct ew_bpf {
	struct ew_bpf_features features;
	struct ew_bpf_programs programs;
	struct ew_bpf_records *records;
	struct ew_bpf_rings *rings;
	struct ew_iter *iter;
	char pins[256];	     /* directory; empty: nothing is pinned */
	struct ew_meta meta; /* of the maps, with the generation of these programs */
	bool resumed;
	bool keep;
	bool history_reported; /* what it lacks */
	struct ew_bpf_losses reported;
};

#endif
