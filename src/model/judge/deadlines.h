/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The three deadlines of a maintenance window, mono ns; 0: none runs. */
#ifndef EW_MODEL_JUDGE_DEADLINES_H
#define EW_MODEL_JUDGE_DEADLINES_H

#include <stdint.h>

#include "model/judge/executors.h"

/* When the first recovery timeout of an executor expires. */
int64_t deadline_executors(const struct executors *view, struct arena *arena);
/* When the master removes an agent that does not answer. */
int64_t deadline_master(const struct store *store);
/* When a recovering agent removes executors that have not registered again. */
int64_t deadline_agent(const struct store *store);

/* The longest time in this session without an agent that had recovered, ns. */
int64_t deadline_agent_away(const struct store *store);
/*
 * When the agent of the baseline had ended at the latest, mono: another listens since, or an
 * execwatch found none. Where neither is known, the beginning of this session.
 */
int64_t deadline_gone_by(const struct store *store, const struct fact_baseline *baseline);
/*
 * How long no agent was there between the one of the baseline and the present one, which was there
 * when this session began; ns, both 0 where that is not so.
 */
struct away {
	int64_t at_least, at_most;
};
struct away deadline_away_unseen(const struct store *store);

#endif
