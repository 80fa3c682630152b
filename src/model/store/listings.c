/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/listings.h"

#include <stdlib.h>
#include <string.h>

#include "model/store/agent_choice.h"
#include "model/store/apply.h"
#include "model/store/checkpoints.h"
#include "model/store/memory.h"

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

static void listing_free(struct store *store, struct listing *listing)
{
	HASH_DEL(store->listings, listing);
	free((void *)listing->tasks);
	free(listing);
}

/* Drops listings that the last answer no longer has. */
static void listings_end(struct store *store)
{
	struct listing *listing, *next;

	HASH_ITER(hh, store->listings, listing, next)
	{
		if (listing->answer_nr != store->listed_answer_nr)
			listing_free(store, listing);
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
	struct run_key key = store_run_key_of(p);
	struct listing *listing;

	HASH_FIND(hh, store->listings, &key, sizeof(key), listing);
	return listing && !listing->completed && listing->answer_nr == store->listed_answer_nr;
}

void store_clear_listings(struct store *store)
{
	struct listing *listing, *next;

	HASH_ITER(hh, store->listings, listing, next)
	listing_free(store, listing);
}
