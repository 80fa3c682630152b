/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Connections by their ends. */
#ifndef EW_MODEL_STORE_CONNECTION_INDEX_H
#define EW_MODEL_STORE_CONNECTION_INDEX_H

#include "model/store/state.h"

/* NULL: none has these ends. */
struct connection *store_connection_at(const struct store *store, uint64_t netns,
				       const struct ew_addr *local, const struct ew_addr *remote);
/* Changes the ends of a connection. A reused port names the newer connection. */
void connection_move(struct store *store, struct connection *conn, uint64_t netns,
		     const struct ew_addr *local, const struct ew_addr *remote);
void connection_unindex(struct store *store, struct connection *conn);

#endif
