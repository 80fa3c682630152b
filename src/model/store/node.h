/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a restart of the agent meets on the node, apart from the executors. */
#ifndef EW_MODEL_STORE_NODE_H
#define EW_MODEL_STORE_NODE_H

#include "model/store/state.h"

void store_clear_node(struct store *store);
/* After this the master removes a silent agent: its own word, else that of --master-timeout. ns. */
int64_t store_master_timeout(const struct store *store);

#endif
