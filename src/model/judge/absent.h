/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Runs that the disk or the API tells of, and that have no process. */
#ifndef EW_MODEL_JUDGE_ABSENT_H
#define EW_MODEL_JUDGE_ABSENT_H

#include "model/judge/executors.h"

/* Adds an executor without a process for each; after the living ones. */
void absent_fill(struct executors *view, struct arena *arena);

#endif
