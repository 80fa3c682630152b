/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The audit before an act, and the act itself: what shutdown and run do alike. */
#ifndef EW_CLI_TREAT_H
#define EW_CLI_TREAT_H

#include <stdbool.h>

#include "model/model.h"

struct options;
struct session;

/* An acting verb without a terminal needs --yes: true, or false after a message. */
bool treat_may_act(const struct options *options);

/*
 * Audits and takes that audit as the baseline of the window. wait: while executors cannot be judged
 * because the agent recovers, waits for the end of its recovery, which has a bound. NULL after a
 * message. To be freed with report_free().
 */
struct report *treat_audit(struct session *session, bool wait);

/*
 * Treats the chosen links of an audit: asks, locks, acts. Returns 0, or the exit code to end with
 * after a message (or a "no"). held gets the descriptor of the lock, to be closed by the caller at
 * the end of the window; -1 when nothing was to be done.
 */
int treat_links(const struct options *options, struct session *session, const struct report *audit,
		const char *question, int *held);

#endif
