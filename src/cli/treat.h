/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The audit before an act, and the act itself: what shutdown and run do alike. */
#ifndef EW_CLI_TREAT_H
#define EW_CLI_TREAT_H

#include <stdbool.h>

#include "act/inject/inject_api.h"
#include "model/model.h"

struct options;
struct session;
struct shutdown_target;

/* What an act leaves to its verb. */
struct treatment {
	int lock;	/* descriptor, held to the end of the window; -1: none */
	bool asked;	/* somebody has said yes to it */
	bool told_only; /* the audit log is not complete, though something was done */
};

/* An acting verb takes no recording, and without a terminal needs --yes: true, or false after a
 * message. */
bool treat_may_act(const struct options *options);

/*
 * Asks whether to act. Returns 0 after a "yes"; else, after a message, the exit code to end with:
 * EXIT_ATTENTION after a "no", EXIT_UNKNOWN after Ctrl-C.
 */
int treat_ask(const char *question);

/* Is the executor of --pid in the audit? True without --pid; false after a message. */
bool treat_knows_pid(const struct options *options, const struct report *audit);

/*
 * Audits and takes that audit as the baseline of the window. wait: while executors cannot be judged
 * because the agent recovers, waits for the end of its recovery, which has a bound. NULL after a
 * message. To be freed with report_free().
 */
struct report *treat_audit(struct session *session, bool wait);

/*
 * Begins an acting verb: treat_may_act(), the lock of those who act on this host (before the audit,
 * so that no plan is older than the lock; a dry run takes none), interrupt_install() and
 * session_open(). Returns 0, or the exit code to end with after a message; nothing is open then.
 */
int treatment_open(const struct options *options, bool survive_hangup, struct treatment *treatment,
		   struct session **session);

/*
 * Treats the chosen links of an audit: asks, looks at the node again after a "yes", drops what has
 * changed meanwhile, acts. Returns 0, or the exit code to end with after a message (or a "no"). A
 * log that fails after the first act is no reason to end: the clocks run.
 */
int treat_links(const struct options *options, struct session *session, const struct report *audit,
		const char *question, struct treatment *treatment);

/* To people, before the act; a document on standard output stays one. */
void treat_show_audit(const struct options *options, const struct report *audit);

/* The report on the node after the act, which is scanned once more. Returns the exit code. */
int treat_report(const struct options *options, struct session *session, enum report_kind kind);

/*
 * The same targets as act_shutdown() wants them; to be freed. lock: that of those who act, in whose
 * file injectors claim their targets; 0: a dry run. NULL: out of memory.
 */
struct shutdown_target *treat_targets(const struct model_target *from, size_t n,
				      enum inject_method method, int lock);

/* Drops the lock. Returns code, or EXIT_UNKNOWN in the place of a better one. */
int treatment_end(struct treatment *treatment, int code);

#endif
