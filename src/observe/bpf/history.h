/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A record that was read from a ring is gone from the kernel; if the reader is killed, it is lost.
 * Each record is therefore stored in a pinned map before the ring releases it, and the next
 * execwatch reports all stored records again. The map is bounded: the oldest records are dropped,
 * and counted.
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

/* Where the stored records begin. */
struct ew_bpf_history_begin {
	uint64_t dropped;	    /* number of records before it */
	uint64_t unknown_until;	    /* ktime: events up to then may be missing */
	struct ew_counters counted; /* upper bound of what had been counted by then */
};

/*
 * Opens the map that is pinned in dir, or creates and pins one. Adds the stored records to batch.
 * Errors: those of bpf(2) and mmap(2); -ENOMEM.
 */
int ew_bpf_history_open(const char *dir, struct event_batch *batch, struct ew_bpf_history **ret,
			struct error *error);
void ew_bpf_history_close(struct ew_bpf_history *history);

/* Is one pinned in dir? */
bool ew_bpf_history_exists(const char *dir);

struct ew_bpf_history_begin ew_bpf_history_begin(const struct ew_bpf_history *history);

/*
 * Stores a record that is about to leave a ring. counted: a sum of the counters that includes no
 * event after this record. False: it is stored already, by an execwatch that was killed before the
 * ring released it.
 */
bool ew_bpf_history_store(struct ew_bpf_history *history, const struct ew_header *record,
			  const struct ew_counters *counted);

/* Number of records that the self-tests of all execwatches have caused; stored as well. */
uint64_t ew_bpf_history_selftests(const struct ew_bpf_history *history);
void ew_bpf_history_set_selftests(struct ew_bpf_history *history, uint64_t records);

#endif
