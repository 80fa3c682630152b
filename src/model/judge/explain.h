/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sentences of a verdict: evidence, advice, and why not to touch the executor.
 */
#ifndef EW_MODEL_JUDGE_EXPLAIN_H
#define EW_MODEL_JUDGE_EXPLAIN_H

#include "model/judge/verdict.h"
#include "model/judge/executors.h"

struct arena;

/* Fills why, n_why, advice and forbidden of an executor whose verdict and links are set. */
void explain_fill(const struct store *store, const struct executor *executor,
		  const struct evidence *evidence, struct report_executor *out,
		  struct arena *arena);

#endif
