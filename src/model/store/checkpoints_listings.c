/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "model/store/store.h"

/* The list as one pooled allocation each time it changes; unchanged lists are shared. */
const char *const *store_texts(struct store *store, const char *const *texts, size_t n,
			       const char *const *old, size_t n_old)
{
	const char **copy;
	bool same = n == n_old;

	for (size_t i = 0; same && i < n; i++)
		same = strcmp(texts[i], old[i]) == 0;
	if (same)
		return old;
	copy = n ? calloc(n, sizeof(*copy)) : NULL;
	store->broken |= n && !copy;
	for (size_t i = 0; copy && i < n; i++)
		copy[i] = store_text(store, texts[i]);
	free((void *)old);
	return copy;
}

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

static struct run_key run_key_of(const struct process_facts *p)
{
	return (struct run_key){ p->framework_id, p->executor_id, p->container_id };
}

struct checkpoint *store_checkpoint_of_run(const struct store *store, const struct run_key *key)
{
	struct checkpoint *checkpoint;

	HASH_FIND(hh, store->checkpoints, key, sizeof(*key), checkpoint);
	return checkpoint;
}

struct checkpoint *store_checkpoint_find(const struct store *store, const struct process_facts *p)
{
	struct run_key key = run_key_of(p);

	return store_checkpoint_of_run(store, &key);
}

void store_apply_listing(struct store *store, const struct fact *fact)
{
	const struct fact_api_executor *from = &fact->api_executor;
	struct run_key key =
		store_run_key(store, from->framework_id, from->executor_id, from->container_id);
	struct listing *listing;

	HASH_FIND(hh, store->listings, &key, sizeof(key), listing);
	if (!listing) {
		listing = calloc(1, sizeof(*listing));
		if (!listing) {
			store->broken = true;
			return;
		}
		listing->key = key;
		HASH_ADD(hh, store->listings, key, sizeof(key), listing);
	}
	listing->tasks =
		store_texts(store, from->tasks, from->n_tasks, listing->tasks, listing->n_tasks);
	listing->n_tasks = listing->tasks ? from->n_tasks : 0;
	listing->answer_nr = from->answer_nr;
	listing->completed = from->completed;
}

/* Marks listings that the last answer no longer has. */
static void listings_end(struct store *store)
{
	struct listing *listing, *next;

	HASH_ITER(hh, store->listings, listing, next)
	{
		if (listing->answer_nr == store->listed_answer_nr)
			continue;
		HASH_DEL(store->listings, listing);
		free((void *)listing->tasks);
		free(listing);
	}
}

/* An answer read before the present agent appeared belongs to an earlier agent. */
static void note_served(struct store *store, int64_t mono)
{
	const struct agent *agent = store_agent(store);

	if (agent && !agent->recovered_at && (agent->was_there || mono >= agent->appeared))
		store->agents.v[agent - store->agents.v].recovered_at = mono;
}

void store_apply_api(struct store *store, const struct fact *fact)
{
	const struct fact_api *from = &fact->api;
	bool answered = !*(from->problem ? from->problem : "") && from->http_status == 200;
	int64_t timeout = store->api.reregister_timeout;

	store->api = *from;
	store->api.url = store_text(store, from->url);
	store->api.problem = store_text(store, from->problem);
	store->api.slave_id = store_text(store, from->slave_id);
	store->api.version = store_text(store, from->version);
	store->api.work_dir = store_text(store, from->work_dir);
	if (!from->reregister_timeout)
		store->api.reregister_timeout = timeout;
	store->api.upid = store_text(store, from->upid);
	store->has_api = true;
	store->api_at = fact->mono;
	if (!answered || from->recovering)
		return;
	store->listed_answer_nr = from->answer_nr;
	listings_end(store);
	store->listed_any = store->listings != NULL;
	note_served(store, fact->mono);
}

bool store_is_listed(const struct store *store, const struct process_facts *p)
{
	struct run_key key = run_key_of(p);
	struct listing *listing;

	HASH_FIND(hh, store->listings, &key, sizeof(key), listing);
	return listing && !listing->completed && listing->answer_nr == store->listed_answer_nr;
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

void store_end_checkpoints(struct store *store)
{
	struct checkpoint *checkpoint, *next;

	damages_end(store);
	HASH_ITER(hh, store->checkpoints, checkpoint, next)
	{
		if (checkpoint->seen == store->snapshot)
			continue;
		HASH_DEL(store->checkpoints, checkpoint);
		free((void *)checkpoint->facts.tasks);
		free(checkpoint);
	}
}

void store_clear_runs(struct store *store)
{
	struct checkpoint *checkpoint, *next_checkpoint;
	struct listing *listing, *next_listing;

	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint)
	{
		HASH_DEL(store->checkpoints, checkpoint);
		free((void *)checkpoint->facts.tasks);
		free(checkpoint);
	}
	HASH_ITER(hh, store->listings, listing, next_listing)
	{
		HASH_DEL(store->listings, listing);
		free((void *)listing->tasks);
		free(listing);
	}
}
