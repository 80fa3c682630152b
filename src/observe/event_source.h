/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Live observation by the best that this host gives: BPF (bpf.h), else what needs none (plain.h).
 */
#ifndef EW_OBSERVE_EVENT_SOURCE_H
#define EW_OBSERVE_EVENT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct ew_bpf_options;
struct fact_sink;
struct error;
struct event_source;

/*
 * bpf NULL: none is wanted, reason says why. Returns 0 also where BPF could not be had: *without
 * then says why (its err is 0 otherwise), and the other observers serve. An error, with *error, is
 * lack of memory or descriptors.
 */
int event_source_open(const struct ew_bpf_options *bpf, uint16_t agent_port, const char *reason,
		      const struct fact_sink *sink, struct event_source **ret,
		      struct error *without, struct error *error);
void event_source_free(struct event_source *source); /* NULL is fine */

/* Was it taken over from one that was killed, or left it? */
bool event_source_resumed(const struct event_source *source);
/* Will it be there for the next one, as was asked for? ew_bpf_kept(). */
bool event_source_kept(const struct event_source *source);

/* Are connections, listeners and messages seen as they come? Else surveys must find them. */
bool event_source_is_bpf(const struct event_source *source);

/* For epoll; and what to do when it is readable, at least every second. */
int event_source_fd(const struct event_source *source);
void event_source_dispatch(struct event_source *source, const struct fact_sink *sink);

/* ew_bpf_poll_throttled(), with the source as ctx; nothing where others serve. */
void event_source_poll_throttled(void *source);
void event_source_flush_if_large(void *source,
				 const struct fact_sink *sink); /* ew_bpf_flush_if_large() */

/* Watches an agent, or else an executor: ew_bpf_add_process(), nobpf_add_process(). */
int event_source_follow(struct event_source *source, int32_t pid, uint64_t start, bool agent,
			struct error *error);

/* ew_bpf_scan(), with the source as ctx; only where event_source_is_bpf(). */
int event_source_scan(void *source, const struct fact_sink *sink, struct error *error);

/* Puts what was lost; true when a survey is called for. */
bool event_source_counters(struct event_source *source, bool all, const struct fact_sink *sink);

#endif
