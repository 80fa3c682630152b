/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether the agent serves, and how long it lets executors register again. */
#ifndef EW_MODEL_JUDGE_AGENT_STATE_H
#define EW_MODEL_JUDGE_AGENT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "model/store/store.h"

/* An agent may take this long to stop a container (DESTROY_TIMEOUT, Mesos constants.hpp). */
#define AGENT_DESTROY_TIMEOUT (60 * NS_PER_S)

/* True when the agent listens and its recovery is known to be over. */
bool agent_state_serves(const struct store *store);
/* For an agent whose API cannot be read: when its recovery is over at the latest, mono ns; 0: its
 * API tells. */
int64_t agent_state_serves_at(const struct store *store);
/* True when an agent whose API cannot be read had not finished its recovery in the usual time: its
 * meta/boot_id, read after that time, was written before the agent began. */
bool agent_state_is_late(const struct store *store);
/* True when its API cannot be read, the usual time is over, and meta/boot_id, which it had not
 * written when that was last read, has to be read again before the agent can be said to serve. */
bool agent_state_needs_boot_id(const struct store *store);

/* True when the agent is another process than the baseline's. */
/*
 * When the agent's process began, mono, rounded up to a full second of the wall clock, so that each
 * run of verify gets the same; where the host was suspended since, when it was first seen.
 */
int64_t agent_state_began(const struct store *store, const struct agent *agent);

bool agent_state_restarted(const struct store *store, const struct fact_baseline *baseline);
/* Is it another than before: than any baseline's, or, in a `run` without baselines, than the one of
 * the first scan? */
bool agent_state_is_another(const struct store *store);

/* The agent's --executor_reregistration_timeout, 2 s where it is not known (Mesos constants.hpp).
 * ns. */
int64_t agent_state_reregister_timeout(const struct store *store);

#endif
