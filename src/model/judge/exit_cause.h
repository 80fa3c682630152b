/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why an executor of the baseline exited, when its exit was observed. */
#ifndef EW_MODEL_JUDGE_EXIT_CAUSE_H
#define EW_MODEL_JUDGE_EXIT_CAUSE_H

#include "model/judge/fate.h"
#include "model/store/store.h"

/* For a process with ended set. */
void exit_cause_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

#endif
