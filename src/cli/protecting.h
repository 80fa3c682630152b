/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `protect` and its daemon do alike: plan, ask, act. */
#ifndef EW_CLI_PROTECTING_H
#define EW_CLI_PROTECTING_H

#include <stdbool.h>
#include <stddef.h>

struct options;
struct report;
struct session;
struct treatment;

/*
 * Protects the links of an audit, or with --undo gives them back the keepalive of before. Shows the
 * plan and asks, unless --yes was given; after a "yes" the node is looked at again, and what has
 * changed is left alone. treatment NULL: it does not ask. The caller holds the lock of those who
 * act, but for a dry run. Returns 0, or the exit code to end with after a message. A log that fails
 * in the middle is no reason to end: what was done is to be told.
 */
int protecting_act(const struct options *options, struct session *session,
		   const struct report *audit, struct treatment *treatment);

/* How many links of the audit can and need to be protected; those that are refused not counted. */
size_t protecting_needed(const struct options *options, const struct report *audit);

#endif
