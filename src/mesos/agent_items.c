/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/agent_items.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/jsonval.h"
#include "mesos/agent_items_private.h"

#define BLANK " \t\n\r"

/* ---- lists ---- */

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

/* ---- values ---- */

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

/* "[1-3,7-7]", without blanks. */
static int ranges_parse(struct arena *arena, const char *text, struct mesos_item *item)
{
	struct mesos_range *ranges = arena_array(arena, strlen(text), sizeof(*ranges));
	size_t n = 0;

	if (!ranges)
		return -ENOMEM;
	for (text++; *text != ']';) {
		char *end;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		ranges[n].first = strtoull(text, &end, 10);
		if (*end != '-' || end[1] < '0' || end[1] > '9')
			return -EINVAL;
		ranges[n].last = strtoull(end + 1, &end, 10);
		if (ranges[n].last < ranges[n].first || (*end != ',' && *end != ']'))
			return -EINVAL;
		text = end + (*end == ',');
		n++;
	}
	mesos_ranges_set(item, ranges, n);
	return text[1] ? -EINVAL : 0;
}

/* "{a,b}", without blanks. */
static int set_parse(struct arena *arena, const char *text, struct mesos_item *item)
{
	const char **set = arena_array(arena, strlen(text), sizeof(*set));
	size_t n = 0, len;

	if (!set)
		return -ENOMEM;
	for (text++; *text && *text != '}'; text += len + (text[len] == ',')) {
		len = strcspn(text, ",}");
		if (len)
			set[n++] = arena_span(arena, text, len);
	}
	mesos_set_set(item, set, n);
	return *text == '}' && !text[1] ? 0 : -EINVAL;
}

/* Blanks do not count in values (common/values.cpp, parse()). */
static int value_parse(struct arena *arena, const char *text, size_t len, struct mesos_item *item)
{
	char *value = arena_array(arena, len + 1, 1), *end;
	size_t n = 0;

	if (!value)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ')
			value[n++] = text[i];
	if (value[0] == '[')
		return ranges_parse(arena, value, item);
	if (value[0] == '{')
		return set_parse(arena, value, item);
	item->scalar = strtod(value, &end);
	item->type = n && !*end && item->scalar - item->scalar == 0 ? MESOS_SCALAR : MESOS_TEXT;
	item->text = value;
	return n ? 0 : -EINVAL;
}

/* ---- flags ---- */

int mesos_attributes_parse(struct arena *arena, const char *text, struct mesos_items *items)
{
	*items = (struct mesos_items){ 0 };
	while (*text) {
		size_t len = strcspn(text, ";\n");
		const char *colon = memchr(text, ':', len);
		struct mesos_item *item;
		int err;

		if (len) {
			if (!colon || colon == text)
				return -EINVAL;
			item = mesos_item_new(arena, items);
			if (!item)
				return -ENOMEM;
			item->name = arena_span(arena, text, (size_t)(colon - text));
			err = value_parse(arena, colon + 1, len - (size_t)(colon + 1 - text), item);
			if (err < 0 || item->type == MESOS_SET)
				return err < 0 ? err : -EINVAL;
		}
		text += len + (text[len] != '\0');
	}
	return 0;
}

static const char *trimmed(struct arena *arena, const char *text, size_t len)
{
	while (len && strchr(BLANK, *text))
		text++, len--;
	while (len && strchr(BLANK, text[len - 1]))
		len--;
	return arena_span(arena, text, len);
}

/* "cpus", "ports(web)", and as mesos_item_text() writes it "disk(*)[mount:/data]". */
static int resource_name(struct arena *arena, const char *text, size_t len, const char *role,
			 struct mesos_item *item)
{
	const char *open = memchr(text, '(', len), *close, *disk;

	item->role = role;
	item->name = trimmed(arena, text, open ? (size_t)(open - text) : len);
	if (!*item->name)
		return -EINVAL;
	if (!open)
		return 0;
	close = memchr(open, ')', len - (size_t)(open - text));
	if (!close)
		return -EINVAL;
	item->role = trimmed(arena, open + 1, (size_t)(close - open - 1));
	disk = memchr(close, '[', len - (size_t)(close - text));
	if (disk && text[len - 1] == ']')
		item->disk = arena_span(arena, disk + 1, len - (size_t)(disk + 2 - text));
	return 0;
}

/* Resources of one name, role and disk add up. */
static int item_merge(struct mesos_items *items)
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

static int simple_parse(struct arena *arena, const char *text, const char *role,
			struct mesos_items *items)
{
	for (int err; *text;) {
		size_t len = strcspn(text, ";");
		const char *value = text + len;
		struct mesos_item *item;

		while (value > text && value[-1] != ':')
			value--;
		if (strspn(text, BLANK) < len) {
			if (value == text)
				return -EINVAL;
			item = mesos_item_new(arena, items);
			if (!item)
				return -ENOMEM;
			err = resource_name(arena, text, (size_t)(value - 1 - text), role, item);
			if (!err)
				err = value_parse(arena, value, len - (size_t)(value - text), item);
			if (!err)
				err = item_merge(items);
			if (err)
				return err;
		}
		text += len + (text[len] == ';');
	}
	return 0;
}

/* ---- JSON ---- */

static const char *member_text(struct arena *arena, const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? arena_text(arena, text) : NULL;
}

static int json_ranges(struct arena *arena, const json_t *array, struct mesos_item *item)
{
	size_t n = json_array_size(array);
	struct mesos_range *ranges = arena_array(arena, n + 1, sizeof(*ranges));

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const json_t *range = json_array_get(array, i);

		ranges[i].first = (uint64_t)json_integer_value(json_object_get(range, "begin"));
		ranges[i].last = (uint64_t)json_integer_value(json_object_get(range, "end"));
		if (ranges[i].last < ranges[i].first)
			return -EINVAL;
	}
	mesos_ranges_set(item, ranges, n);
	return 0;
}

static int json_set(struct arena *arena, const json_t *array, struct mesos_item *item)
{
	size_t n = json_array_size(array);
	const char **set = arena_array(arena, n + 1, sizeof(*set));

	if (!set)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (!text)
			return -EINVAL;
		set[i] = arena_text(arena, text);
	}
	mesos_set_set(item, set, n);
	return 0;
}

static int json_value(struct arena *arena, const json_t *object, struct mesos_item *item)
{
	const char *type = json_string_value(json_object_get(object, "type"));
	const json_t *value;

	if (type && strcmp(type, "SCALAR") == 0) {
		value = json_object_get(json_object_get(object, "scalar"), "value");
		item->scalar = json_number_value(value);
		return json_is_number(value) ? 0 : -EINVAL;
	}
	if (type && strcmp(type, "RANGES") == 0)
		return json_ranges(
			arena, json_object_get(json_object_get(object, "ranges"), "range"), item);
	if (type && strcmp(type, "SET") == 0)
		return json_set(arena, json_object_get(json_object_get(object, "set"), "item"),
				item);
	return -EINVAL;
}

/* The source of a disk: {"source": {"type": "MOUNT", "mount": {"root": "/data"}}}. */
static const char *json_disk(struct arena *arena, const json_t *object)
{
	const json_t *source = json_object_get(json_object_get(object, "disk"), "source");
	const char *root;

	if (!source)
		return "";
	root = json_string_value(json_object_get(json_object_get(source, "mount"), "root"));
	if (root)
		return arena_printf(arena, "mount:%s", root);
	root = json_string_value(json_object_get(json_object_get(source, "path"), "root"));
	return arena_printf(arena, "path:%s", root ? root : "");
}

static int json_item(struct arena *arena, const json_t *object, const char *role,
		     struct mesos_items *items)
{
	const json_t *reservation = json_array_get(json_object_get(object, "reservations"), 0);
	struct mesos_item *item = mesos_item_new(arena, items);
	const char *name = member_text(arena, object, "name"), *own;
	int err;

	if (!item)
		return -ENOMEM;
	if (!name || !*name)
		return -EINVAL;
	own = member_text(arena, reservation, "role");
	own = own ? own : member_text(arena, object, "role");
	item->name = name;
	item->role = own ? own : role;
	item->disk = json_disk(arena, object);
	err = json_value(arena, object, item);
	return err ? err : item_merge(items);
}

static int json_parse(struct arena *arena, const char *text, const char *role,
		      struct mesos_items *items)
{
	json_t *array = jsonval_load(text, strlen(text), 0, NULL);
	int err = json_is_array(array) ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < json_array_size(array); i++)
		err = json_item(arena, json_array_get(array, i), role, items);
	json_decref(array);
	return err;
}

int mesos_resources_parse(struct arena *arena, const char *text, const char *role,
			  struct mesos_items *items)
{
	*items = (struct mesos_items){ 0 };
	role = arena_text(arena, role);
	return text[strspn(text, BLANK)] == '[' ? json_parse(arena, text, role, items)
						: simple_parse(arena, text, role, items);
}

const char *mesos_domain_text(struct arena *arena, const char *json)
{
	json_t *object = jsonval_load(json, strlen(json), 0, NULL);
	const json_t *domain = json_object_get(object, "fault_domain");
	const char *region, *zone, *text;

	region = json_string_value(json_object_get(json_object_get(domain, "region"), "name"));
	zone = json_string_value(json_object_get(json_object_get(domain, "zone"), "name"));
	text = region && zone ? arena_printf(arena, "%s/%s", region, zone) : "";
	json_decref(object);
	return text;
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
