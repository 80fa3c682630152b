/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of the BPF programs (bpf/events.h), collected from several sources, emitted by time. */
#ifndef EW_OBSERVE_BPF_EVENT_BATCH_H
#define EW_OBSERVE_BPF_EVENT_BATCH_H

#include <stdbool.h>
#include <stddef.h>

struct ew_header;
struct fact_sink;
struct event_batch;

struct event_batch *event_batch_new(void); /* NULL: no memory */
void event_batch_free(struct event_batch *batch);

/*
 * Copies a record (of a message only the bytes in use). Errors: -ENOMEM; -EBADMSG when size is not
 * that of its type: what follows in the same stream cannot be trusted then.
 */
int event_batch_add(struct event_batch *batch, const void *record, size_t size);

/* Bytes of the records added, without those of a round that has begun. */
size_t event_batch_size(const struct event_batch *batch);

/* The records added, in this order; NULL from n on. Valid until event_batch_emit(). */
const struct ew_header *event_batch_at(const struct event_batch *batch, size_t i);

/*
 * Emits the facts of at most max records, in order of time, and removes these. Records that are
 * added before all have been emitted wait for the next round. Returns true while there are more in
 * this round.
 */
bool event_batch_emit(struct event_batch *batch, size_t max, const struct fact_sink *sink);

#endif
