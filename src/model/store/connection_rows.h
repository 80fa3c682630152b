/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections by socket cookie. */
#ifndef EW_MODEL_STORE_CONNECTION_ROWS_H
#define EW_MODEL_STORE_CONNECTION_ROWS_H

#include "model/store/state.h"

/* NULL: not known. */
struct connection *store_connection_find(const struct store *store, uint64_t cookie);
/* NULL when there is none, or no memory. */
struct connection *store_connection(struct store *store, uint64_t cookie);
void store_connection_free(struct store *store, struct connection *conn);

#endif
