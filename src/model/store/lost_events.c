/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Events lost in the kernel. */

#include "model/store/store.h"

void store_apply_lost(struct store *store, const struct fact *fact)
{
	struct lost_events_fact loss = { fact->lost, fact->mono };

	loss.facts.cause = store_text(store, loss.facts.cause);
	for (size_t i = 0; i < store->losses.n; i++) {
		if (store->losses.v[i].facts.cause == loss.facts.cause) {
			if (store->losses.v[i].facts.lost == loss.facts.lost)
				loss.at =
					store->losses.v[i].at; /* reported again, not lost again */
			store->losses.v[i] = loss;
			return;
		}
	}
	if (store_reserve(store, store->losses))
		store->losses.v[store->losses.n++] = loss;
}

/* When the audit that is compared with was made, or this watch began. */
static int64_t beginning(const struct store *store)
{
	int64_t began = store->session_began;

	for (size_t i = 0; i < store->baselines.n; i++) {
		int64_t taken = store_mono(store, store->baselines.v[i].taken_wall);

		began = taken < began ? taken : began;
	}
	return began;
}

bool store_sees_messages(const struct store *store)
{
	const struct fact_hook *hook = store_hook(store, "messages");

	return hook && *hook->program && !hook->best_effort && !store_events(store).lost;
}

struct events store_events(const struct store *store)
{
	int64_t began = beginning(store);
	struct events events = { 0 };

	for (size_t i = 0; i < store->losses.n; i++) {
		const struct lost_events_fact *loss = &store->losses.v[i];

		events.seen += loss->facts.seen;
		if (loss->at >= began)
			events.lost += loss->facts.lost;
	}
	return events;
}
