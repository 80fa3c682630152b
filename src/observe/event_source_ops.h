/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an event source can do. For event_source.c and the sources themselves. */
#ifndef EW_OBSERVE_EVENT_SOURCE_OPS_H
#define EW_OBSERVE_EVENT_SOURCE_OPS_H

#include <stdbool.h>
#include <stdint.h>

struct agent_ports;
struct fact_sink;
struct error;

/* impl is the source's own object. A NULL operation: this source has nothing to do there. */
struct event_source_ops {
	void (*free)(void *impl);
	int (*fd)(const void *impl);
	void (*dispatch)(void *impl, const struct fact_sink *sink);
	int (*follow)(void *impl, int32_t pid, uint64_t start, bool agent, struct error *error);
	bool (*counters)(void *impl, bool all, const struct fact_sink *sink);
	bool (*resumed)(const void *impl);
	bool (*kept)(const void *impl);
	void (*poll_throttled)(void *impl);
	void (*flush_if_large)(void *impl, const struct fact_sink *sink);
	void (*ports)(const void *impl, struct agent_ports *ports);
	int (*set_ports)(void *impl, const struct agent_ports *ports);
	int (*scan)(void *impl, const struct fact_sink *sink, struct error *error);
};

extern const struct event_source_ops event_source_bpf;	 /* impl: struct ew_bpf */
extern const struct event_source_ops event_source_nobpf; /* impl: struct nobpf */

#endif
