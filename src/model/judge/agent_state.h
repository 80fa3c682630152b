/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the agent serves, and what it allows its executors. */
#ifndef EW_MODEL_JUDGE_AGENT_STATE_H
#define EW_MODEL_JUDGE_AGENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/store/store.h"

/* A new agent's, or the same one's, recovery is over, as far as can be told. */
bool agent_state_serves(const struct store *store);
/* When that will be so of an agent that cannot be asked, mono ns; 0: its own answer will tell. */
int64_t agent_state_serves_at(const struct store *store);

/* Is the agent that is there another process than the baseline's? */
bool agent_state_restarted(const struct store *store, const struct fact_baseline *baseline);

/* The agent's --executor_reregistration_timeout, 2 s where it is not known (Mesos constants.hpp).
 * ns. */
int64_t agent_state_reregister_timeout(const struct store *store);

#endif
