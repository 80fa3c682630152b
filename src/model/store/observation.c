/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/observation.h"

#include <string.h>
#include <stdlib.h>

#include "model/store/apply.h"
#include "model/store/memory.h"

static struct fact_hook *hook_find(const struct store *store, const char *hook)
{
	for (size_t i = 0; i < store->hooks.n; i++)
		if (strcmp(store->hooks.v[i].hook, hook) == 0)
			return &store->hooks.v[i];
	return NULL;
}

const struct fact_hook *store_hook(const struct store *store, const char *hook)
{
	return hook_find(store, hook);
}

void store_apply_hook(struct store *store, const struct fact *fact)
{
	struct fact_hook hook = fact->hook, *old;

	hook.hook = store_text(store, hook.hook);
	hook.program = store_text(store, hook.program);
	hook.reason = store_text(store, hook.reason);
	old = hook_find(store, hook.hook);
	if (old)
		*old = hook;
	else if (store_reserve(store, store->hooks))
		store->hooks.v[store->hooks.n++] = hook;
}

void store_apply_unread(struct store *store, const struct fact *fact)
{
	struct fact_unread unread = fact->unread;

	unread.object = store_text(store, unread.object);
	unread.reason = store_text(store, unread.reason);
	for (size_t i = 0; i < store->unread.n; i++)
		if (store->unread.v[i].object == unread.object)
			return;
	if (store_reserve(store, store->unread))
		store->unread.v[store->unread.n++] = unread;
}

/* Drops unread objects that this scan reads again. */
void store_begin_unread(struct store *store, uint32_t scope)
{
	size_t kept = 0;

	for (size_t i = 0; i < store->unread.n; i++) {
		const struct fact_unread *u = &store->unread.v[i];

		if (scope == SCAN_ALL || (u->pid && scope & SCAN_SOCKETS) ||
		    (u->cookie && scope & SCAN_TRACKING))
			continue;
		store->unread.v[kept++] = *u;
	}
	store->unread.n = kept;
}

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

bool store_sees_messages(const struct store *store)
{
	const struct fact_hook *hook = store_hook(store, "messages");

	return hook && *hook->program && !hook->best_effort && !store_events(store).lost;
}
