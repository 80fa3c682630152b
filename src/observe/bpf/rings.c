/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/rings.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/now.h"
#include "observe/bpf/event_batch.h"
#include "observe/bpf/libbpf.h"
#include "observe/bpf/records.h"

/* A small part of the time in which the restart of a large node's agent fills a ring. */
#define POLL_INTERVAL (5 * NS_PER_MS)
/* Above this, records stay in the rings, which count what they lose. */
#define BATCH_MAX (32u << 20)
/* Records that are emitted between two polls: handling their facts takes less than POLL_INTERVAL.
 */
#define SLICE 32

struct ew_bpf_rings {
	struct ring_buffer *buffers;
	struct ew_bpf_records *records;
	int64_t polled; /* when the rings were last read, CLOCK_MONOTONIC */
};

/* Never returns a negative number: libbpf would stop there, with the record consumed all the same.
 */
static int record_read(void *ctx, void *record, size_t size)
{
	ew_bpf_records_consume(ctx, record, size);
	return 0;
}

int ew_bpf_rings_open(const struct execwatch_bpf *skel, struct ew_bpf_records *records,
		      struct ew_bpf_rings **ret, struct error *error)
{
	struct ew_bpf_rings *rings = calloc(1, sizeof(*rings));
	int err;

	if (!rings)
		return error_set(error, -ENOMEM, NULL, "map the ring buffers");
	rings->records = records;
	rings->buffers =
		ring_buffer__new(bpf_map__fd(skel->maps.life_ring), record_read, records, NULL);
	err = rings->buffers
		      ? ring_buffer__add(rings->buffers, bpf_map__fd(skel->maps.message_ring),
					 record_read, records)
		      : -errno;
	if (err) {
		ew_bpf_rings_close(rings);
		return error_set(error, err, NULL, "map the ring buffers");
	}
	*ret = rings;
	return 0;
}

void ew_bpf_rings_close(struct ew_bpf_rings *rings)
{
	if (!rings)
		return;
	ring_buffer__free(rings->buffers);
	free(rings);
}

int ew_bpf_rings_fd(const struct ew_bpf_rings *rings)
{
	return ring_buffer__epoll_fd(rings->buffers);
}

/*
 * A program wakes the reader only when the ring had been read to its end (kernel/bpf/ringbuf.c,
 * bpf_ringbuf_commit). libbpf 1.1 publishes its position without a full barrier before it looks for
 * more records, so that reader and program may miss each other: the last look follows a barrier.
 */
void ew_bpf_rings_poll(struct ew_bpf_rings *rings)
{
	ew_bpf_records_read_begins(rings->records);
	while (ring_buffer__consume(rings->buffers) > 0)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ew_bpf_records_read_ends(rings->records);
	rings->polled = now_mono();
}

void ew_bpf_rings_poll_throttled(struct ew_bpf_rings *rings)
{
	if (now_mono() - rings->polled > POLL_INTERVAL &&
	    event_batch_size(ew_bpf_records_batch(rings->records)) < BATCH_MAX)
		ew_bpf_rings_poll(rings);
}

void ew_bpf_rings_emit(struct ew_bpf_rings *rings, const struct fact_sink *sink)
{
	while (event_batch_emit(ew_bpf_records_batch(rings->records), SLICE, sink))
		ew_bpf_rings_poll_throttled(rings);
}
