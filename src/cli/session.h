/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Puts the rooms together for one run: observers, recording and model. What is observed goes to all
 * who want it; what the model concludes comes out as reports.
 */
#ifndef EW_CLI_SESSION_H
#define EW_CLI_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "facts.h"
#include "model/model.h"

struct options;
struct session;
struct error;

/*
 * Begins the recording if one is wanted, loads the BPF programs (or says why it goes on without)
 * and puts FACT_SESSION. Nothing is watched yet but the agent port.
 */
int session_open(const struct options *options, struct session **ret, struct error *error);

/*
 * The same from a recording: every fact of it, or those up to the first judgement (audit), has
 * been put when this returns. Needs no privilege.
 */
int session_replay(const struct options *options, bool first_only, struct session **ret,
		   struct error *error);

/* Where the BPF programs of a watch of that port are pinned, into buf. */
void session_pins(const char *run_dir, uint16_t port, char *buf, size_t size);

/* Closes the recording; false, after a log_message, when it is not complete. NULL is fine. */
bool session_close(struct session *session);

/* Where facts of the run are to be put: recorded, folded into the model, shown to the listener. */
struct fact_sink session_sink(struct session *session);

/* One more who wants each fact; put == NULL: nobody. And who that is. */
void session_listen(struct session *session, struct fact_sink listener);
struct fact_sink session_listener(const struct session *session);

/* A pass over the host: SURVEY_ bits. What fails is a fact as well. */
void session_scan(struct session *session, uint32_t scope);

/*
 * Asks the agent's API without waiting for the answer, in the loop of base; the answer's facts are
 * put when they come. Nothing happens while the last question is open, or without an agent. base
 * NULL: drops the question; to be done before base is freed.
 */
struct event_base;
void session_ask(struct session *session, struct event_base *base);

/* Makes the observers follow the agent and the executors of a report, ends included. */
void session_follow(struct session *session, const struct report *report);

/* Descriptor to wait for, -1 in a replay; and what to do when it is readable, and each second. */
int session_fd(const struct session *session);
void session_dispatch(struct session *session);

/* To be called often by who does something else for long: nothing gets lost meanwhile. */
void session_poll_throttled(void *session);

/* Puts what was lost since; true when a new pass over the host is called for. */
bool session_lost(struct session *session);
/* False: new connections and listeners are found by surveys only. */
bool session_sees_connections(const struct session *session);

/* Judges now: puts FACT_NOW (recorded), then makes the report. NULL without memory. */
struct report *session_report(struct session *session, enum report_kind kind,
			      const struct fact_now *now);

/* Passes over the host, and judges: two where one may have seen what lasted for a moment only. */
struct report *session_audit(struct session *session);

/* Judges now without a trace: for a loop that asks whether it may end. */
struct model *session_model(struct session *session);
void session_glance(struct session *session);

uint16_t session_port(const struct session *session);
/* Of this run, or of the one that was recorded. */
const char *session_verb(const struct session *session);
const char *session_boot_id(const struct session *session);

#endif
