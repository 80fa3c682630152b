/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The outcome of an executor of the baseline, and its deadlines. */
#ifndef EW_MODEL_JUDGE_OUTCOME_H
#define EW_MODEL_JUDGE_OUTCOME_H

#include "model/judge/executors.h"
#include "model/judge/fate.h"

void outcome_judge(const struct executors *view, const struct fact_baseline *baseline,
		   struct arena *arena, struct fate *fate);

/*
 * When an executor that lives has outlived its recovery timeout, counted from its last
 * disconnection in this window, and the time it would have taken to end itself then; 0: it had no
 * disconnection.
 */
int64_t outcome_proven_at(const struct store *store, const struct fact_baseline *baseline);

/*
 * When an act made it drop its link, mono; 0: none did, or so long ago that it would have shut down
 * had it not registered again.
 */
int64_t outcome_treated_at(const struct store *store, int32_t pid, uint64_t start,
			   int64_t recovery_timeout);

#endif
