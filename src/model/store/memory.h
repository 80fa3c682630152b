/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Memory of the store, and its two clocks. */
#ifndef EW_MODEL_STORE_MEMORY_H
#define EW_MODEL_STORE_MEMORY_H

#include "model/store/state.h"

/* Reserves one more element; false when memory is short (and the store is marked broken). */
#define store_reserve(store, list)                                                                 \
	store_reserve_((store), &(list).v, &(list).cap, (list).n, sizeof(*(list).v))
bool store_reserve_(struct store *store, void *items, size_t *cap, size_t n, size_t size);

/* The pooled text; "" when memory is short (and the store is marked broken). */
const char *store_text(struct store *store, const char *text);
/* A pooled copy of a list, or old itself if that is equal; old is freed otherwise. */
const char *const *store_texts(struct store *store, const char *const *texts, size_t n,
			       const char *const *old, size_t n_old);

/* The same for a list of a fact and the number of its texts, whose earlier version is old. */
#define store_copy_list(store, fact, old, list)                                                    \
	((fact).list =                                                                             \
		 store_texts((store), (fact).list, (fact).n_##list, (old)->list, (old)->n_##list), \
	 (fact).n_##list = (fact).list ? (fact).n_##list : 0)

/* mono to wall clock; 0 stays 0. */
int64_t store_wall(const struct store *store, int64_t mono);
/* Wall clock to mono; 0 stays 0. */
int64_t store_mono(const struct store *store, int64_t wall);

#endif
