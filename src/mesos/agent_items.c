/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/agent_items.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "mesos/agent_items_private.h"

struct mesos_item *mesos_item_new(struct arena *arena, struct mesos_items *items)
{
	size_t n = items->n;
	struct mesos_item *more;

	if ((n & (n - 1)) == 0) { /* full */
		more = arena_array(arena, n ? 2 * n : 1, sizeof(*more));
		if (!more)
			return NULL;
		if (n)
			memcpy(more, items->v, n * sizeof(*more));
		items->v = more;
	}
	items->v[items->n] = (struct mesos_item){ .name = "", .role = "", .disk = "", .text = "" };
	return &items->v[items->n++];
}

const struct mesos_item *mesos_items_find(const struct mesos_items *items,
					  const struct mesos_item *like)
{
	for (size_t i = 0; i < items->n; i++) {
		const struct mesos_item *item = &items->v[i];

		if (strcmp(item->name, like->name) == 0 && strcmp(item->role, like->role) == 0 &&
		    strcmp(item->disk, like->disk) == 0)
			return item;
	}
	return NULL;
}

static int range_order(const void *a, const void *b)
{
	const struct mesos_range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static int text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void mesos_ranges_set(struct mesos_item *item, struct mesos_range *ranges, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(ranges, n, sizeof(*ranges), range_order);
	for (size_t i = 0; i < n; i++) {
		struct mesos_range *last = kept ? &ranges[kept - 1] : NULL;

		if (last && (ranges[i].first <= last->last || ranges[i].first - 1 == last->last))
			last->last = ranges[i].last > last->last ? ranges[i].last : last->last;
		else
			ranges[kept++] = ranges[i];
	}
	item->type = MESOS_RANGES;
	item->ranges = ranges;
	item->n = kept;
}

void mesos_set_set(struct mesos_item *item, const char **set, size_t n)
{
	if (n)
		qsort(set, n, sizeof(*set), text_order);
	item->type = MESOS_SET;
	item->set = set;
	item->n = n;
}

/* Resources of one name, role and disk add up. */
int mesos_item_merge(struct mesos_items *items)
{
	struct mesos_items before = { items->v, items->n - 1 };
	struct mesos_item *last = &items->v[items->n - 1];
	struct mesos_item *same = (struct mesos_item *)mesos_items_find(&before, last);

	if (last->type == MESOS_TEXT)
		return -EINVAL;
	if (!same)
		return 0;
	if (same->type != MESOS_SCALAR || last->type != MESOS_SCALAR)
		return 0; /* both stay: the first one is compared */
	same->scalar += last->scalar;
	items->n--;
	return 0;
}

/* ---- compare and write ---- */

/* Scalars have three decimals (common/values.cpp, convertToFixed()). */
static double fixed(double scalar)
{
	double thousandths = scalar * 1000 + (scalar < 0 ? -0.5 : 0.5);

	return thousandths > -9e15 && thousandths < 9e15 ? (double)(int64_t)thousandths
							 : thousandths;
}

/* Are all of a within b? */
static bool ranges_within(const struct mesos_item *a, const struct mesos_item *b)
{
	for (size_t i = 0; i < a->n; i++) {
		bool found = false;

		for (size_t at = 0; at < b->n && !found; at++)
			found = b->ranges[at].first <= a->ranges[i].first &&
				a->ranges[i].last <= b->ranges[at].last;
		if (!found)
			return false;
	}
	return true;
}

static bool set_within(const struct mesos_item *a, const struct mesos_item *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!b->n || !bsearch(&a->set[i], b->set, b->n, sizeof(*b->set), text_order))
			return false;
	return true;
}

static enum mesos_change change_of(bool within, bool includes)
{
	if (within && includes)
		return MESOS_SAME;
	return within ? MESOS_GROWN : MESOS_CHANGED;
}

enum mesos_change mesos_item_compare(const struct mesos_item *old, const struct mesos_item *now)
{
	if (old->type != now->type)
		return MESOS_CHANGED;
	switch (old->type) {
	case MESOS_SCALAR:
		return change_of(fixed(old->scalar) <= fixed(now->scalar),
				 fixed(old->scalar) >= fixed(now->scalar));
	case MESOS_RANGES:
		return change_of(ranges_within(old, now), ranges_within(now, old));
	case MESOS_SET:
		return change_of(set_within(old, now), set_within(now, old));
	case MESOS_TEXT:
		break;
	}
	return strcmp(old->text, now->text) == 0 ? MESOS_SAME : MESOS_CHANGED;
}

static const char *value_text(struct arena *arena, const struct mesos_item *item)
{
	const char *all = "";

	if (item->type == MESOS_TEXT)
		return item->text;
	if (item->type == MESOS_SCALAR)
		return arena_printf(arena, "%.10g", item->scalar);
	for (size_t i = 0; i < item->n; i++)
		all = item->type == MESOS_RANGES
			      ? arena_printf(arena, "%s%s%llu-%llu", all, i ? "," : "",
					     (unsigned long long)item->ranges[i].first,
					     (unsigned long long)item->ranges[i].last)
			      : arena_printf(arena, "%s%s%s", all, i ? "," : "", item->set[i]);
	return arena_printf(arena, item->type == MESOS_RANGES ? "[%s]" : "{%s}", all);
}

const char *mesos_item_text(struct arena *arena, const struct mesos_item *item)
{
	const char *value = value_text(arena, item);

	if (!*item->role)
		return arena_printf(arena, "%s:%s", item->name, value);
	if (!*item->disk)
		return arena_printf(arena, "%s(%s):%s", item->name, item->role, value);
	return arena_printf(arena, "%s(%s)[%s]:%s", item->name, item->role, item->disk, value);
}
