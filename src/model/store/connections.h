/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The life of a connection, by scans and by events. */
#ifndef EW_MODEL_STORE_CONNECTIONS_H
#define EW_MODEL_STORE_CONNECTIONS_H

#include "base/now.h"
#include "model/store/state.h"

/*
 * Ended connections are kept for a while, since events of different rings arrive out of order. By
 * then struct registration holds what their end meant to an executor. A restart ends six
 * connections for each executor.
 */
#define STORE_KEEP_CONNECTION (5 * NS_PER_S)

/* The message proves its sender, and that its connection is ESTABLISHED. */
void connection_note_message(struct store *store, const struct fact *fact);

void store_end_sockets(struct store *store, int64_t mono);
/* Forgets connections that ended longer ago than STORE_KEEP_CONNECTION. */
void store_forget_sockets(struct store *store, int64_t mono);
void store_clear_sockets(struct store *store);

#endif
