/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The three clocks that bound a window, in mono ns; 0: does not run. */
#ifndef EW_MODEL_JUDGE_DEADLINES_H
#define EW_MODEL_JUDGE_DEADLINES_H

#include <stdint.h>

#include "model/judge/executors.h"

/* The first of the executors' own recovery timeouts to run out. */
int64_t deadline_executors(const struct executors *view, struct arena *arena);
/* The master gives a silent agent up. */
int64_t deadline_master(const struct store *store);
/* A recovering agent throws out what has not registered again. */
int64_t deadline_agent(const struct store *store);

/* The longest time in this session that no agent was there, or none that had recovered; ns. */
int64_t deadline_agent_away(const struct store *store);

#endif
