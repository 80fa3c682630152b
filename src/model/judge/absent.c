/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/absent.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static int run_key_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct run_key));
}

struct run_keys {
	struct run_key *v;
	size_t n;
};

static struct run_keys run_keys_build(const struct executors *view, struct arena *arena)
{
	struct run_keys keys = { arena_array(arena, view->n_executors, sizeof(*keys.v)), 0 };

	for (size_t i = 0; keys.v && i < view->n_executors; i++) {
		const struct process_facts *p = &view->executors[i].process->facts;

		memset(&keys.v[keys.n], 0, sizeof(*keys.v));
		keys.v[keys.n].framework_id = p->framework_id;
		keys.v[keys.n].executor_id = p->executor_id;
		keys.v[keys.n++].container_id = p->container_id;
	}
	if (keys.n)
		qsort(keys.v, keys.n, sizeof(*keys.v), run_key_order);
	return keys;
}

static bool has_row(const struct run_keys *keys, const struct run_key *key)
{
	return keys->n && bsearch(key, keys->v, keys->n, sizeof(*keys->v), run_key_order);
}

static void absent_add(struct executors *view, const struct run_key *key, const char *slave_id,
		       const struct checkpoint *checkpoint, struct arena *arena)
{
	struct process *process = arena_array(arena, 1, sizeof(*process));
	struct executor *executor = &view->executors[view->n_executors];
	const char *none = "";

	if (!process)
		return;
	process->facts = (struct process_facts){
		.comm = none,
		.exe = none,
		.slave_pid = none,
		.slave_id = slave_id,
		.directory = none,
		.framework_id = key->framework_id,
		.executor_id = key->executor_id,
		.container_id = key->container_id,
		.domain_socket = none,
		.library = none,
		.library_version = none,
		.version_from = none,
		.cgroup = none,
		.state = none,
		.environ_read = EW_YES, /* no read was refused */
		.checkpoint = true,
	};
	process->known = true;
	*executor = (struct executor){ .process = process, .checkpoint = checkpoint };
	view->n_executors++;
}

/* Runs of an earlier boot or of an abandoned agent id have ended long ago. */
static bool is_expected(const struct store *store, const struct checkpoint *checkpoint)
{
	const struct fact_checkpoint *c = &checkpoint->facts;

	return c->latest && !c->completed && store->work_dir.same_boot != EW_NO &&
	       strcmp(c->slave_id, store->work_dir.slave_id) == 0;
}

void absent_fill(struct executors *view, struct arena *arena)
{
	static const uint32_t needed = SCAN_PROCESSES | SCAN_SOCKETS;
	const struct store *store = view->store;
	struct run_keys keys = run_keys_build(view, arena);
	const struct checkpoint *checkpoint, *next_checkpoint;
	const struct listing *listing, *next_listing;

	if ((store->complete & needed) != needed)
		return;
	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint)
	{
		if (store->has_work_dir && is_expected(store, checkpoint) &&
		    !has_row(&keys, &checkpoint->key))
			absent_add(view, &checkpoint->key, checkpoint->facts.slave_id, checkpoint,
				   arena);
	}
	HASH_ITER(hh, store->listings, listing, next_listing)
	{
		if (store->session.elsewhere != EW_UNKNOWN && store_agent(store) &&
		    !listing->completed && listing->answer_nr == store->listed_answer_nr &&
		    !has_row(&keys, &listing->key) &&
		    !store_checkpoint_of_run(store, &listing->key))
			absent_add(view, &listing->key, store->api.slave_id, NULL, arena);
	}
}
