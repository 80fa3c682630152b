/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The outcome of executors whose exit was not observed. */
#ifndef EW_MODEL_JUDGE_END_UNSEEN_H
#define EW_MODEL_JUDGE_END_UNSEEN_H

#include "model/judge/fate.h"
#include "model/judge/task_fate.h"

struct arena;

/* Fills fate from the disk, the API and logs. process may be NULL. */
void end_unseen_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

/* True, with fate filled, when the agent's record says why it ended the executor. */
bool end_by_agents_reason(const struct task_fate *task, struct arena *arena, struct fate *fate);

/*
 * Where a signal's sender was not seen: true, with fate filled, when the disk, the API or a log
 * says that the agent, or the executor itself, ended it.
 */
bool end_by_recorded_sender(const struct store *store, const struct fact_baseline *baseline,
			    struct arena *arena, struct fate *fate);

#endif
