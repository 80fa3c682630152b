/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections by process. */
#ifndef EW_MODEL_STORE_PROCESS_CONNECTIONS_H
#define EW_MODEL_STORE_PROCESS_CONNECTIONS_H

#include "model/store/state.h"

void store_process_connection_add(struct store *store, int32_t pid, uint64_t start,
				  uint64_t cookie);
/* Some may have been forgotten, or have another owner by now: check connection_is_of(). */
const uint64_t *store_process_connections(const struct store *store, int32_t pid, uint64_t start,
					  size_t *ret_n);
/* Removes connections that the store has forgotten, and processes without any. */
void store_prune_process_connections(struct store *store);

#endif
