/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Executors that came after the baseline: reported apart from those of the baseline. Their loss
 * counts too.
 */
#ifndef EW_MODEL_APPEARED_H
#define EW_MODEL_APPEARED_H

#include "model/judge/executors.h"
#include "model/report.h"

bool appeared_is_living(const struct store *store, const struct executor *executor);

/* True when it came before the present agent, whose id it has: it has to register again. */
bool appeared_came_back(const struct store *store, const struct executor *executor);

/* True when it came and exited in this session. */
bool appeared_is_dead(const struct store *store, const struct process *process);

/*
 * True when the run is completed, on disk or in the agent's API, and came after the baseline: a
 * task of it ended since, or it has no ended task and a later scan was the first to find it on
 * disk. checkpoint: NULL when the API alone lists it.
 */
bool appeared_is_run_over(const struct store *store, const struct run_key *key,
			  const struct checkpoint *checkpoint);

/* A process of which the ids alone are known, for appeared_baseline(). */
struct process appeared_process_of_run(const struct run_key *key, const char *slave_id);

/* The baseline entry that it would have had. */
struct fact_baseline appeared_baseline(const struct store *store, const struct process *process);

/* For one that runs: sets its outcome by its verdict and returns a sentence. */
const char *appeared_outcome(const struct report_executor *executor, enum outcome *outcome);

#endif
