/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The effect of a link's end on the executor's registration (struct registration). */
#ifndef EW_MODEL_STORE_REGISTRATION_H
#define EW_MODEL_STORE_REGISTRATION_H

#include "model/store/state.h"

/* Its connection towards the agent left ESTABLISHED. */
void registration_link_ended(struct store *store, struct connection *conn, int64_t mono);
/* It tried to connect to the agent, and was refused. */
void registration_link_refused(struct store *store, const struct connection *conn, int64_t mono);

#endif
