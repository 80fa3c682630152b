/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a watch has read from the rings is gone from them, and with a watch that is killed from the
 * world: so each record is kept in a pinned map before the ring lets go of it, and the next watch
 * is told of all of them once more. The map is bounded: the oldest are let go of, and counted.
 */
#ifndef EW_OBSERVE_BPF_HISTORY_H
#define EW_OBSERVE_BPF_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"

struct ew_bpf_history;
struct error;
struct event_batch;

/* Where the records begin that are still there. */
struct ew_bpf_history_begin {
	uint64_t let_go;	    /* so many are not */
	uint64_t unknown_until;	    /* ktime: not all that happened until then is among them */
	struct ew_counters counted; /* what had been counted by then, at most */
};

/*
 * Opens the map that is pinned in dir, or makes and pins one. What it holds is added to batch.
 * Errors: those of bpf(2) and mmap(2); -ENOMEM.
 */
int ew_bpf_history_open(const char *dir, struct event_batch *batch, struct ew_bpf_history **ret,
			struct error *error);
void ew_bpf_history_close(struct ew_bpf_history *history);

/* Is one pinned in dir? */
bool ew_bpf_history_is_in(const char *dir);

struct ew_bpf_history_begin ew_bpf_history_begin(const struct ew_bpf_history *history);

/*
 * Keeps a record that is about to leave a ring. counted: a sum of the counters that nothing is in
 * which happened after this record. False: it is there already, for a watch was killed after
 * keeping it and before the ring had let go of it.
 */
bool ew_bpf_history_keep(struct ew_bpf_history *history, const struct ew_header *record,
			 const struct ew_counters *counted);

/* How many records the self-tests of all watches have made: a number that is kept as well. */
uint64_t ew_bpf_history_own(const struct ew_bpf_history *history);
void ew_bpf_history_own_note(struct ew_bpf_history *history, uint64_t own);

#endif
