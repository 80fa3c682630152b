/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What several verbs do alike. */
#ifndef EW_CLI_COMMON_H
#define EW_CLI_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "model/model.h"

struct error;
struct options;
struct session;

/* An acting verb without a terminal needs --yes: true, or false after a log_message. */
bool common_may_act(const struct options *options);

/* Keeps the report where verify finds it, and where --baseline says. False, after a log_message,
 * when the latter failed. */
bool common_baseline_save(const struct options *options, const struct session *session,
			  const struct report *report);
/* The same with the report's indented document, by one who has made it. */
bool common_document_save(const struct options *options, const struct session *session,
			  const char *document, size_t len);

/* The end of a verb: closes the session (NULL: none), an incomplete recording makes code
 * EXIT_UNKNOWN. */
int common_end(struct session *session, int code);

/*
 * A recording reported on as verb does, NULL: as the recorded run did at its end. first_only as in
 * session_replay(). Returns the exit code.
 */
int common_replay(const struct options *options, bool first_only, const char *verb);

/* Audits now and takes that audit as the baseline of the window. NULL after a log_message. */
struct report *common_audit(struct session *session);

/*
 * Treats the chosen links of an audit: asks, locks, acts. Returns 0, or the exit code to end with
 * after a log_message (or a "no"). held gets the descriptor of the lock, to be closed by the caller
 * at the end of the window; -1 when nothing was to be done.
 */
int common_shutdown(const struct options *options, struct session *session,
		    const struct report *audit, const char *question, int *held);

#endif
