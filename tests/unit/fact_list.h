/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts kept in memory, to be judged again: without some, in another order, twice. */
#ifndef EW_TEST_FACT_LIST_H
#define EW_TEST_FACT_LIST_H

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/factfields.h"
#include "base/factjson.h"
#include "facts.h"
#include "model/model.h"

#define FACTS_MAX 4096

struct fact_list {
	struct arena *arena; /* owns the strings */
	struct fact facts[FACTS_MAX];
	size_t n;
};

/* Facts that stay where they are, in some order. */
struct fact_order {
	const struct fact *facts[2 * FACTS_MAX];
	size_t n;
};

static inline void fact_own_strings(struct arena *arena, struct fact *fact)
{
	const struct factfields *fields = factfields_of(fact->type);

	for (size_t i = 0; fields && i < fields->n; i++) {
		const struct factjson_field *field = &fields->field[i];
		char *at = (char *)fact + field->offset;

		if (field->kind == FACTJSON_TEXT) {
			*(const char **)at = arena_text(arena, *(const char **)at);
		} else if (field->kind == FACTJSON_LIST) {
			size_t n = *(size_t *)((char *)fact + field->count);
			const char **list = arena_array(arena, n ? n : 1, sizeof(*list));

			for (size_t k = 0; k < n; k++)
				list[k] = arena_text(arena, (*(const char *const **)at)[k]);
			*(const char *const **)at = list;
		}
	}
}

static inline void fact_list_emit(void *ctx, const struct fact *fact)
{
	struct fact_list *list = ctx;

	if (list->n == FACTS_MAX)
		abort();
	list->facts[list->n] = *fact;
	fact_own_strings(list->arena, &list->facts[list->n++]);
}

static inline struct fact_list *fact_list_new(void)
{
	struct fact_list *list = calloc(1, sizeof(*list));

	list->arena = arena_new();
	return list;
}

static inline void fact_list_free(struct fact_list *list)
{
	arena_free(list->arena);
	free(list);
}

static inline void fact_order_of(const struct fact_list *list, struct fact_order *order)
{
	order->n = list->n;
	for (size_t i = 0; i < list->n; i++)
		order->facts[i] = &list->facts[i];
}

/* What a new model says of these facts. The caller frees both. */
static inline struct report *fact_order_judge(const struct fact_order *order, enum report_kind kind,
					      struct model **model)
{
	struct fact_sink sink;

	*model = model_new();
	sink = model_sink(*model);
	for (size_t i = 0; i < order->n; i++)
		fact_emit(&sink, order->facts[i]);
	return model_report(*model, kind);
}

#endif
