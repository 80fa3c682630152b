/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sentences of an explanation. */
#ifndef EW_MODEL_JUDGE_SENTENCES_H
#define EW_MODEL_JUDGE_SENTENCES_H

#include <stddef.h>
#include <stdint.h>

struct arena;

#define SENTENCES_MAX 8

struct sentences {
	const char **v; /* NULL: the arena is broken */
	size_t n;
};

struct sentences sentences_new(struct arena *arena);
/* What does not fit is left out. sentence is the arena's, or static. */
void say(struct sentences *s, const char *sentence);

/* A timeout in its own units: "15 min", "90 s". */
const char *text_of_timeout(int64_t ns, struct arena *arena);
/* A duration in whole units, rounded down: "4 days". */
const char *text_of_duration(int64_t ns, struct arena *arena);

#endif
