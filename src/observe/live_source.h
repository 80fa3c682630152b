/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Live observation by the best that this host gives: BPF (bpf.h), else what needs none (plain.h).
 */
#ifndef EW_OBSERVE_LIVE_SOURCE_H
#define EW_OBSERVE_LIVE_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

struct bpf_watch_options;
struct fact_sink;
struct fail;
struct live_source;

/*
 * bpf NULL: none is wanted, reason says why. Returns 0 also where BPF could not be had: *without
 * then says why (its err is 0 otherwise), and the other observers serve. An error, with *why, is
 * lack of memory or descriptors.
 */
int live_source_open(const struct bpf_watch_options *bpf, uint16_t agent_port, const char *reason,
		     const struct fact_sink *sink, struct live_source **ret, struct fail *without,
		     struct fail *why);
void live_source_free(struct live_source *source); /* NULL is fine */

/* Was it taken over from one that was killed, or left it? */
bool live_source_resumed(const struct live_source *source);
/* Will it be there for the next one, as was asked for? bpf_watch_kept(). */
bool live_source_kept(const struct live_source *source);

/* Are connections, listeners and messages seen as they come? Else surveys must find them. */
bool live_source_is_bpf(const struct live_source *source);

/* For epoll; and what to do when it is readable, at least every second. */
int live_source_fd(const struct live_source *source);
void live_source_drain(struct live_source *source, const struct fact_sink *sink);

/* bpf_watch_relieve(), with the source as ctx; nothing where others serve. */
void live_source_relieve(void *source);
void live_source_pause(void *source, const struct fact_sink *sink); /* bpf_watch_pause() */

/* Watches an agent, or else an executor: bpf_watch_add_process(), plain_watch_add_process(). */
int live_source_follow(struct live_source *source, int32_t pid, uint64_t start, bool agent,
		       struct fail *why);

/* bpf_watch_seed(), with the source as ctx; only where live_source_is_bpf(). */
int live_source_seed(void *source, const struct fact_sink *sink, struct fail *why);

/* Puts what was lost; true when a survey is called for. */
bool live_source_counters(struct live_source *source, bool all, const struct fact_sink *sink);

#endif
