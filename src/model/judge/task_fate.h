/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The final states of the tasks of an executor of the baseline. An executor exits 0 whatever its
 * task did (Mesos launcher/executor.cpp, reaped()); only the tasks' own terminal states tell.
 */
#ifndef EW_MODEL_JUDGE_TASK_FATE_H
#define EW_MODEL_JUDGE_TASK_FATE_H

#include "model/report.h"
#include "model/store/store.h"

struct task_fate {
	/* The worst of its tasks' ends since the baseline; NULL: none is known. */
	const struct task_end *worst;
	bool complete; /* every task that ran at the baseline has ended */
	/* worst is the task's own end, stated before the executor ended and not by the agent's or
	 * the executor's own order to stop */
	bool own;
	/* The agent has received it, by its acknowledgement or its own record. */
	bool arrived;
	int64_t at; /* mono; when the last of them ended; 0: not known */
};

/* ended: mono, when the executor ended; 0: not seen. */
struct task_fate task_fate_of(const struct store *store, const struct fact_baseline *baseline,
			      int64_t ended);

#endif
