/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counters, and the only two functions that reserve space in a ring. A reserved record is always
 * submitted: a discarded one occupies the ring until it is consumed (measured on 6.18: 87,808 false
 * losses), so programs filter first.
 */
#ifndef EW_BPF_RING_H
#define EW_BPF_RING_H

#include "maps.bpf.h"

/* Atomic although per CPU: a program in a softirq may interrupt one in process context. */
#define COUNT(counter)                                                                             \
	do {                                                                                       \
		__u32 zero_ = 0;                                                                   \
		struct ew_counters *c_ = bpf_map_lookup_elem(&counters, &zero_);                   \
		if (c_)                                                                            \
			__sync_fetch_and_add(&c_->counter, 1);                                     \
	} while (0)

/* Monotonic; concurrent events may share a value. */
static __always_inline __u64 sequence_next(void)
{
	__u32 zero = 0;
	__u64 *last = bpf_map_lookup_elem(&sequence, &zero);

	if (!last)
		return 0;
	__sync_fetch_and_add(last, 1); /* BPF_FETCH, which returns the old value, needs 5.12 */
	return *(volatile __u64 *)last;
}

static __always_inline void header_fill(struct ew_header *header, __u16 type, __u16 size,
					__u64 ktime_ns)
{
	header->type = type;
	header->size = size;
	header->pad = 0;
	header->seq = sequence_next();
	header->ktime_ns = ktime_ns;
}

/* size must be a constant. NULL: the ring is full, which has been counted. */
static __always_inline void *life_reserve(__u16 type, __u16 size)
{
	__u64 now = bpf_ktime_get_ns();
	struct ew_header *header = bpf_ringbuf_reserve(&life_ring, size, 0);

	if (!header) {
		COUNT(life_lost);
		return NULL;
	}
	COUNT(life_shown);
	header_fill(header, type, size, now);
	return header;
}

/* NULL: likewise. The caller counts message_shown or message_unread. */
static __always_inline struct ew_message *message_reserve(void)
{
	__u64 now = bpf_ktime_get_ns();
	struct ew_message *ev = bpf_ringbuf_reserve(&message_ring, sizeof(*ev), 0);

	if (!ev) {
		COUNT(message_lost);
		return NULL;
	}
	header_fill(&ev->header, EW_MESSAGE, sizeof(*ev), now);
	return ev;
}

#endif
