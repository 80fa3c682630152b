/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_MESOS_AGENT_ITEMS_PRIVATE_H
#define EW_MESOS_AGENT_ITEMS_PRIVATE_H

#include "mesos/agent_items.h"

/* An empty one at the end of the list; NULL: no memory. Valid until the next one is added. */
struct mesos_item *mesos_item_new(struct arena *arena, struct mesos_items *items);

/* Sort and keep the array. */
void mesos_ranges_set(struct mesos_item *item, struct mesos_range *ranges, size_t n);
void mesos_set_set(struct mesos_item *item, const char **set, size_t n);

/* Adds the last item to an earlier one of the same name. Returns 0 or a negative errno. */
int mesos_item_merge(struct mesos_items *items);
/* agent_items_json.c: an array of resources. Returns 0 or a negative errno. */
int mesos_items_parse_json(struct arena *arena, const char *text, const char *role,
			   struct mesos_items *items);

#endif
