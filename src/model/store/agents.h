/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that listen, or listened, on the agent port. */
#ifndef EW_MODEL_STORE_AGENTS_H
#define EW_MODEL_STORE_AGENTS_H

#include "model/store/state.h"

/* Live events tell that a process began or ceased to listen on the agent port, or ended. */
void store_agent_listens(struct store *store, const struct fact *fact);
void store_agent_closed(struct store *store, const struct fact *fact);
void store_agent_exited(struct store *store, const struct fact *fact);
/* At the end of a complete scan of sockets. */
void store_end_agents(struct store *store, int64_t mono);

#endif
