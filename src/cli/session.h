/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One run: the observers, the recording and the model put together. Facts go to the recording, the
 * model and a listener; what the model concludes comes out as reports.
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
 * Begins the recording if one is wanted, emits FACT_SESSION and loads the BPF programs (or says why
 * it goes on without). So far the agent port is observed, and no process.
 */
int session_open(const struct options *options, struct session **ret, struct error *error);

/*
 * The same from a recording: when this returns, the model has every fact of it, or those up to the
 * first judgement (audit). Needs no privilege.
 */
int session_replay(const struct options *options, bool first_only, struct session **ret,
		   struct error *error);

/* Closes the recording; false, after a log_message, when it is not complete. NULL is fine. */
bool session_close(struct session *session);
/* The end of a verb: closes the session; an incomplete recording makes code EXIT_UNKNOWN. */
int session_end(struct session *session, int code);

/* For facts of the run: they are recorded, folded into the model, and go to the listener. */
struct fact_sink session_sink(struct session *session);

/* Sets the listener, which gets every fact (emit NULL: none), and returns it. */
void session_listen(struct session *session, struct fact_sink listener);
struct fact_sink session_listener(const struct session *session);

/* Scans the sources of scope, SCAN_ bits. Failures are facts as well. Live events are read too. */
void session_scan(struct session *session, uint32_t scope);

/*
 * Reads what disk and logs say of the executors of the report that are gone and whose end has no
 * cause yet.
 */
void session_post_mortem(struct session *session, const struct report *report);

/* Reads why the agent of that pid has ended, as its log says. */
void session_agent_log(struct session *session, int32_t pid, uint64_t start);

/*
 * Emits what sock_diag says of the sockets with the agent port, in the agent's namespace and in
 * those of the processes (observe/socket_look.h). Returns 0 or a negative errno.
 */
int session_look(struct session *session, const int32_t *pids, size_t n, struct error *error);
/*
 * The connection tracking entries of links, now (observe/link_entries.h); no fact is emitted.
 * Returns 0 or a negative errno.
 */
struct link_entries;
int session_entries(struct session *session, struct link_entries *links, size_t n,
		    struct error *error);
/* Does a socket listen on the agent port now, in the agent's namespace? 1, 0 or a negative errno.
 */
int session_agent_listens(struct session *session);

/*
 * Asks the agent's API without waiting for the answer, in the loop of base; the answer's facts are
 * emitted when they come. Does nothing while the last question is open, or without an agent. base
 * NULL: drops the question; to be done before base is freed.
 */
struct event_base;
void session_ask(struct session *session, struct event_base *base);

/* Makes the observers follow the agent and the executors of a report, ends included. */
void session_follow(struct session *session, const struct report *report);

/* To wait for, -1 in a replay. When it is readable, and each second, call session_dispatch(). */
int session_fd(const struct session *session);
void session_dispatch(struct session *session);

/* Empties the rings into memory: to be called often during long work, so that no event is lost. */
void session_poll_throttled(struct session *session);

/* Emits what was lost since; true when the host should be scanned again. */
bool session_lost(struct session *session);
/* False: new connections and listeners are found by scans only. */
bool session_sees_connections(const struct session *session);

/* Judges now: emits FACT_NOW (recorded), then makes the report. NULL: out of memory. */
struct report *session_report(struct session *session, enum report_kind kind,
			      const struct fact_now *now);

/* Scans the host and judges; scans again if a state that lasts a moment may have been read. */
struct report *session_audit(struct session *session);

struct model *session_model(struct session *session);
/* Tells the model the time without recording it: for a loop that checks whether it may end. */
void session_glance(struct session *session);

uint16_t session_port(const struct session *session);
/* A descriptor of the agent's network namespace, the session's, or NETNS_OWN. */
int session_netns(const struct session *session);
/* Of this run, or of the one that was recorded. */
const char *session_verb(const struct session *session);
const char *session_boot_id(const struct session *session);

#endif
