/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors that are gone and whose end nobody saw. */
#ifndef EW_MODEL_JUDGE_END_UNSEEN_H
#define EW_MODEL_JUDGE_END_UNSEEN_H

#include "model/judge/fate.h"
#include "model/judge/task_fate.h"

struct arena;

/* It is gone, and how was not seen: what the disk, the API and logs tell. process may be NULL. */
void end_unseen_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

/* The agent wrote down that it ended it, and why: true with fate filled. */
bool end_by_agents_reason(const struct task_fate *task, struct arena *arena, struct fate *fate);

#endif
