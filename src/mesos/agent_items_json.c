/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Resources and the domain as JSON. */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/jsonval.h"
#include "mesos/agent_items_private.h"

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
	return err ? err : mesos_item_merge(items);
}

int mesos_items_parse_json(struct arena *arena, const char *text, const char *role,
			   struct mesos_items *items)
{
	json_t *array = jsonval_load(text, strlen(text), 0, NULL);
	int err = json_is_array(array) ? 0 : -EINVAL;

	for (size_t i = 0; !err && i < json_array_size(array); i++)
		err = json_item(arena, json_array_get(array, i), role, items);
	json_decref(array);
	return err;
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
