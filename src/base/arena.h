/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Memory that is freed all at once. When malloc() fails the arena is marked broken and returns NULL
 * from then on (strings: ""), so that its user can check once, at the end.
 */
#ifndef EW_BASE_ARENA_H
#define EW_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
bool arena_broken(const struct arena *arena);

/* Zeroed, aligned for any type; n * size must not overflow (then: broken, NULL). */
void *arena_array(struct arena *arena, size_t n, size_t size);
/* A copy; "" for NULL. */
const char *arena_text(struct arena *arena, const char *text);
/* A copy of len bytes, or of those before the first NUL among them. */
const char *arena_span(struct arena *arena, const char *bytes, size_t len);
const char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
