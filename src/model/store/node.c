/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a restart of the agent meets on the node, apart from the executors. */
#include <stdlib.h>

#include "model/store/store.h"

void store_apply_disk(struct store *store, const struct fact *fact)
{
	struct fact_disk disk = fact->disk;

	disk.role = store_text(store, disk.role);
	disk.path = store_text(store, disk.path);
	for (size_t i = 0; i < store->disks.n; i++) {
		if (store->disks.v[i].role == disk.role) {
			store->disks.v[i] = disk;
			return;
		}
	}
	if (store_reserve(store, store->disks))
		store->disks.v[store->disks.n++] = disk;
}

void store_clear_node(struct store *store)
{
	free(store->disks.v);
}
