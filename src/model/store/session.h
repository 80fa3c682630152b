/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The session, its audit to compare with, and the agent's work dir. */
#ifndef EW_MODEL_STORE_SESSION_H
#define EW_MODEL_STORE_SESSION_H

#include "model/store/state.h"

void store_clear_session(struct store *store);

/* Results of acts that no audit log has, of all the session's logs. */
uint64_t store_acts_unwritten(const struct store *store);

#endif
