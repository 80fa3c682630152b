/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What acts have done to processes. */
#ifndef EW_MODEL_STORE_ACTS_H
#define EW_MODEL_STORE_ACTS_H

#include "model/store/state.h"

/*
 * When it was held in this session, mono; 0: it was not, or has lost a link or registered since.
 * What came after a hold of an earlier session was not observed: that one is told apart.
 */
int64_t store_held_at(const struct store *store, const struct process *process);
/* True when it was held after that time, mono ns. */
bool store_held_since(const struct store *store, const struct process *process, int64_t mono);
bool store_held_before(const struct store *store, const struct process *process);
/* When an act on this process was done; 0: none was, as far as is known. */
int64_t store_treated_at(const struct store *store, int32_t pid, uint64_t start);

#endif
