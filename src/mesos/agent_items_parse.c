/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Attributes and resources as flags have them. */
#include "mesos/agent_items.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "mesos/agent_items_private.h"

#define BLANK " \t\n\r"

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
				err = mesos_item_merge(items);
			if (err)
				return err;
		}
		text += len + (text[len] == ';');
	}
	return 0;
}

int mesos_resources_parse(struct arena *arena, const char *text, const char *role,
			  struct mesos_items *items)
{
	*items = (struct mesos_items){ 0 };
	role = arena_text(arena, role);
	return text[strspn(text, BLANK)] == '[' ? mesos_items_parse_json(arena, text, role, items)
						: simple_parse(arena, text, role, items);
}
