/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sentences that go with a verdict: what it rests on, what to do next, what must not be done.
 */
#ifndef EW_MODEL_WHY_H
#define EW_MODEL_WHY_H

#include "model/judge.h"
#include "model/view.h"

struct arena;

/* Fills why, n_why, advice and forbidden of an executor whose verdict and links are set. */
void why_fill(const struct store *store, const struct view_executor *executor,
	      const struct evidence *evidence, struct report_executor *out, struct arena *arena);

#endif
