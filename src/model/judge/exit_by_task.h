/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Exits of executors that the end of their task explains. */
#ifndef EW_MODEL_JUDGE_EXIT_BY_TASK_H
#define EW_MODEL_JUDGE_EXIT_BY_TASK_H

#include "model/judge/fate.h"
#include "model/judge/task_fate.h"

struct arena;

/* Fills fate from the end of the task. process may be NULL; task->worst must not be. */
void exit_by_task(const struct store *store, const struct fact_baseline *baseline,
		  const struct process *process, const struct task_fate *task, struct arena *arena,
		  struct fate *fate);

/* "the agent's checkpoints" and the like, for a sentence. */
const char *exit_source_text(enum cause cause);

#endif
