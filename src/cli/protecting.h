/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `protect` and its daemon do alike: plan, ask, act. */
#ifndef EW_CLI_PROTECTING_H
#define EW_CLI_PROTECTING_H

#include <stdbool.h>
#include <stddef.h>

struct options;
struct report;
struct session;

/*
 * Protects the links of an audit, or with --undo gives them back the keepalive of before. ask:
 * shows the plan and asks, unless --yes was given; after a "yes" the node is looked at again, and
 * what has changed is left alone. The caller holds the lock of those who act, but for a dry run.
 * Returns 0, or the exit code to end with after a message.
 */
int protecting_act(const struct options *options, struct session *session,
		   const struct report *audit, bool ask);

/* How many links of the audit can and need to be protected; those that are refused not counted. */
size_t protecting_needed(const struct options *options, const struct report *audit);

#endif
