/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (256 * 1024) /* pages of their own: freed, they are the system's again */
#define ALIGN _Alignof(max_align_t)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct arena {
	struct chunk *chunks;
	bool broken;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->chunks) {
		struct chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	free(arena);
}

bool arena_broken(const struct arena *arena)
{
	return arena->broken;
}

static void *arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	void *p;

	size = (size + ALIGN - 1) & ~(ALIGN - 1);
	if (!chunk || chunk->size - chunk->used < size) {
		size_t cap = size > CHUNK ? size : CHUNK;

		chunk = malloc(sizeof(*chunk) + cap);
		if (!chunk) {
			arena->broken = true;
			return NULL;
		}
		chunk->used = 0;
		chunk->size = cap;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return memset(p, 0, size);
}

void *arena_array(struct arena *arena, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2) {
		arena->broken = true;
		return NULL;
	}
	return arena_alloc(arena, bytes ? bytes : 1);
}

const char *arena_span(struct arena *arena, const char *bytes, size_t len)
{
	char *copy;

	len = len ? strnlen(bytes, len) : 0;
	copy = len ? arena_alloc(arena, len + 1) : NULL; /* zeroed: terminated */
	return copy ? memcpy(copy, bytes, len) : "";
}

const char *arena_text(struct arena *arena, const char *text)
{
	return arena_span(arena, text, text ? strlen(text) : 0);
}

const char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;
	char *text = NULL;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	if (len >= 0)
		text = arena_alloc(arena, (size_t)len + 1);
	if (text)
		vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(ap);
	return text ? text : "";
}
