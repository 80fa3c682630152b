/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a restart of the agent meets on the node, apart from the executors. */
#include <stdlib.h>

#include "model/store/apply.h"
#include "model/store/memory.h"
#include "model/store/node.h"

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

void store_apply_master(struct store *store, const struct fact *fact)
{
	store->master = fact->master;
	store->master.url = store_text(store, fact->master.url);
	store->master.problem = store_text(store, fact->master.problem);
	store->master.slave_id = store_text(store, fact->master.slave_id);
	store->has_master = true;
}

int64_t store_master_timeout(const struct store *store)
{
	return store->has_master && store->master.removal_after > 0 ? store->master.removal_after
								    : store->session.master_timeout;
}

void store_apply_docker(struct store *store, const struct fact *fact)
{
	store->docker = fact->docker;
	store->docker.socket = store_text(store, fact->docker.socket);
	store->docker.problem = store_text(store, fact->docker.problem);
	store->docker_seen = store->snapshot;
	store->has_docker = true;
}

void store_apply_container(struct store *store, const struct fact *fact)
{
	const struct container told = { { store_text(store, fact->container.name),
					  store_text(store, fact->container.state) },
					store->snapshot };

	for (size_t i = 0; i < store->containers.n; i++) {
		if (store->containers.v[i].facts.name == told.facts.name) {
			store->containers.v[i] = told;
			return;
		}
	}
	if (store_reserve(store, store->containers))
		store->containers.v[store->containers.n++] = told;
}

void store_apply_host(struct store *store, const struct fact *fact)
{
	store->node = fact->host;
}

void store_apply_foreseen(struct store *store, const struct fact *fact)
{
	const struct fact_foreseen told = { store_text(store, fact->foreseen.id),
					    store_text(store, fact->foreseen.severity),
					    store_text(store, fact->foreseen.evidence) };

	for (size_t i = 0; i < store->foreseen.n; i++)
		if (store->foreseen.v[i].id == told.id &&
		    store->foreseen.v[i].evidence == told.evidence)
			return;
	if (store_reserve(store, store->foreseen))
		store->foreseen.v[store->foreseen.n++] = told;
}

void store_apply_agent_log(struct store *store, const struct fact *fact)
{
	store->agent_log = fact->agent_log;
	store->agent_log.source = store_text(store, fact->agent_log.source);
	store->agent_log.text = store_text(store, fact->agent_log.text);
}

void store_clear_node(struct store *store)
{
	free(store->containers.v);
	free(store->foreseen.v);
	free(store->disks.v);
}
