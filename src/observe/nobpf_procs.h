/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The processes that are watched, and what becomes of them. That a process has ended is told by its
 * pidfd, or by /proc; how it ended by the proc connector, or by what the kernel still shows. Either
 * is enough for a FACT_EXIT, without the other it may lack a status.
 */
#ifndef EW_OBSERVE_NOBPF_PROCS_H
#define EW_OBSERVE_NOBPF_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connector_event;
struct fact_sink;
struct error;
struct sockdiag_destroy;
struct nobpf_procs;

/* epoll: descriptor that pidfds are added to, their data the pid. NULL: no memory. */
struct nobpf_procs *nobpf_procs_new(int epoll, struct sockdiag_destroy *destroy);
void nobpf_procs_free(struct nobpf_procs *procs);

/* generations: how many of its descendants are watched too. Errors as nobpf_add_process(). */
int nobpf_procs_add(struct nobpf_procs *procs, int32_t pid, uint64_t start,
		    unsigned int generations, struct error *error);

/* What the connector told; of others than those that are watched nothing is put. */
void nobpf_procs_take(struct nobpf_procs *procs, const struct connector_event *event,
		      const struct fact_sink *sink);

/* Its pidfd is readable. */
void nobpf_procs_ended(struct nobpf_procs *procs, int32_t pid);

/* Puts FACT_EXIT for those that have ended by now, and watches them no longer. */
void nobpf_procs_settle(struct nobpf_procs *procs, const struct fact_sink *sink);

#endif
