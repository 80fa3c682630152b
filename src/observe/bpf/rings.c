/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/rings.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "observe/bpf/libbpf.h"

struct ew_bpf_rings {
	struct ring_buffer *buffers;
	ew_bpf_record_fn *consume;
	void *ctx;
};

/* Never negative: libbpf would stop there, with the record consumed all the same. */
static int record_read(void *ctx, void *record, size_t size)
{
	struct ew_bpf_rings *rings = ctx;

	rings->consume(rings->ctx, record, size);
	return 0;
}

int ew_bpf_rings_open(int life_map, int message_map, ew_bpf_record_fn *consume, void *ctx,
		      struct ew_bpf_rings **ret, struct error *error)
{
	struct ew_bpf_rings *rings = calloc(1, sizeof(*rings));
	int err;

	if (!rings)
		return error_set(error, -ENOMEM, NULL, "map the ring buffers");
	rings->consume = consume;
	rings->ctx = ctx;
	rings->buffers = ring_buffer__new(life_map, record_read, rings, NULL);
	err = rings->buffers ? ring_buffer__add(rings->buffers, message_map, record_read, rings)
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
 * A program wakes the reader when it sees the ring read to its end (kernel/bpf/ringbuf.c,
 * bpf_ringbuf_commit). libbpf 1.1 publishes its position without a full barrier before it looks for
 * more, so both sides may miss each other: the last look comes after a barrier.
 */
void ew_bpf_rings_read(struct ew_bpf_rings *rings)
{
	while (ring_buffer__consume(rings->buffers) > 0)
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
