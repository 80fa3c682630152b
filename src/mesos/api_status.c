/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "mesos/api_state.h"

static bool is_json(struct mesos_span body)
{
	while (body.len && memchr(" \t\r\n", *body.p, 4))
		body = mesos_span_at(body.p + 1, body.len - 1);
	return body.len && (*body.p == '{' || *body.p == '[');
}

int api_status_check(int status, struct mesos_span body, struct error *error)
{
	switch (status) {
	case 200:
		if (is_json(body))
			return 0;
		return error_set(error, -EPROTO, "see whether another program listens on that port",
				 "the answer is no JSON");
	case 401:
	case 403:
		return error_set(error, -EACCES, "give --credential-file",
				 "the agent refused to answer (HTTP %d)", status);
	case 404:
		return error_set(error, -ENOENT, "try again in a moment",
				 "the agent does not know this path (HTTP 404)");
	case 503:
		if (mesos_span_find(body, "has not finished recovery"))
			return error_set(error, -EAGAIN, "wait until it has",
					 "the agent has not finished recovery");
		break;
	}
	return error_set(error, -EPROTO, NULL, "the agent answered HTTP %d", status);
}
