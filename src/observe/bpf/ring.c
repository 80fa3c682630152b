/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/bpf/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "events.h"

struct ew_bpf_ring {
	size_t size, page;
	unsigned long *read;	      /* position of the reader, on a page of its own */
	const unsigned long *written; /* of the writers: a page, and behind it the data */
	/* A record that lies across the end; a message is the longest. */
	_Alignas(struct ew_message) char whole[sizeof(struct ew_message)];
};

int ew_bpf_ring_open(int map, size_t size, struct ew_bpf_ring **ret)
{
	struct ew_bpf_ring *ring = calloc(1, sizeof(*ring));
	int err;

	if (!ring)
		return -ENOMEM;
	ring->size = size;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->written = MAP_FAILED;
	ring->read = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	if (ring->read != MAP_FAILED)
		ring->written = mmap(NULL, ring->page + size, PROT_READ, MAP_SHARED, map,
				     (off_t)ring->page);
	if (ring->written != MAP_FAILED) {
		*ret = ring;
		return 0;
	}
	err = -errno;
	ew_bpf_ring_close(ring);
	return err;
}

void ew_bpf_ring_close(struct ew_bpf_ring *ring)
{
	if (!ring)
		return;
	if (ring->read != MAP_FAILED)
		munmap(ring->read, ring->page);
	if (ring->written != MAP_FAILED)
		munmap((void *)ring->written, ring->page + ring->size);
	free(ring);
}

static const char *at(const struct ew_bpf_ring *ring, unsigned long position)
{
	return (const char *)ring->written + ring->page + (position & (ring->size - 1));
}

/* One that is longer than any of ours is cut: nobody takes it for a record. */
static void give(struct ew_bpf_ring *ring, unsigned long position, size_t size,
		 ew_bpf_ring_take *take, void *ctx)
{
	const char *record = at(ring, position);
	size_t before_end = ring->size - (position & (ring->size - 1));

	if (size > before_end) {
		if (size > sizeof(ring->whole))
			size = sizeof(ring->whole);
		if (before_end > size)
			before_end = size;
		memcpy(ring->whole, record, before_end);
		memcpy(ring->whole + before_end, at(ring, 0), size - before_end);
		record = ring->whole;
	}
	take(ctx, record, size);
}

/* The record at position; returns the next one's position, or the same when this is not written. */
static unsigned long read_one(struct ew_bpf_ring *ring, unsigned long position,
			      ew_bpf_ring_take *take, void *ctx)
{
	uint32_t header = __atomic_load_n((const uint32_t *)at(ring, position), __ATOMIC_ACQUIRE);
	size_t size = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	if (header & BPF_RINGBUF_BUSY_BIT)
		return position;
	if (!(header & BPF_RINGBUF_DISCARD_BIT))
		give(ring, position + BPF_RINGBUF_HDR_SZ, size, take, ctx);
	return position + ((BPF_RINGBUF_HDR_SZ + size + 7) & ~7ul);
}

void ew_bpf_ring_read(struct ew_bpf_ring *ring, ew_bpf_ring_take *take, void *ctx)
{
	unsigned long position = __atomic_load_n(ring->read, __ATOMIC_RELAXED), next;

	while (position != __atomic_load_n(ring->written, __ATOMIC_ACQUIRE)) {
		next = read_one(ring, position, take, ctx);
		if (next == position)
			return;
		__atomic_store_n(ring->read, next, __ATOMIC_RELEASE);
		/* A writer that sees the ring read to its end wakes; of one that does not, more is
		 * seen here. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		position = next;
	}
}
