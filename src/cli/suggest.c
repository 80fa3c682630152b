/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 32

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Letters to insert, drop or change to make one word of the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t cost = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(cost, row[j] + 1, row[j - 1] + 1);
		}
	}
	return row[len];
}

const char *suggest(const char *word, const char *(*name)(const void *ctx, size_t i),
		    const void *ctx)
{
	const char *best = NULL, *candidate;
	size_t best_distance = WORD_MAX;

	if (strlen(word) > WORD_MAX)
		return NULL;
	for (size_t i = 0; (candidate = name(ctx, i)); i++) {
		size_t d = strlen(candidate) > WORD_MAX ? WORD_MAX : distance(word, candidate);

		if (d < best_distance && d <= 1 + strlen(candidate) / 3) {
			best = candidate;
			best_distance = d;
		}
	}
	return best;
}
