/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <string.h>

#include "model/store/agent_choice.h"
#include "model/store/agents.h"
#include "model/store/apply.h"
#include "model/store/checkpoints.h"
#include "model/store/connections.h"
#include "model/store/messages.h"
#include "model/store/observation.h"
#include "model/store/process_events.h"

static void snapshot_begin(struct store *store, const struct fact *fact)
{
	store->snapshot++;
	store->scope = fact->scan.scope;
	store->snapshot_began = fact->mono;
	store_begin_unread(store, fact->scan.scope);
}

static void snapshot_end(struct store *store, const struct fact *fact)
{
	uint32_t done = fact->scan.scope;

	store->complete = (store->complete & ~store->scope) | done;
	store->scope = 0;
	if (done & SCAN_SOCKETS) {
		store_end_sockets(store, fact->mono);
		store_end_agents(store, fact->mono);
	}
	if (done & SCAN_SOCKETS)
		store->socketed = store->snapshot;
	if (done & SCAN_TRACKING)
		store->tracked = store->snapshot;
	if (done & SCAN_PROCESSES)
		store_end_processes(store, fact->mono);
	if (done & SCAN_CHECKPOINTS) {
		store_end_checkpoints(store);
		store->checkpoints_read = store->snapshot_began;
		if (!store->first_checkpoints && store->work_dir.readable == EW_YES)
			store->first_checkpoints = store->snapshot;
		store_adopt(store);
	}
	store_count_named(store);
	if (done & SCAN_PROCESSES)
		store_apply_early_messages(store);
	if (done & SCAN_SOCKETS)
		store_forget_sockets(store, fact->mono);
}

void store_apply_scan(struct store *store, const struct fact *fact)
{
	if (strcmp(fact->scan.phase, "begin") == 0)
		snapshot_begin(store, fact);
	else
		snapshot_end(store, fact);
}
