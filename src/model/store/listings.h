/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Executors as the agent's API lists them. */
#ifndef EW_MODEL_STORE_LISTINGS_H
#define EW_MODEL_STORE_LISTINGS_H

#include "model/store/state.h"

bool store_is_listed(const struct store *store, const struct process_facts *p);
void store_clear_listings(struct store *store);

#endif
