/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/strpool.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"

/* Of a large node there are tens of thousands, mostly short: what goes with each counts. */
struct entry {
	struct entry *next; /* in the same slot */
	uint32_t hash;
	char text[];
};

struct strpool {
	struct arena *arena; /* the entries */
	struct entry **slots;
	size_t n, n_slots; /* a power of two */
};

struct strpool *strpool_new(void)
{
	struct strpool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->arena = arena_new();
	if (pool->arena)
		return pool;
	free(pool);
	return NULL;
}

void strpool_free(struct strpool *pool)
{
	if (!pool)
		return;
	arena_free(pool->arena);
	free(pool->slots);
	free(pool);
}

static struct entry **slot_of(const struct strpool *pool, uint32_t hash)
{
	return &pool->slots[hash & (pool->n_slots - 1)];
}

static void entry_add(struct strpool *pool, struct entry *entry)
{
	struct entry **slot = slot_of(pool, entry->hash);

	entry->next = *slot;
	*slot = entry;
}

/* One more has room: slots are at least as many as entries. */
static bool slots_reserve(struct strpool *pool)
{
	struct strpool old = *pool;
	size_t n_slots = old.n_slots ? old.n_slots * 2 : 64;

	if (pool->n < pool->n_slots)
		return true;
	pool->slots = calloc(n_slots, sizeof(*pool->slots));
	if (!pool->slots) {
		pool->slots = old.slots;
		return false;
	}
	pool->n_slots = n_slots;
	for (size_t i = 0; i < old.n_slots; i++) {
		for (struct entry *entry = old.slots[i], *next; entry; entry = next) {
			next = entry->next;
			entry_add(pool, entry);
		}
	}
	free(old.slots);
	return true;
}

static const struct entry *entry_find(const struct strpool *pool, const char *text, uint32_t hash)
{
	const struct entry *entry = pool->n_slots ? *slot_of(pool, hash) : NULL;

	while (entry && (entry->hash != hash || strcmp(entry->text, text) != 0))
		entry = entry->next;
	return entry;
}

static const struct entry *entry_new(struct strpool *pool, const char *text, uint32_t hash)
{
	size_t size = strlen(text) + 1;
	struct entry *entry;

	if (!slots_reserve(pool))
		return NULL;
	entry = arena_array(pool->arena, 1, offsetof(struct entry, text) + size);
	if (!entry)
		return NULL;
	entry->hash = hash;
	memcpy(entry->text, text, size);
	entry_add(pool, entry);
	pool->n++;
	return entry;
}

const char *strpool_text(struct strpool *pool, const char *text)
{
	const struct entry *entry;
	uint32_t hash;

	if (!text || !*text)
		return "";
	hash = (uint32_t)hash_text(HASH_BEGIN, text);
	entry = entry_find(pool, text, hash);
	if (!entry)
		entry = entry_new(pool, text, hash);
	return entry ? entry->text : NULL;
}
