/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/protobuf.h"

#include <errno.h>
#include <string.h>

#define VARINT_MAX 10 /* bytes of 64 bits, 7 in each */

static void skip(struct mesos_span *message, size_t len)
{
	message->p += len;
	message->len -= len;
}

static int varint_take(struct mesos_span *message, uint64_t *value)
{
	uint64_t result = 0;

	for (size_t i = 0; i < VARINT_MAX; i++) {
		uint8_t byte;

		if (i == message->len)
			return -ENODATA;
		byte = (uint8_t)message->p[i];
		result |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		skip(message, i + 1);
		*value = result;
		return 0;
	}
	return -EBADMSG;
}

static int fixed_take(struct mesos_span *message, size_t len, uint64_t *value)
{
	uint64_t result = 0;

	if (message->len < len)
		return -ENODATA;
	for (size_t i = 0; i < len; i++)
		result |= (uint64_t)(uint8_t)message->p[i] << (8 * i);
	skip(message, len);
	*value = result;
	return 0;
}

static int bytes_take(struct mesos_span *message, struct protobuf_field *field)
{
	uint64_t len;
	int err = varint_take(message, &len);

	if (err < 0)
		return err;
	field->cut = len > message->len;
	field->bytes = mesos_span_at(message->p, field->cut ? message->len : (size_t)len);
	skip(message, field->bytes.len);
	return 0;
}

int protobuf_next(struct mesos_span *message, struct protobuf_field *field)
{
	struct protobuf_field next = { 0 };
	struct mesos_span rest = *message;
	uint64_t tag;
	int err;

	if (rest.len == 0)
		return 0;
	err = varint_take(&rest, &tag);
	if (err < 0)
		return err;
	if (tag > UINT32_MAX || tag >> 3 == 0)
		return -EBADMSG;
	next.number = (uint32_t)tag >> 3;
	next.type = tag & 7;
	switch (next.type) {
	case PROTOBUF_VARINT:
		err = varint_take(&rest, &next.value);
		break;
	case PROTOBUF_FIXED64:
		err = fixed_take(&rest, 8, &next.value);
		break;
	case PROTOBUF_BYTES:
		err = bytes_take(&rest, &next);
		break;
	case PROTOBUF_FIXED32:
		err = fixed_take(&rest, 4, &next.value);
		break;
	default:
		return -EBADMSG;
	}
	if (err < 0)
		return err;
	*message = rest;
	*field = next;
	return 1;
}

struct mesos_span protobuf_bytes(struct mesos_span message, uint32_t number)
{
	struct mesos_span found = { NULL, 0 };
	struct protobuf_field field;

	while (protobuf_next(&message, &field) > 0)
		if (field.number == number && field.type == PROTOBUF_BYTES && !field.cut)
			found = field.bytes;
	return found;
}

struct mesos_span protobuf_id(struct mesos_span message, uint32_t number)
{
	return protobuf_bytes(protobuf_bytes(message, number), 1);
}

uint64_t protobuf_varint(struct mesos_span message, uint32_t number, uint64_t fallback)
{
	struct protobuf_field field;

	while (protobuf_next(&message, &field) > 0)
		if (field.number == number && field.type == PROTOBUF_VARINT)
			fallback = field.value;
	return fallback;
}

double protobuf_double(struct mesos_span message, uint32_t number)
{
	struct protobuf_field field;
	double value = 0;

	while (protobuf_next(&message, &field) > 0)
		if (field.number == number && field.type == PROTOBUF_FIXED64)
			memcpy(&value, &field.value, sizeof(value));
	return value;
}

int protobuf_check(struct mesos_span message)
{
	struct protobuf_field field = { 0 };
	int err;

	while ((err = protobuf_next(&message, &field)) > 0)
		if (field.cut)
			return -ENODATA;
	return err;
}
