/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/json.h"

#include <string.h>

/* Nesting of real calls is below 20; deeper is somebody's game. */
#define DEPTH_MAX 64

static void skip(struct mesos_span *json, size_t len)
{
	*json = mesos_span_at(json->p + len, json->len - len);
}

static void blanks_skip(struct mesos_span *json)
{
	while (json->len && memchr(" \t\r\n", *json->p, 4))
		skip(json, 1);
}

/* json is at the quote. False where it ends inside. *text is nothing with escapes. */
static bool string_take(struct mesos_span *json, struct mesos_span *text)
{
	bool escapes = false;

	for (size_t i = 1; i < json->len; i++) {
		if (json->p[i] == '"') {
			*text = mesos_span_at(escapes ? NULL : json->p + 1, escapes ? 0 : i - 1);
			skip(json, i + 1);
			return true;
		}
		if (json->p[i] == '\\') {
			escapes = true;
			i++;
		}
	}
	return false;
}

/* Object or array, from its bracket to the one that closes it, or to the end. */
static bool nested_take(struct mesos_span *json, struct mesos_span *all)
{
	struct mesos_span start = *json;
	struct mesos_span text;
	size_t depth = 0;

	*all = start;
	while (json->len) {
		char c = *json->p;

		if (c == '"') {
			if (!string_take(json, &text))
				return false;
			continue;
		}
		depth += c == '{' || c == '[';
		skip(json, 1);
		if (depth > DEPTH_MAX)
			return false;
		if ((c == '}' || c == ']') && --depth == 0) {
			all->len = start.len - json->len;
			return true;
		}
	}
	return false;
}

/* Number, true, false, null. */
static bool word_take(struct mesos_span *json, struct mesos_span *word)
{
	size_t n = 0;

	while (n < json->len && !memchr(",}] \t\r\n", json->p[n], 7))
		n++;
	*word = n > 0 && n < json->len ? mesos_span_at(json->p, n) : mesos_span_of(NULL);
	skip(json, n);
	return word->p;
}

/* False where the input ends inside the value; *value is what of it can be handed out. */
static bool value_take(struct mesos_span *json, struct mesos_span *value)
{
	*value = mesos_span_of(NULL);
	blanks_skip(json);
	if (json->len == 0)
		return false;
	if (*json->p == '"')
		return string_take(json, value);
	if (*json->p == '{' || *json->p == '[')
		return nested_take(json, value);
	return word_take(json, value);
}

struct mesos_span mesos_json_member(struct mesos_span json, const char *key)
{
	struct mesos_span name, value;
	bool more;

	blanks_skip(&json);
	if (!mesos_span_take(&json, "{"))
		return mesos_span_of(NULL);
	do {
		blanks_skip(&json);
		if (json.len == 0 || *json.p != '"' || !string_take(&json, &name))
			break;
		blanks_skip(&json);
		if (!mesos_span_take(&json, ":"))
			break;
		more = value_take(&json, &value);
		if (mesos_span_is(name, key))
			return value;
		blanks_skip(&json);
	} while (more && mesos_span_take(&json, ","));
	return mesos_span_of(NULL);
}
