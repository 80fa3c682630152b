/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When no agent was there. */
#ifndef EW_MODEL_JUDGE_AGENT_AWAY_H
#define EW_MODEL_JUDGE_AGENT_AWAY_H

#include <stdint.h>
#include "model/store/store.h"

/* The longest time in this session without an agent that had recovered, ns. */
int64_t agent_away(const struct store *store);
/*
 * When the agent of the baseline had ended at the latest, mono: another listens since, or an
 * execwatch found none. Where neither is known, the beginning of this session.
 */
int64_t agent_away_gone_by(const struct store *store, const struct fact_baseline *baseline);
/*
 * How long no agent was there between the one of the baseline and the present one, which was there
 * when this session began; ns, both 0 where that is not so.
 */
struct away {
	int64_t at_least, at_most;
};
struct away agent_away_unseen(const struct store *store);

#endif
