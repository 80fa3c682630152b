/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

/* uthash ends the program when memory is short unless told otherwise; here the caller is told. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

struct entry {
	UT_hash_handle hh;
	char text[];
};

struct pool {
	struct entry *entries;
};

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
	struct entry *entry, *next;

	if (!pool)
		return;
	HASH_ITER(hh, pool->entries, entry, next)
	{
		HASH_DEL(pool->entries, entry);
		free(entry);
	}
	free(pool);
}

const char *pool_text(struct pool *pool, const char *text)
{
	struct entry *entry;
	size_t len;

	if (!text || !*text)
		return "";
	len = strlen(text);
	HASH_FIND(hh, pool->entries, text, len, entry);
	if (entry)
		return entry->text;
	entry = malloc(sizeof(*entry) + len + 1);
	if (!entry)
		return NULL;
	memcpy(entry->text, text, len + 1);
	HASH_ADD_KEYPTR(hh, pool->entries, entry->text, len, entry);
	if (!entry->hh.tbl) {
		free(entry);
		return NULL;
	}
	return entry->text;
}
