/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which executors the guard would treat if the agent ended now and they did not notice. */
#ifndef EW_MODEL_JUDGE_GUARD_H
#define EW_MODEL_JUDGE_GUARD_H

#include "model/judge/evidence.h"

/*
 * True when all but the state of its links says so: it checkpoints, is registered and waits for
 * nothing, does not relink by itself, and the agent serves. Its links may be of any state, also
 * unknown: once the agent's process has ended, ESTABLISHED alone decides.
 */
bool guard_would_treat(const struct store *store, const struct executor *executor,
		       const struct evidence *evidence);

/* Can an act reach every one of its links? */
bool guard_reaches_all(const struct executor *executor);

#endif
