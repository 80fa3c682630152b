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

/* It came before the agent that is there, of whose id it is: it has to register again. */
bool appeared_came_back(const struct store *store, const struct executor *executor);

/* It came, and has ended in this session. */
bool appeared_is_dead(const struct store *store, const struct process *process);

/* What a baseline would have said of it. */
struct fact_baseline appeared_baseline(const struct store *store, const struct process *process);

/* Of a living one, by its verdict: the outcome, and a sentence. */
const char *appeared_outcome(const struct report_executor *executor, enum outcome *outcome);

#endif
