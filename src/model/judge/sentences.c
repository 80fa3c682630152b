/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/sentences.h"

#include "base/arena.h"
#include "base/now.h"

struct sentences sentences_new(struct arena *arena)
{
	return (struct sentences){ arena_array(arena, SENTENCES_MAX, sizeof(const char *)), 0 };
}

void say(struct sentences *s, const char *sentence)
{
	if (s->v && s->n < SENTENCES_MAX)
		s->v[s->n++] = sentence;
}

const char *text_of_timeout(int64_t ns, struct arena *arena)
{
	int64_t s = ns / NS_PER_S;

	if (s >= 120 * 60 && s % 3600 == 0)
		return arena_printf(arena, "%lld h", (long long)(s / 3600));
	if (s >= 120 && s % 60 == 0)
		return arena_printf(arena, "%lld min", (long long)(s / 60));
	return arena_printf(arena, "%lld s", (long long)s);
}

const char *text_of_duration(int64_t ns, struct arena *arena)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { 86400, "days" }, { 3600, "hours" }, { 60, "min" }, { 1, "s" } };
	int64_t s = ns / NS_PER_S;
	size_t i = 0;

	while (units[i].s > 1 && s < 2 * units[i].s)
		i++;
	return arena_printf(arena, "%lld %s", (long long)(s / units[i].s), units[i].name);
}
