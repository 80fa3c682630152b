/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent's end of a link. */
#ifndef EW_MODEL_JUDGE_AGENT_END_H
#define EW_MODEL_JUDGE_AGENT_END_H

#include "model/store/store.h"

/* YES when the agent has the other end of this link. */
enum ew_tri agent_end_of(const struct store *store, const struct connection *conn);
/* No agent listens, and a process that is or was the agent lives and holds the link's other end. */
bool agent_end_is_silent(const struct store *store, const struct connection *conn);

#endif
