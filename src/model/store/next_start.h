/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flags of the running agent and of the next start. */
#ifndef EW_MODEL_STORE_NEXT_START_H
#define EW_MODEL_STORE_NEXT_START_H

#include "model/store/state.h"

void store_clear_next_starts(struct store *store);
/* What will start after this agent; NULL: nothing is known of it. */
const struct fact_next_start *store_next_start(const struct store *store,
					       const struct agent *agent);
/*
 * A flag of the agent (next: of the start after it); NULL: it is not given. Of the running agent
 * what its API tells, defaults included, else what its command line and environment have.
 */
const struct fact_flag *store_flag(const struct store *store, const struct agent *agent, bool next,
				   const char *name);
/* The running agent's, as its command line or environment gives it; NULL: they do not. */
const struct fact_flag *store_flag_given(const struct store *store, const struct agent *agent,
					 const char *name);

#endif
