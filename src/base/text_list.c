/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/text_list.h"

#include <string.h>

#include "base/arena.h"

enum { FIRST_CAP = 16 };

void text_list_add(struct arena *arena, struct text_list *list, const char *text)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? 2 * list->cap : FIRST_CAP;
		const char **more = arena_array(arena, cap, sizeof(*more));

		if (!more)
			return;
		if (list->n)
			memcpy(more, list->v, list->n * sizeof(*more));
		list->v = more;
		list->cap = cap;
	}
	list->v[list->n++] = text;
}
