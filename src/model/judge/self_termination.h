/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The shutdown of an executor whose recovery timeout has expired: its beginning and its latest end.
 */
#ifndef EW_MODEL_JUDGE_SELF_TERMINATION_H
#define EW_MODEL_JUDGE_SELF_TERMINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/store/store.h"

/* When it begins for an executor disconnected since down, mono ns; a second disconnection begins it
 * at once. */
int64_t self_termination_begins(const struct process *process, int64_t down,
				int64_t recovery_timeout);
/* When it has ended at the latest. */
int64_t self_termination_by(const struct process *process, int64_t begins);
/* True when it has begun and no link exists over which an unobserved registration may have gone. */
bool self_termination_is_on(const struct store *store, const struct process *process,
			    size_t n_links, int64_t begins);
/*
 * When an executor that has registered since had begun to shut down before, mono ns; 0: it had not.
 * A driver that shuts down is aborted, and ignores that the agent takes it back (Mesos exec.cpp,
 * shutdown(), reregistered()). Not for v1, whose clock a connection stops before it registers.
 */
int64_t self_termination_before_registering(const struct store *store,
					    const struct process *process, bool v1,
					    int64_t recovery_timeout);
/* Sentences on an executor that is shutting down, and on one that should have exited. */
const char *self_termination_why(const struct store *store, const struct process *process,
				 int64_t begins);
const char *self_termination_advice(const struct store *store, const struct process *process,
				    int64_t begins);

#endif
