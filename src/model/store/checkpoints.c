/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/checkpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/now.h"
#include "model/store/apply.h"
#include "model/store/memory.h"

struct run_key store_run_key(struct store *store, const char *fid, const char *eid, const char *cid)
{
	struct run_key key;

	memset(&key, 0, sizeof(key));
	key.framework_id = store_text(store, fid);
	key.executor_id = store_text(store, eid);
	key.container_id = store_text(store, cid);
	return key;
}

void store_apply_checkpoint(struct store *store, const struct fact *fact)
{
	const struct fact_checkpoint *from = &fact->checkpoint;
	struct run_key key =
		store_run_key(store, from->framework_id, from->executor_id, from->container_id);
	const char *const *tasks;
	struct checkpoint *checkpoint;

	HASH_FIND(hh, store->checkpoints, &key, sizeof(key), checkpoint);
	if (!checkpoint) {
		checkpoint = calloc(1, sizeof(*checkpoint));
		if (!checkpoint) {
			store->broken = true;
			return;
		}
		checkpoint->key = key;
		checkpoint->first = store->snapshot;
		HASH_ADD(hh, store->checkpoints, key, sizeof(key), checkpoint);
	}
	/* A copy of the tree under another name changes nothing about the agent's own. */
	if (store->has_work_dir && checkpoint->seen == store->snapshot &&
	    checkpoint->facts.slave_id &&
	    strcmp(checkpoint->facts.slave_id, store->work_dir.slave_id) == 0 &&
	    strcmp(from->slave_id, checkpoint->facts.slave_id) != 0)
		return;
	tasks = store_texts(store, from->tasks, from->n_tasks, checkpoint->facts.tasks,
			    checkpoint->facts.n_tasks);
	checkpoint->facts = *from;
	checkpoint->facts.slave_id = store_text(store, from->slave_id);
	checkpoint->facts.framework_id = key.framework_id;
	checkpoint->facts.executor_id = key.executor_id;
	checkpoint->facts.container_id = key.container_id;
	checkpoint->facts.upid = store_text(store, from->upid);
	checkpoint->facts.obstacle = store_text(store, from->obstacle);
	checkpoint->facts.tasks = tasks;
	checkpoint->facts.n_tasks = tasks ? from->n_tasks : 0;
	checkpoint->seen = store->snapshot;
}

struct checkpoint *store_checkpoint_of_run(const struct store *store, const struct run_key *key)
{
	struct checkpoint *checkpoint;

	HASH_FIND(hh, store->checkpoints, key, sizeof(*key), checkpoint);
	return checkpoint;
}

struct run_key store_run_key_of(const struct process_facts *p)
{
	return (struct run_key){ p->framework_id, p->executor_id, p->container_id };
}

struct checkpoint *store_checkpoint_find(const struct store *store, const struct process_facts *p)
{
	struct run_key key = store_run_key_of(p);

	return store_checkpoint_of_run(store, &key);
}

/* The agent writes it as soon as it has forked. The wall clock may have been set a little since. */
#define REUSED_LATER (2 * 60 * NS_PER_S)

bool store_pid_is_reused(const struct store *store, const struct checkpoint *checkpoint,
			 const struct process *process)
{
	int64_t began = store_wall(store, (int64_t)process->key.start * (NS_PER_S / 100));

	return checkpoint->facts.forked_wall &&
	       began > checkpoint->facts.forked_wall + REUSED_LATER;
}

void store_apply_damage(struct store *store, const struct fact *fact)
{
	struct damage damage = { .path = store_text(store, fact->damage.path),
				 .text = store_text(store, fact->damage.text),
				 .fatal = fact->damage.fatal,
				 .seen = store->snapshot };

	for (size_t i = 0; i < store->damages.n; i++) {
		if (store->damages.v[i].path == damage.path) {
			store->damages.v[i] = damage;
			return;
		}
	}
	if (store_reserve(store, store->damages))
		store->damages.v[store->damages.n++] = damage;
}

/* Drops what a complete scan no longer shows. */
static void damages_end(struct store *store)
{
	size_t n = 0;

	for (size_t i = 0; i < store->damages.n; i++)
		if (store->damages.v[i].seen == store->snapshot)
			store->damages.v[n++] = store->damages.v[i];
	store->damages.n = n;
}

static void checkpoint_free(struct store *store, struct checkpoint *checkpoint)
{
	HASH_DEL(store->checkpoints, checkpoint);
	free((void *)checkpoint->facts.tasks);
	free(checkpoint);
}

void store_end_checkpoints(struct store *store)
{
	struct checkpoint *checkpoint, *next;

	damages_end(store);
	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (checkpoint->seen != store->snapshot)
			checkpoint_free(store, checkpoint);
	}
}

void store_clear_checkpoints(struct store *store)
{
	struct checkpoint *checkpoint, *next;

	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	checkpoint_free(store, checkpoint);
}
