/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

void wire_encode(struct buf *out, const struct wire_msg *msg, const struct buf *body)
{
	buf_fmt(out,
		"POST /%s/%s HTTP/1.1\r\n"
		"User-Agent: libprocess/%s\r\n"
		"Libprocess-From: %s\r\n"
		"Connection: Keep-Alive\r\n"
		"Host: %s\r\n",
		msg->to, msg->name, msg->from, msg->from, msg->host);
	if (!body || !body->len) {
		buf_str(out, "\r\n");
		return;
	}
	buf_fmt(out, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", body->len);
	buf_add(out, body->data, body->len);
	buf_str(out, "\r\n0\r\n\r\n");
}

const char *wire_name(const struct http_msg *req, const char *to)
{
	size_t len = strlen(to);
	const char *t = req->target;

	if (strcmp(req->method, "POST") || t[0] != '/' || strncmp(t + 1, to, len))
		return NULL;
	t += 1 + len;
	return strncmp(t, "/mesos.internal.", 16) ? NULL : t + 1;
}

void wire_record_chunk(struct buf *out, const struct buf *record)
{
	struct buf head = { 0 };

	buf_fmt(&head, "%zu\n", record->len);
	buf_fmt(out, "%zx\r\n", head.len + record->len);
	buf_add(out, head.data, head.len);
	buf_add(out, record->data, record->len);
	buf_str(out, "\r\n");
	buf_free(&head);
}

int wire_take_record(struct buf *in, struct buf *record)
{
	const char *nl = in->len ? memchr(in->data, '\n', in->len) : NULL;
	size_t len, start;
	char *end;

	if (!nl)
		return in->len > 20 ? -1 : 0;
	len = strtoul(in->data, &end, 10);
	if (end != nl)
		return -1;
	start = nl + 1 - in->data;
	if (in->len < start + len)
		return 0;
	buf_add(record, in->data + start, len);
	buf_drop(in, start + len);
	return 1;
}

void wire_executor_call(struct buf *out, const char *host, const struct buf *call)
{
	buf_fmt(out,
		"POST /slave(1)/api/v1/executor HTTP/1.1\r\n"
		"Content-Length: %zu\r\n"
		"Host: %s\r\n"
		"Accept: application/x-protobuf\r\n"
		"Content-Type: application/x-protobuf\r\n\r\n",
		call->len, host);
	buf_add(out, call->data, call->len);
}
