/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a session consists of. For session*.c, which put the parts together. */
#ifndef EW_CLI_SESSION_PRIVATE_H
#define EW_CLI_SESSION_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/session.h"
#include "cli/watch_pins.h"

struct api;
struct event_source;
struct ew_bpf_scan_once;
struct options;
struct recording;
struct scan;

struct session {
	const struct options *options;
	struct model *model;
	struct recording *recording; /* NULL: none */
	bool record_failed;
	struct fact_sink to_recording;
	struct fact_sink to_model;
	struct fact_sink listener;
	struct event_source *events; /* NULL in a replay, and where one scan is enough */
	struct ew_bpf_scan_once *bpf_scan;
	struct watch_pins pins;
	struct scan *scan;
	int netns_fd;	 /* of --netns; NETNS_OWN: not given */
	struct api *api; /* the last question to the agent */
	char boot_id[64];

	/* ---- of a replay ---- */
	bool first_only; /* stop at the first judgement */
	bool judged;
	int64_t replayed; /* time of the latest fact, mono ns */
	struct fact_now replayed_now;
	char verb[16]; /* of the recorded run */
};

/* An empty session; NULL after error was filled. */
struct session *session_new(const struct options *options, struct error *error);
/* Writes what was recorded so far; a failure is told once, and the recording ends there. */
void session_recording_flush(struct session *session);

/* Loads the BPF programs, or says why it goes on without. Returns 0 or a negative errno. */
int session_events_open(struct session *session, struct error *error);
/* After session_events_open(). Returns 0 or a negative errno. */
int session_scan_open(struct session *session, struct error *error);

#endif
