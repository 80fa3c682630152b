/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A list of texts that grows, in an arena. */
#ifndef EW_BASE_TEXT_LIST_H
#define EW_BASE_TEXT_LIST_H

#include <stddef.h>

struct arena;

/* All zero: empty. */
struct text_list {
	const char **v; /* the texts are not copied */
	size_t n;
	size_t cap;
};

/* Without memory nothing is added, and the arena is broken. */
void text_list_add(struct arena *arena, struct text_list *list, const char *text);

#endif
