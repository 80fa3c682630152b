/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The two rings that the BPF programs write, read by libbpf. Every record is passed on as it is
 * read; their order in time is restored later (event_batch_emit()).
 */
#ifndef EW_OBSERVE_BPF_RINGS_H
#define EW_OBSERVE_BPF_RINGS_H

#include <stddef.h>

struct ew_bpf_rings;
struct error;

/* record is 8-byte aligned, and belongs to the ring again when this returns. */
typedef void ew_bpf_record_fn(void *ctx, const void *record, size_t size);

/*
 * Continues where the last reader of these maps stopped. The descriptors stay the caller's. Errors:
 * those of mmap(2) and epoll_ctl(2), -ENOMEM.
 */
int ew_bpf_rings_open(int life_map, int message_map, ew_bpf_record_fn *consume, void *ctx,
		      struct ew_bpf_rings **ret, struct error *error);
void ew_bpf_rings_close(struct ew_bpf_rings *rings); /* NULL is fine */

/* For epoll: readable after a record has come to a ring that had been read to its end. */
int ew_bpf_rings_fd(const struct ew_bpf_rings *rings);

/* Consumes all records there are; of each ring up to one that a program is still writing. */
void ew_bpf_rings_read(struct ew_bpf_rings *rings);

#endif
