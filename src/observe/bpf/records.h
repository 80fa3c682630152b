/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The way of a record from a ring to the batch: records of self-tests are taken out, all others
 * stored in the history (where there is one) and added to the batch.
 */
#ifndef EW_OBSERVE_BPF_RECORDS_H
#define EW_OBSERVE_BPF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "events.h"
#include "observe/bpf/history.h"

struct error;
struct ew_bpf_records;
struct event_batch;
struct execwatch_bpf;

/* What a self-test waits for, and what it has seen. */
struct ew_bpf_selftest_seen {
	uint32_t parent; /* forks and exits of its children belong to the test; 0: no test runs */
	struct ew_task child;
	bool forked, exited;
};

/* skel stays the caller's. NULL: no memory. */
struct ew_bpf_records *ew_bpf_records_new(const struct execwatch_bpf *skel);
void ew_bpf_records_free(struct ew_bpf_records *records); /* NULL is fine */

/*
 * From now on records are also stored in the history in dir; adds to the batch what an earlier
 * execwatch has stored there. Errors: ew_bpf_history_open().
 */
int ew_bpf_records_keep_history(struct ew_bpf_records *records, const char *dir,
				struct error *error);

/* All zero without a history. */
struct ew_bpf_history_begin ew_bpf_records_begin(const struct ew_bpf_records *records);

/* Around each reading of the rings: keeps up with the counters for the history. */
void ew_bpf_records_read_begins(struct ew_bpf_records *records);
void ew_bpf_records_read_ends(struct ew_bpf_records *records);

/*
 * Consumes a record that will not come again: of a ring, or an exit that the map "exits" has kept.
 * An exit is then removed from that map.
 */
void ew_bpf_records_consume(struct ew_bpf_records *records, const void *record, size_t size);

/* The records consumed, and where others may be added. */
struct event_batch *ew_bpf_records_batch(struct ew_bpf_records *records);

/* Records that were dropped for lack of memory. */
uint64_t ew_bpf_records_dropped(const struct ew_bpf_records *records);

/* The kernel's counters without the records of self-tests. False: no memory, *sum is unchanged. */
bool ew_bpf_records_counters(const struct ew_bpf_records *records, struct ew_counters *sum);

/* The self-test that runs; to be changed by selftest.c. */
struct ew_bpf_selftest_seen *ew_bpf_records_selftest(struct ew_bpf_records *records);

#endif
