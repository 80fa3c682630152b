/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The reading end of a BPF ring buffer. libbpf's maps the data twice, one behind the other, so that
 * no record is ever in two pieces; all of that is resident, 4 MiB more for the two rings of a
 * watch. This one maps it once and puts such a record together. Layout and order of reading:
 * kernel/bpf/ringbuf.c and include/uapi/linux/bpf.h of 5.8 and later.
 */
#ifndef EW_OBSERVE_BPF_RING_H
#define EW_OBSERVE_BPF_RING_H

#include <stddef.h>

struct ew_bpf_ring;

/* record is at a multiple of 8, and is the ring's again when this returns. */
typedef void ew_bpf_ring_take(void *ctx, const void *record, size_t size);

/*
 * Goes on where the last reader of this map has ended. The map's descriptor stays the caller's, and
 * is readable (epoll) after a record has come to a ring that had been read to its end. size: the
 * map's, in bytes. Errors: those of mmap(2), -ENOMEM.
 */
int ew_bpf_ring_open(int map, size_t size, struct ew_bpf_ring **ret);
void ew_bpf_ring_close(struct ew_bpf_ring *ring);

/* Gives take all that is there, until there is no more or somebody is still writing the next. */
void ew_bpf_ring_read(struct ew_bpf_ring *ring, ew_bpf_ring_take *take, void *ctx);

#endif
