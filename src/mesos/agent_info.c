/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* slave.info: SlaveInfo of mesos.proto (0.28 to 1.11; fields by their numbers there). */
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "mesos/agent_items_private.h"
#include "mesos/protobuf.h"

enum slave_info { HOSTNAME = 1, RESOURCES = 3, ATTRIBUTES = 5, ID = 6, PORT = 8, DOMAIN = 10 };

/* Resource and Attribute differ in where the values are. */
struct numbers {
	uint32_t scalar, ranges, set, text; /* 0: it has none */
};

static const struct numbers resource_numbers = { 3, 4, 5, 0 };
static const struct numbers attribute_numbers = { 3, 4, 6, 5 };

static const char *text_of(struct arena *arena, struct mesos_span span)
{
	return span.p ? arena_span(arena, span.p, span.len) : "";
}

static size_t count_of(struct mesos_span message, uint32_t number)
{
	struct protobuf_field field;
	size_t n = 0;

	while (protobuf_next(&message, &field) > 0)
		n += field.number == number && field.type == PROTOBUF_BYTES;
	return n;
}

static int ranges_read(struct arena *arena, struct mesos_span message, struct mesos_item *item)
{
	struct mesos_range *ranges = arena_array(arena, count_of(message, 1) + 1, sizeof(*ranges));
	struct protobuf_field field;
	size_t n = 0;

	if (!ranges)
		return -ENOMEM;
	while (protobuf_next(&message, &field) > 0) {
		if (field.number != 1 || field.type != PROTOBUF_BYTES)
			continue;
		ranges[n].first = protobuf_varint(field.bytes, 1, 0);
		ranges[n].last = protobuf_varint(field.bytes, 2, 0);
		if (ranges[n].last < ranges[n].first)
			return -EBADMSG;
		n++;
	}
	mesos_ranges_set(item, ranges, n);
	return 0;
}

static int set_read(struct arena *arena, struct mesos_span message, struct mesos_item *item)
{
	const char **set = arena_array(arena, count_of(message, 1) + 1, sizeof(*set));
	struct protobuf_field field;
	size_t n = 0;

	if (!set)
		return -ENOMEM;
	while (protobuf_next(&message, &field) > 0)
		if (field.number == 1 && field.type == PROTOBUF_BYTES)
			set[n++] = text_of(arena, field.bytes);
	mesos_set_set(item, set, n);
	return 0;
}

static int value_read(struct arena *arena, struct mesos_span message, const struct numbers *numbers,
		      struct mesos_item *item)
{
	item->type = (enum mesos_item_type)protobuf_varint(message, 2, MESOS_SCALAR);
	switch (item->type) {
	case MESOS_SCALAR:
		item->scalar = protobuf_double(protobuf_bytes(message, numbers->scalar), 1);
		return 0;
	case MESOS_RANGES:
		return ranges_read(arena, protobuf_bytes(message, numbers->ranges), item);
	case MESOS_SET:
		return set_read(arena, protobuf_bytes(message, numbers->set), item);
	case MESOS_TEXT:
		item->text = text_of(arena, protobuf_id(message, numbers->text));
		return numbers->text ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

/* Resource.disk.source: type, path { root }, mount { root }. */
static const char *disk_of(struct arena *arena, struct mesos_span resource)
{
	struct mesos_span source = protobuf_bytes(protobuf_bytes(resource, 7), 3);
	struct mesos_span root = protobuf_bytes(protobuf_bytes(source, 3), 1);

	if (!source.p)
		return "";
	if (root.p)
		return arena_printf(arena, "mount:%s", text_of(arena, root));
	root = protobuf_bytes(protobuf_bytes(source, 2), 1);
	return arena_printf(arena, "path:%s", text_of(arena, root));
}

/* A role of its own: role of old, reservations[0].role since 1.4. */
static const char *role_of(struct arena *arena, struct mesos_span resource)
{
	struct mesos_span role = protobuf_bytes(protobuf_bytes(resource, 13), 3);

	if (!role.p)
		role = protobuf_bytes(resource, 6);
	return role.p && role.len ? text_of(arena, role) : "*";
}

static int item_read(struct arena *arena, struct mesos_span message, enum slave_info kind,
		     struct mesos_agent_info *info)
{
	struct mesos_item *item =
		mesos_item_new(arena, kind == RESOURCES ? &info->resources : &info->attributes);

	if (!item)
		return -ENOMEM;
	item->name = text_of(arena, protobuf_bytes(message, 1));
	if (kind == ATTRIBUTES)
		return value_read(arena, message, &attribute_numbers, item);
	item->role = role_of(arena, message);
	item->disk = disk_of(arena, message);
	return value_read(arena, message, &resource_numbers, item);
}

static const char *domain_of(struct arena *arena, struct mesos_span message)
{
	struct mesos_span domain = protobuf_bytes(protobuf_bytes(message, DOMAIN), 1);

	if (!domain.p)
		return "";
	return arena_printf(arena, "%s/%s", text_of(arena, protobuf_id(domain, 1)),
			    text_of(arena, protobuf_id(domain, 2)));
}

static int info_read(struct arena *arena, struct mesos_span message, struct mesos_agent_info *info)
{
	struct mesos_span rest = message;
	struct protobuf_field field;
	int err = 0, got;

	info->hostname = text_of(arena, protobuf_bytes(message, HOSTNAME));
	info->id = text_of(arena, protobuf_id(message, ID));
	info->port = (uint32_t)protobuf_varint(message, PORT, 5051);
	info->domain = domain_of(arena, message);
	while (!err && (got = protobuf_next(&rest, &field)) > 0)
		if (field.type == PROTOBUF_BYTES &&
		    (field.number == RESOURCES || field.number == ATTRIBUTES))
			err = item_read(arena, field.bytes, (enum slave_info)field.number, info);
	return err ? err : got;
}

int mesos_agent_info_parse(struct arena *arena, struct mesos_span file,
			   struct mesos_agent_info *info, struct error *error)
{
	uint32_t len;
	int err = -EBADMSG;

	*info = (struct mesos_agent_info){ .id = "", .hostname = "", .domain = "" };
	if (file.len >= sizeof(len)) {
		memcpy(&len, file.p, sizeof(len));
		if (len <= file.len - sizeof(len))
			err = info_read(arena, mesos_span_at(file.p + sizeof(len), len), info);
	}
	if (err < 0)
		return error_set(error, err == -ENOMEM ? err : -EBADMSG, NULL,
				 "an agent's description is damaged");
	return 0;
}
