/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "pb.h"

#include <stdlib.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static void put_varint(struct buf *b, uint64_t v)
{
	do {
		unsigned char byte = (v & 0x7f) | (v > 0x7f ? 0x80 : 0);

		buf_add(b, &byte, 1);
		v >>= 7;
	} while (v);
}

void pb_varint(struct buf *b, unsigned int field, uint64_t value)
{
	put_varint(b, field << 3 | WIRE_VARINT);
	put_varint(b, value);
}

void pb_double(struct buf *b, unsigned int field, double value)
{
	put_varint(b, field << 3 | WIRE_FIXED64);
	buf_add(b, &value, sizeof(value));
}

void pb_bytes(struct buf *b, unsigned int field, const void *data, size_t len)
{
	put_varint(b, field << 3 | WIRE_BYTES);
	put_varint(b, len);
	buf_add(b, data, len);
}

void pb_str(struct buf *b, unsigned int field, const char *s)
{
	pb_bytes(b, field, s, strlen(s));
}

void pb_sub(struct buf *b, unsigned int field, struct buf *sub)
{
	pb_bytes(b, field, sub->data, sub->len);
	buf_free(sub);
}

void pb_id(struct buf *b, unsigned int field, const char *value)
{
	struct buf id = { 0 };

	pb_str(&id, 1, value);
	pb_sub(b, field, &id);
}

static bool get_varint(const char **data, size_t *len, uint64_t *v)
{
	*v = 0;
	for (unsigned int shift = 0; shift < 64 && *len; shift += 7) {
		unsigned char byte = **data;

		(*data)++;
		(*len)--;
		*v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool get_fixed(const char **data, size_t *len, size_t size, uint64_t *v)
{
	if (*len < size)
		return false;
	*v = 0;
	memcpy(v, *data, size);
	*data += size;
	*len -= size;
	return true;
}

bool pb_next(const char **data, size_t *len, struct pb_field *field)
{
	uint64_t key;

	*field = (struct pb_field){ 0 };
	if (!get_varint(data, len, &key))
		return false;
	field->number = key >> 3;
	switch (key & 7) {
	case WIRE_VARINT:
		return get_varint(data, len, &field->value);
	case WIRE_FIXED64:
		return get_fixed(data, len, 8, &field->value);
	case WIRE_FIXED32:
		return get_fixed(data, len, 4, &field->value);
	case WIRE_BYTES:
		if (!get_varint(data, len, &field->value) || field->value > *len)
			return false;
		field->data = *data;
		field->len = field->value;
		*data += field->len;
		*len -= field->len;
		return true;
	}
	return false;
}

bool pb_get(const char *data, size_t len, unsigned int number, struct pb_field *field)
{
	while (pb_next(&data, &len, field))
		if (field->number == number && field->data)
			return true;
	return false;
}

char *pb_get_id(const char *data, size_t len, unsigned int number)
{
	struct pb_field outer, inner;
	char *s;

	if (!pb_get(data, len, number, &outer) || !pb_get(outer.data, outer.len, 1, &inner))
		return NULL;
	s = lab_calloc(1, inner.len + 1);
	memcpy(s, inner.data, inner.len);
	return s;
}
