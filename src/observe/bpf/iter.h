/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads the iterator over descriptors (bpf/scan_row.bpf.h). */
#ifndef EW_OBSERVE_BPF_ITER_H
#define EW_OBSERVE_BPF_ITER_H

#include <stdint.h>

struct event_batch;
struct ew_iter;

/*
 * program: descriptor of the iterator. only_tgid: the program's variable that limits it to one
 * process. Both must stay. NULL: no memory.
 */
struct ew_iter *ew_iter_new(int program, uint32_t *only_tgid, uint16_t agent_port);
void ew_iter_free(struct ew_iter *iter); /* NULL is fine */

/*
 * Begins a scan of all descriptors of all processes, followed by those of each agent that the scan
 * has found: its other connections may have come before the listener that shows it to be an agent.
 * Errors: those of bpf(2).
 */
int ew_iter_begin(struct ew_iter *iter);

/* From now on the descriptors of all agents are scanned again, also of those found before. */
void ew_iter_forget_agents(struct ew_iter *iter);

/*
 * Adds the records of one read(2) to batch, which must not be emptied during the scan. Returns 1
 * when there is more, 0 at the end, or an error: those of bpf(2) and read(2), -EBADMSG, -ENOMEM.
 */
int ew_iter_read(struct ew_iter *iter, struct event_batch *batch);

/* Ends a scan, also before its end. */
void ew_iter_end(struct ew_iter *iter);

#endif
