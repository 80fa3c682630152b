/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What to do about an executor. */
#ifndef EW_MODEL_JUDGE_ADVICE_H
#define EW_MODEL_JUDGE_ADVICE_H

#include "model/judge/executor.h"
#include "model/judge/verdict.h"

/* Text and commands, as report_executor.advice; "": nothing. out: its verdict and links are filled.
 */
const char *advice_for(const struct store *store, const struct executor *executor,
		       const struct evidence *e, const struct report_executor *out,
		       struct arena *arena);

#endif
