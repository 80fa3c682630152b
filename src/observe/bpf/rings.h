/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The two rings that the BPF programs write, read by libbpf. */
#ifndef EW_OBSERVE_BPF_RINGS_H
#define EW_OBSERVE_BPF_RINGS_H

struct ew_bpf_records;
struct ew_bpf_rings;
struct error;
struct execwatch_bpf;
struct fact_sink;

/*
 * Continues where the last reader of these maps stopped. skel and records stay the caller's.
 * Errors: those of mmap(2) and epoll_ctl(2), -ENOMEM.
 */
int ew_bpf_rings_open(const struct execwatch_bpf *skel, struct ew_bpf_records *records,
		      struct ew_bpf_rings **ret, struct error *error);
void ew_bpf_rings_close(struct ew_bpf_rings *rings); /* NULL is fine */

/* For epoll: readable after a record has come to a ring that had been read to its end. */
int ew_bpf_rings_fd(const struct ew_bpf_rings *rings);

/* Consumes all records there are; of each ring up to one that a program is still writing. */
void ew_bpf_rings_poll(struct ew_bpf_rings *rings);

/* The same, unless it was done within the last ms, or too many records wait to be emitted. */
void ew_bpf_rings_poll_throttled(struct ew_bpf_rings *rings);

/*
 * Emits the facts of the records consumed so far, in order of time. In between the rings are
 * polled, so that they do not fill while many facts are handled; what is read then stays for the
 * next call.
 */
void ew_bpf_rings_emit(struct ew_bpf_rings *rings, const struct fact_sink *sink);

#endif
