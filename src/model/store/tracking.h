/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is known of network namespaces, and of what connection tracking and the firewall do in them.
 */
#ifndef EW_MODEL_STORE_TRACKING_H
#define EW_MODEL_STORE_TRACKING_H

#include "model/store/state.h"

/* Remembers that the namespace exists. */
void store_netns_note(struct store *store, uint64_t inode);

#endif
