/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records of the BPF programs (bpf/events.h) as facts. */
#ifndef EW_OBSERVE_BPF_EVENT_DECODE_H
#define EW_OBSERVE_BPF_EVENT_DECODE_H

struct ew_header;
struct fact_sink;

/*
 * Emits the facts of one record, which event_batch_add() has accepted. A message that is none of
 * Mesos' yields no fact.
 */
void event_emit(const struct ew_header *record, const struct fact_sink *sink);

#endif
