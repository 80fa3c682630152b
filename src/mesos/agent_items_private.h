/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_MESOS_AGENT_ITEMS_PRIVATE_H
#define EW_MESOS_AGENT_ITEMS_PRIVATE_H

#include "mesos/agent_items.h"

/* An empty one at the end of the list; NULL: no memory. Valid until the next one is added. */
struct mesos_item *mesos_item_new(struct arena *arena, struct mesos_items *items);

/* Sort and keep the array. */
void mesos_ranges_set(struct mesos_item *item, struct mesos_range *ranges, size_t n);
void mesos_set_set(struct mesos_item *item, const char **set, size_t n);

#endif
