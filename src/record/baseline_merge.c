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

/* {key: executor} of a document. */
static json_t *executors_by_key(const json_t *executors)
{
	json_t *by_key = json_object(), *executor;
	size_t i;

	json_array_foreach(executors, i, executor)
	{
		char *key = executor_key(executor);
		int err = key ? json_object_set(by_key, key, executor) : -1;

		free(key);
		if (err < 0) {
			json_decref(by_key);
			return NULL;
		}
	}
	return by_key;
}

/* RFC 3339 in UTC with milliseconds: the order of the texts is that of the times. */
static int disconnected_merge(json_t *executor, const json_t *earlier)
{
	const char *verdict = json_string_value(json_object_get(executor, "verdict"));
	const char *now = json_string_value(json_object_get(executor, "disconnected_at"));
	json_t *before = json_object_get(earlier, "disconnected_at");

	if (!verdict || strcmp(verdict, "disconnected") != 0 || !json_is_string(before) ||
	    (now && strcmp(now, json_string_value(before)) <= 0))
		return 0;
	return json_object_set(executor, "disconnected_at", before);
}

static int executors_merge(json_t *executors, const json_t *earlier, bool keep)
{
	json_t *by_key = executors_by_key(executors), *before;
	int err = by_key ? 0 : -ENOMEM;
	size_t i;

	json_array_foreach(earlier, i, before)
	{
		char *key = err ? NULL : executor_key(before);
		json_t *executor = key ? json_object_get(by_key, key) : NULL;

		if (!key || (executor && disconnected_merge(executor, before) < 0) ||
		    (!executor && keep && json_array_append(executors, before) < 0))
			err = -ENOMEM;
		free(key);
	}
	json_decref(by_key);
	return err;
}

/* So that the next audit still finds that there was a treatment. */
static int acts_merge(json_t *document, const json_t *earlier)
{
	json_t *acts = json_object_get(earlier, "acts");

	if (!json_array_size(acts) || json_array_size(json_object_get(document, "acts")))
		return 0;
	return json_object_set(document, "acts", acts);
}

int baseline_merge(const char *document, const char *earlier, bool keep, char **ret, size_t *len)
{
	json_t *to = json_loads(document, 0, NULL), *from = json_loads(earlier, 0, NULL);
	json_t *executors = json_object_get(to, "executors");
	json_t *before = json_object_get(from, "executors");
	int err = json_is_array(executors) && json_is_array(before) ? 0 : -EINVAL;
	char *text = NULL;

	if (!err)
		err = executors_merge(executors, before, keep);
	if (!err && keep && acts_merge(to, from) < 0)
		err = -ENOMEM;
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

/* Quotes inside of a JSON string are escaped, so no executor's name can look like a member. */
bool baseline_is_treated(const char *document)
{
	const char *acts = strstr(document, "\"acts\": [");

	return acts && strstr(acts, "\"result\": \"done\"");
}
