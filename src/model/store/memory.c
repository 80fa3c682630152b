/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/store/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/store/state.h"

bool store_reserve_(struct store *store, void *items, size_t *cap, size_t n, size_t size)
{
	if (array_reserve(items, cap, n, size) == 0)
		return true;
	store->broken = true;
	return false;
}

const char *store_text(struct store *store, const char *text)
{
	const char *pooled = strpool_text(store->pool, text);

	if (pooled)
		return pooled;
	store->broken = true;
	return "";
}

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

int64_t store_wall(const struct store *store, int64_t mono)
{
	return mono ? mono + store->session.wall_offset : 0;
}

int64_t store_mono(const struct store *store, int64_t wall)
{
	return wall ? wall - store->session.wall_offset : 0;
}
