/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The three deadlines of a maintenance window, mono ns; 0: none runs. */
#ifndef EW_MODEL_JUDGE_DEADLINES_H
#define EW_MODEL_JUDGE_DEADLINES_H

#include <stdint.h>

#include "model/judge/executors.h"

/* When the first recovery timeout of an executor expires. */
int64_t deadline_executors(const struct executors *view, struct arena *arena);
/* When the master removes an agent that does not answer. */
int64_t deadline_master(const struct store *store);
/* When a recovering agent removes executors that have not registered again. */
int64_t deadline_agent(const struct store *store);

#endif
