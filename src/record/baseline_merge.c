/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What tells an executor from others, as a text without control characters or raw bytes. */
static char *executor_key(const json_t *executor)
{
	static const char *const names[] = { "framework_id", "executor_id", "container_id", "pid",
					     "start_time" };
	json_t *parts = json_array();
	char *key;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *value = json_object_get(executor, names[i]);

		if (json_array_append(parts, value ? value : json_null()) < 0)
			break;
	}
	key = parts ? json_dumps(parts, JSON_COMPACT) : NULL;
	json_decref(parts);
	return key;
}

static json_t *keys_of(const json_t *executors)
{
	json_t *keys = json_object(), *executor;
	size_t i;

	json_array_foreach(executors, i, executor)
	{
		char *key = executor_key(executor);
		int err = key ? json_object_set_new(keys, key, json_true()) : -1;

		free(key);
		if (err < 0) {
			json_decref(keys);
			return NULL;
		}
	}
	return keys;
}

static int missing_append(json_t *executors, const json_t *earlier)
{
	json_t *keys = keys_of(executors), *executor;
	int err = keys ? 0 : -ENOMEM;
	size_t i;

	json_array_foreach(earlier, i, executor)
	{
		char *key = err ? NULL : executor_key(executor);

		if (!key)
			err = -ENOMEM;
		else if (!json_object_get(keys, key) && json_array_append(executors, executor) < 0)
			err = -ENOMEM;
		free(key);
	}
	json_decref(keys);
	return err;
}

int baseline_merge(const char *document, const char *earlier, char **ret, size_t *len)
{
	json_t *to = json_loads(document, 0, NULL), *from = json_loads(earlier, 0, NULL);
	json_t *executors = json_object_get(to, "executors");
	json_t *before = json_object_get(from, "executors");
	int err = json_is_array(executors) && json_is_array(before) ? 0 : -EINVAL;
	char *text = NULL;

	if (!err)
		err = missing_append(executors, before);
	if (!err)
		text = json_dumps(to, JSON_INDENT(2));
	if (!err && !text)
		err = -ENOMEM;
	if (text) {
		*len = strlen(text);
		*ret = text;
	}
	json_decref(from);
	json_decref(to);
	return err;
}
