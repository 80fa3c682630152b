/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The processes that are followed without BPF. A pidfd, or /proc, shows that a process has ended;
 * the proc connector, or what the kernel still shows of it, how it ended. Without the latter a
 * FACT_EXIT lacks the exit status.
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

/* epoll: where pidfds are added, with the pid as data. NULL: no memory. */
struct nobpf_procs *nobpf_procs_new(int epoll, struct sockdiag_destroy *destroy);
void nobpf_procs_free(struct nobpf_procs *procs);

/* generations: of descendants that are followed too. Errors as nobpf_add_process(). */
int nobpf_procs_add(struct nobpf_procs *procs, int32_t pid, uint64_t start,
		    unsigned int generations, struct error *error);

/* Consumes an event of the proc connector. Emits nothing for processes that are not followed. */
void nobpf_procs_consume(struct nobpf_procs *procs, const struct connector_event *event,
			 const struct fact_sink *sink);

/* The pidfd of this process is readable. */
void nobpf_procs_ended(struct nobpf_procs *procs, int32_t pid);

/* Emits FACT_EXIT for the processes that have ended, and no longer follows them. */
void nobpf_procs_settle(struct nobpf_procs *procs, const struct fact_sink *sink);

#endif
