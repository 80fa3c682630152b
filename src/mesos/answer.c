/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "mesos/state.h"

static bool is_json(struct mesos_span body)
{
	while (body.len && memchr(" \t\r\n", *body.p, 4))
		body = mesos_span_at(body.p + 1, body.len - 1);
	return body.len && (*body.p == '{' || *body.p == '[');
}

int mesos_api_check(int status, struct mesos_span body, struct fail *why)
{
	switch (status) {
	case 200:
		if (is_json(body))
			return 0;
		return fail_set(why, -EPROTO, "see whether another program listens on that port",
				"the answer is no JSON");
	case 401:
	case 403:
		return fail_set(why, -EACCES, "give --credential-file",
				"the agent refused to answer (HTTP %d)", status);
	case 404:
		return fail_set(why, -ENOENT, "try again in a moment",
				"the agent does not know this path (HTTP 404)");
	case 503:
		if (mesos_span_find(body, "has not finished recovery"))
			return fail_set(why, -EAGAIN, "wait until it has",
					"the agent has not finished recovery");
		break;
	}
	return fail_set(why, -EPROTO, NULL, "the agent answered HTTP %d", status);
}

int mesos_answer_load(struct mesos_span body, const char *what, json_t **ret_root, struct fail *why)
{
	json_error_t error;
	json_t *root = json_loadb(body.p ? body.p : "", body.len, 0, &error);

	if (!root)
		return fail_set(why, -EBADMSG, NULL, "%s is no JSON: line %d, column %d: %s", what,
				error.line, error.column, error.text);
	*ret_root = root;
	return 0;
}

int mesos_answer_text(const json_t *object, const char *key, char **ret_text)
{
	const char *text = json_string_value(json_object_get(object, key));

	*ret_text = strdup(text ? text : "");
	return *ret_text ? 0 : -ENOMEM;
}

const json_t *mesos_answer_array(const json_t *object, const char *key)
{
	const json_t *member = json_object_get(object, key);

	return json_is_array(member) ? member : NULL;
}

int mesos_answer_alloc(size_t n, size_t size, void **ret_items)
{
	*ret_items = n ? calloc(n, size) : NULL;
	return n && !*ret_items ? -ENOMEM : 0;
}

int mesos_answer_memory(const char *what, struct fail *why)
{
	return fail_set(why, -ENOMEM, NULL, "read %s", what);
}

int mesos_answer_lacks(const char *what, const char *member, struct fail *why)
{
	return fail_set(why, -EBADMSG, NULL, "%s lacks '%s'", what, member);
}
