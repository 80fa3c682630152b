/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why an executor of the baseline ended, whose end was seen. */
#ifndef EW_MODEL_JUDGE_EXIT_CAUSE_H
#define EW_MODEL_JUDGE_EXIT_CAUSE_H

#include "model/judge/fate.h"
#include "model/store/store.h"

/* Its end was seen: process->ended. */
void exit_cause_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

#endif
