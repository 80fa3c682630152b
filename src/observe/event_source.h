/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Live events from the best source that this host offers: BPF programs (bpf/observer.h), else the
 * proc connector, pidfds and sock_diag (nobpf.h). Both are reached by one table of operations.
 */
#ifndef EW_OBSERVE_EVENT_SOURCE_H
#define EW_OBSERVE_EVENT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct agent_ports;
struct ew_bpf_options;
struct fact_sink;
struct error;
struct event_source;

/*
 * bpf NULL: BPF is not wanted, and reason says why (for FACT_HOOK). When BPF cannot be used, the
 * other source serves: returns 0, and *without says why (its code is 0 otherwise). Errors: -ENOMEM
 * or lack of descriptors, with *error.
 */
int event_source_open(const struct ew_bpf_options *bpf, uint16_t agent_port, const char *reason,
		      const struct fact_sink *sink, struct event_source **ret,
		      struct error *without, struct error *error);
void event_source_free(struct event_source *source); /* NULL is fine */

/* Does it continue the observation of an earlier execwatch? ew_bpf_resumed(). */
bool event_source_resumed(const struct event_source *source);
/* Will it stay for the next execwatch, as was asked for? ew_bpf_kept(). */
bool event_source_kept(const struct event_source *source);

/* Does it report connections, listeners and messages as they come? Else scans must find them. */
bool event_source_is_bpf(const struct event_source *source);

/* For epoll. When it is readable, and at least every second, call event_source_dispatch(). */
int event_source_fd(const struct event_source *source);

/* Emits what has happened. Never blocks. */
void event_source_dispatch(struct event_source *source, const struct fact_sink *sink);

/* ew_bpf_poll_throttled(), with the source as ctx; without BPF it does nothing. */
void event_source_poll_throttled(void *source);
/* ew_bpf_flush_if_large(), likewise. */
void event_source_flush_if_large(void *source, const struct fact_sink *sink);

/* Follows an agent, or else an executor: ew_bpf_add_process(), nobpf_add_process(). */
int event_source_follow(struct event_source *source, int32_t pid, uint64_t start, bool agent,
			struct error *error);

/* Ports that an earlier execwatch has learnt and that are observed: adds them to *ports. */
void event_source_ports(const struct event_source *source, struct agent_ports *ports);
/* Observes the ports that the agent advertises too: ew_bpf_set_ports(), nobpf_set_ports(). */
int event_source_set_ports(struct event_source *source, const struct agent_ports *ports);

/* ew_bpf_scan(), with the source as ctx. -ENOTSUP without BPF. */
int event_source_scan(void *source, const struct fact_sink *sink, struct error *error);

/* Emits the number of lost events; true: something was lost, and a new scan is needed. */
bool event_source_counters(struct event_source *source, bool all, const struct fact_sink *sink);

#endif
