/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was and what was not observed: hooks, unread objects, lost events. */
#ifndef EW_MODEL_STORE_OBSERVATION_H
#define EW_MODEL_STORE_OBSERVATION_H

#include "model/store/state.h"

/* The program that serves a hook, or why none does; NULL: nothing is told of this hook. */
const struct fact_hook *store_hook(const struct store *store, const char *hook);
/* Drops unread objects that a scan of that scope (SCAN_...) reads again. */
void store_begin_unread(struct store *store, uint32_t scope);

/* Counts only losses that can matter: since the audit that is compared with, or in this watch. */
struct events {
	uint64_t seen, lost;
};
struct events store_events(const struct store *store);
/* Would a message that an agent sends have been seen? */
bool store_sees_messages(const struct store *store);

#endif
