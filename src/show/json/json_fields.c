/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "show/json/json_fields.h"

#include "base/jsonval.h"
#include "base/now.h"
#include "base/walltime.h"

struct fields fields_new(void)
{
	json_t *object = json_object();

	return (struct fields){ .object = object, .failed = !object };
}

json_t *fields_done(struct fields *fields)
{
	if (!fields->failed)
		return fields->object;
	json_decref(fields->object);
	return NULL;
}

void field_value(struct fields *fields, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(fields->object, name, value) < 0)
		fields->failed = true;
}

void field_text(struct fields *fields, const char *name, const char *text)
{
	field_value(fields, name, jsonval_text(text));
}

void field_known(struct fields *fields, const char *name, const char *text)
{
	field_value(fields, name, text && *text ? jsonval_text(text) : json_null());
}

void field_int(struct fields *fields, const char *name, int64_t value)
{
	field_value(fields, name, jsonval_i64(value));
}

void field_positive(struct fields *fields, const char *name, int64_t value)
{
	field_value(fields, name, value > 0 ? jsonval_i64(value) : json_null());
}

void field_u64(struct fields *fields, const char *name, uint64_t value)
{
	field_value(fields, name, jsonval_u64(value));
}

void field_bool(struct fields *fields, const char *name, bool value)
{
	field_value(fields, name, json_boolean(value));
}

void field_seconds(struct fields *fields, const char *name, int64_t ns)
{
	int64_t ms = (ns + NS_PER_MS / 2) / NS_PER_MS;

	if (ns < 0)
		field_value(fields, name, json_null());
	else if (ms % 1000 == 0)
		field_value(fields, name, json_integer(ms / 1000));
	else
		field_value(fields, name, json_real((double)ms / 1000));
}

void field_wall(struct fields *fields, const char *name, int64_t wall)
{
	char text[WALLTIME_TEXT_MAX];

	field_value(fields, name, wall ? json_string(walltime_text(wall, text)) : json_null());
}

void field_texts(struct fields *fields, const char *name, const char *const *texts, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(array, jsonval_text(texts[i])) < 0)
			fields->failed = true;
	}
	field_value(fields, name, array);
}

json_t *fields_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) == 0)
		return array;
	json_decref(array);
	return NULL;
}
