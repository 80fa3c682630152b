/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets that listen on ports other than our agent's, where executors say that their agent is. */
#ifndef EW_MODEL_STORE_LISTENERS_H
#define EW_MODEL_STORE_LISTENERS_H

#include "model/store/state.h"

/*
 * Whether something listens where the agent of an executor in netns should, by its address. For
 * ports that are not ours: others are not looked up.
 */
bool store_is_listened_at(const struct store *store, const struct ew_addr *addr, uint64_t netns);

#endif
