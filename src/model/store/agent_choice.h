/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the processes that listen on the agent port is the agent. */
#ifndef EW_MODEL_STORE_AGENT_CHOICE_H
#define EW_MODEL_STORE_AGENT_CHOICE_H

#include "model/store/state.h"

/* The agent that listens now; NULL: none does. */
const struct agent *store_agent(const struct store *store);
/*
 * Another agent on the same port, when no evidence tells which of the two is meant. NULL: there
 * is none.
 */
const struct agent *store_rival(const struct store *store);
/*
 * True when agent listens on the agent port as a user that is neither root nor the owner of the
 * agent's work directory: it is a tenant's process.
 */
bool agent_is_impostor(const struct store *store, const struct agent *agent);
/* Another agent than the one meant that listens at the address; NULL: none is known. */
const struct agent *store_other_agent(const struct store *store, const struct ew_addr *addr,
				      uint64_t netns);
/* At the end of a scan of checkpoints. */
void store_count_named(struct store *store);
/*
 * The agent that last ended by itself within its recovery, while none serves since; *n: how many
 * did so. NULL: none. Of the agent that was there at the first scan it is not known.
 */
const struct agent *store_failed_start(const struct store *store, size_t *n);
/* Was this process ever the agent? */
bool store_is_agent(const struct store *store, int32_t pid, uint64_t start);

/* The agent that listened last; NULL: none was ever seen. */
const struct agent *store_last_agent(const struct store *store);

#endif
