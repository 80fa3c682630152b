/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Why an executor of the baseline ended: shared by those whose end was seen and those whose was
 * not. */
#ifndef EW_MODEL_JUDGE_EXIT_CAUSE_H
#define EW_MODEL_JUDGE_EXIT_CAUSE_H

#include "model/judge/outcome.h"
#include "model/judge/task_fate.h"

/* Its end was seen: process->ended. */
void exit_cause_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

/* Its task's own end decides. process may be NULL. task->worst is there. */
void exit_cause_task(const struct store *store, const struct fact_baseline *baseline,
		     const struct process *process, const struct task_fate *task,
		     struct arena *arena, struct fate *fate);

/* It is gone, and how was not seen: what the disk, the API and logs tell. process may be NULL. */
void end_unseen_judge(const struct store *store, const struct fact_baseline *baseline,
		      const struct process *process, struct arena *arena, struct fate *fate);

/* The agent wrote down that it ended it, and why: true with fate filled. */
bool end_by_agents_reason(const struct task_fate *task, struct arena *arena, struct fate *fate);

/* "the agent's checkpoints" and the like, for a sentence. */
const char *exit_cause_source(enum cause cause);

#endif
