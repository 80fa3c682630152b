/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/factjson.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/factfields.h"
#include "base/jsonval.h"
#include "base/error.h"

struct text_list {
	struct text_list *next;
	const char *texts[];
};

struct factjson_reader {
	json_t *object;
	char *bytes; /* holds every text of the line: decoding never lengthens */
	char *free;  /* the unused part of bytes */
	struct text_list *lists;
};

static const char *const tri_names[] = { "unknown", "no", "yes" };

const char *factjson_type_name(enum fact_type type)
{
	const struct factfields *fields = factfields_of(type);

	return fields ? fields->name : NULL;
}

static json_t *list_pack(const char *const *list, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, jsonval_text(list[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *addr_pack(const struct ew_addr *addr)
{
	char text[ADDR_TEXT_MAX];

	return json_string(addr_text(addr, text));
}

static json_t *field_pack(const struct fact *fact, const struct factjson_field *field)
{
	const void *at = (const char *)fact + field->offset;
	const void *count = (const char *)fact + field->count;

	switch (field->kind) {
	case FACTJSON_I32:
		return json_integer(*(const int32_t *)at);
	case FACTJSON_U32:
		return json_integer(*(const uint32_t *)at);
	case FACTJSON_I64:
		return jsonval_i64(*(const int64_t *)at);
	case FACTJSON_U64:
		return jsonval_u64(*(const uint64_t *)at);
	case FACTJSON_BOOL:
		return json_boolean(*(const bool *)at);
	case FACTJSON_REAL: /* JSON has no infinity and no NaN */
		return json_real(isfinite(*(const double *)at) ? *(const double *)at : 0);
	case FACTJSON_TRI:
		return json_string(tri_names[*(const enum ew_tri *)at]);
	case FACTJSON_TEXT:
		return jsonval_text(*(const char *const *)at);
	case FACTJSON_ADDR:
		return addr_pack(at);
	case FACTJSON_LIST:
		return list_pack(*(const char *const *const *)at, *(const size_t *)count);
	}
	return NULL;
}

json_t *factjson_pack(const struct fact *fact)
{
	const struct factfields *fields = factfields_of(fact->type);
	json_t *object = fields ? json_object() : NULL;
	int err;

	if (!object)
		return NULL;
	err = json_object_set_new_nocheck(object, "type", json_string_nocheck(fields->name));
	err |= json_object_set_new_nocheck(object, "mono_ns", jsonval_i64(fact->mono));
	for (size_t i = 0; i < fields->n; i++)
		err |= json_object_set_new_nocheck(object, fields->field[i].name,
						   field_pack(fact, &fields->field[i]));
	if (err) {
		json_decref(object);
		return NULL;
	}
	return object;
}

struct factjson_reader *factjson_reader_new(void)
{
	return calloc(1, sizeof(struct factjson_reader));
}

static void reader_reset(struct factjson_reader *reader)
{
	struct text_list *list = reader->lists, *next;

	json_decref(reader->object);
	free(reader->bytes);
	for (; list; list = next) {
		next = list->next;
		free(list);
	}
	*reader = (struct factjson_reader){ 0 };
}

void factjson_reader_free(struct factjson_reader *reader)
{
	if (!reader)
		return;
	reader_reset(reader);
	free(reader);
}

static const char *text_read(struct factjson_reader *reader, const json_t *value)
{
	const char *text = reader->free;

	reader->free += jsonval_bytes(json_string_value(value), reader->free) + 1;
	return text;
}

static int int_read(const json_t *value, int64_t min, int64_t max, int64_t *ret)
{
	int64_t parsed;

	if (jsonval_get_i64(value, &parsed) < 0 || parsed < min || parsed > max)
		return -EINVAL;
	*ret = parsed;
	return 0;
}

static int tri_read(const json_t *value, enum ew_tri *ret)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; text && i < sizeof(tri_names) / sizeof(tri_names[0]); i++) {
		if (strcmp(text, tri_names[i]) == 0) {
			*ret = (enum ew_tri)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int list_read(struct factjson_reader *reader, const json_t *value, const char *const **list,
		     size_t *n)
{
	size_t count = json_array_size(value);
	struct text_list *texts;

	if (!json_is_array(value))
		return -EINVAL;
	texts = calloc(1, sizeof(*texts) + count * sizeof(*texts->texts));
	if (!texts)
		return -ENOMEM;
	texts->next = reader->lists;
	reader->lists = texts;
	for (size_t i = 0; i < count; i++) {
		if (!json_is_string(json_array_get(value, i)))
			return -EINVAL;
		texts->texts[i] = text_read(reader, json_array_get(value, i));
	}
	*list = texts->texts;
	*n = count;
	return 0;
}

static int field_read(struct factjson_reader *reader, const json_t *value, struct fact *fact,
		      const struct factjson_field *field)
{
	void *at = (char *)fact + field->offset;
	void *count = (char *)fact + field->count;
	int64_t number = 0;
	int err = 0;

	switch (field->kind) {
	case FACTJSON_I32:
		err = int_read(value, INT32_MIN, INT32_MAX, &number);
		*(int32_t *)at = (int32_t)number;
		return err;
	case FACTJSON_U32:
		err = int_read(value, 0, UINT32_MAX, &number);
		*(uint32_t *)at = (uint32_t)number;
		return err;
	case FACTJSON_I64:
		return jsonval_get_i64(value, at);
	case FACTJSON_U64:
		return jsonval_get_u64(value, at);
	case FACTJSON_BOOL:
		*(bool *)at = json_is_true(value);
		return json_is_boolean(value) ? 0 : -EINVAL;
	case FACTJSON_REAL:
		*(double *)at = json_number_value(value);
		return json_is_number(value) ? 0 : -EINVAL;
	case FACTJSON_TRI:
		return tri_read(value, at);
	case FACTJSON_TEXT:
		if (!json_is_string(value))
			return -EINVAL;
		*(const char **)at = text_read(reader, value);
		return 0;
	case FACTJSON_ADDR:
		return json_is_string(value) ? addr_parse(json_string_value(value), at) : -EINVAL;
	case FACTJSON_LIST:
		return list_read(reader, value, at, count);
	}
	return -EINVAL;
}

/* What a field that the line does not have reads as: "not known". */
static void field_default(struct fact *fact, const struct factjson_field *field)
{
	void *at = (char *)fact + field->offset;

	if (field->kind == FACTJSON_TEXT)
		*(const char **)at = "";
	else if (field->missing && field->kind == FACTJSON_I32)
		*(int32_t *)at = field->missing;
	else if (field->missing)
		*(int64_t *)at = field->missing;
}

static int fields_read(struct factjson_reader *reader, const struct factfields *fields,
		       struct fact *fact, size_t *unknown, struct error *error)
{
	size_t known = 1;
	const json_t *value = json_object_get(reader->object, "mono_ns");

	if (!value || jsonval_get_i64(value, &fact->mono) < 0)
		return error_set(error, -EINVAL, NULL, "field 'mono_ns' of a fact '%s'",
				 fields->name);
	known++;
	for (size_t i = 0; i < fields->n; i++) {
		const struct factjson_field *field = &fields->field[i];
		int err;

		value = json_object_get(reader->object, field->name);
		if (!value) {
			field_default(fact, field);
			continue;
		}
		known++;
		err = field_read(reader, value, fact, field);
		if (err < 0)
			return error_set(error, err, NULL, "field '%s' of a fact '%s'", field->name,
					 fields->name);
	}
	*unknown = json_object_size(reader->object) - known;
	return 0;
}

int factjson_read(struct factjson_reader *reader, const char *line, size_t len, struct fact *fact,
		  size_t *unknown, struct error *error)
{
	const struct factfields *fields;
	struct fact read = { 0 };
	json_error_t json;
	const char *type;
	int err;

	reader_reset(reader);
	reader->object = jsonval_load(line, len, JSON_REJECT_DUPLICATES, &json);
	if (!reader->object)
		return error_set(error, -EINVAL, NULL, "JSON, column %d: %s", json.column,
				 json.text);
	type = json_string_value(json_object_get(reader->object, "type"));
	if (!type)
		return error_set(error, -EINVAL, NULL, "no object with a text 'type'");
	fields = factfields_named(type);
	if (!fields)
		return FACTJSON_LATER;
	reader->bytes = malloc(len + 1);
	if (!reader->bytes)
		return error_set(error, -ENOMEM, NULL, "a line of %zu bytes", len);
	reader->free = reader->bytes;
	read.type = fields->type;
	err = fields_read(reader, fields, &read, unknown, error);
	if (err < 0)
		return err;
	*fact = read;
	return 0;
}
