/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Has a probe renewed the entries of a link? */
#include "act/protect_private.h"

#include <time.h>

#include "base/error.h"
#include "base/now.h"

#define RENEW_WAIT (5000 * NS_PER_MS)
#define LOOK_PAUSE (25 * NS_PER_MS)

void protect_batch_look(struct protect_batch *batch)
{
	int err;

	batch->look_error = (struct error){ 0 };
	err = batch->options->look(batch->options->ctx, batch->wanted, batch->entries,
				   &batch->look_error);
	for (size_t i = 0; err && i < batch->n; i++)
		if (batch->wanted[i])
			batch->entries[i] = (struct protect_entry){ 0 };
}

/*
 * Only a packet moves the time at which an entry expires: to later, or to earlier where the timeout
 * was lowered since the last one. What is left of an entry right after that is its whole lifetime,
 * rounded down.
 */
static void target_note(struct protect_link *t, const struct protect_entry *entry,
			int64_t looked_at)
{
	int64_t lifetime = entry->latest - looked_at;

	if (entry->state != ENTRY_THERE ||
	    (entry->earliest <= t->found.latest && entry->latest >= t->found.earliest))
		return;
	t->renewed = true;
	if (!t->lifetime || lifetime < t->lifetime)
		t->lifetime = lifetime;
}

static size_t batch_await_some(struct protect_batch *batch)
{
	size_t open = 0;

	for (size_t i = 0; i < batch->n; i++) {
		const struct protect_link *t = &batch->targets[i];

		batch->wanted[i] = t->set && !t->renewed;
		open += batch->wanted[i];
	}
	if (open) {
		int64_t looked_at = now_mono();

		protect_batch_look(batch);
		for (size_t i = 0; i < batch->n; i++)
			if (batch->wanted[i])
				target_note(&batch->targets[i], &batch->entries[i], looked_at);
	}
	return open;
}

void protect_batch_await(struct protect_batch *batch)
{
	int64_t bound = now_mono() + RENEW_WAIT;
	struct timespec pause = { .tv_nsec = LOOK_PAUSE };

	while (batch_await_some(batch) && now_mono() < bound) {
		if (batch->options->idle)
			batch->options->idle(batch->options->ctx);
		nanosleep(&pause, NULL);
	}
}
