/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A plan of whom to hold, and its steps. For holding.c and hold_later.c. */
#ifndef EW_CLI_HOLDING_PRIVATE_H
#define EW_CLI_HOLDING_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>

#include "act/hold.h"
#include "cli/holding.h"
#include "mesos/reregistered.h"
#include "model/model.h"

struct holding {
	const struct options *options;
	struct session *session;
	struct model_hold *plan;
	size_t n;
	struct hold_target *targets; /* of each */
	char (*bytes)[MESOS_REREGISTERED_MAX];
};

/* Begin with .options and .session set. All return 0, or the exit code to end with. */

/* Whom, of an audit, which has to live on. */
int holding_plan(struct holding *h, const struct report *audit);

/* Makes the messages. */
int holding_targets(struct holding *h);

/*
 * Sends them. *told_only: the audit log could not be written; what was done is in the facts.
 */
int holding_send(struct holding *h, bool *told_only);

void holding_free(struct holding *h);

#endif
