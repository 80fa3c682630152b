/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The effect of messages on an executor's registration (struct registration). */
#ifndef EW_MODEL_STORE_MESSAGES_H
#define EW_MODEL_STORE_MESSAGES_H

#include "model/store/state.h"

/* After a scan of processes: applies messages whose sender was not known to be the agent before. */
void store_apply_early_messages(struct store *store);

#endif
