/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { HEAD_MAX = 64 * 1024, BODY_MAX = 16 * 1024 * 1024 };

static const char *find_crlf(const struct buf *in, size_t from)
{
	return in->len > from ? memmem(in->data + from, in->len - from, "\r\n", 2) : NULL;
}

/* The whole chunk at `off`: its size line, its bytes, CRLF. Returns as http_take(). */
static int parse_chunk(const struct buf *in, size_t *off, struct buf *body, size_t *size)
{
	const char *eol = find_crlf(in, *off);
	size_t start;
	char *end;

	if (!eol)
		return in->len - *off > 32 ? -1 : 0;
	*size = strtoul(in->data + *off, &end, 16);
	if (end != eol || *size > BODY_MAX)
		return -1;
	start = eol + 2 - in->data;
	if (in->len < start + *size + 2)
		return 0;
	buf_add(body, in->data + start, *size);
	*off = start + *size + 2;
	return 1;
}

int http_take_chunk(struct buf *in, struct buf *chunk)
{
	size_t off = 0, size;
	int got = parse_chunk(in, &off, chunk, &size);

	if (got == 1)
		buf_drop(in, off);
	return got;
}

static int parse_chunked(const struct buf *in, size_t *off, struct buf *body)
{
	size_t size;
	int got;

	do {
		got = parse_chunk(in, off, body, &size);
	} while (got == 1 && size);
	return got;
}

/* "Name: value" lines of the head; the value may be empty. */
char *http_header(const struct http_msg *msg, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = strstr(msg->head, "\r\n"); line; line = strstr(line, "\r\n")) {
		const char *end;

		line += 2;
		if (strncasecmp(line, name, len) || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " ");
		end = strstr(line, "\r\n");
		return strndup(line, end ? (size_t)(end - line) : strlen(line));
	}
	return NULL;
}

static int parse_head(const struct buf *in, size_t *off, struct http_msg *msg)
{
	const char *end = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;
	const char *sp, *sp2, *eol;

	if (!end)
		return in->len > HEAD_MAX ? -1 : 0;
	*off = end + 4 - in->data;
	msg->head = strndup(in->data, end + 2 - in->data);
	eol = strstr(msg->head, "\r\n");
	sp = strchr(msg->head, ' ');
	if (!sp || !eol || sp > eol)
		return -1;
	sp2 = strpbrk(sp + 1, " \r");
	msg->method = strndup(msg->head, sp - msg->head);
	msg->target = strndup(sp + 1, sp2 - sp - 1);
	return 1;
}

static int parse_body(const struct buf *in, size_t *off, struct http_msg *msg)
{
	char *length = http_header(msg, "Content-Length");
	char *coding = http_header(msg, "Transfer-Encoding");
	size_t n = length ? strtoul(length, NULL, 10) : 0;
	int got = 1;

	if (coding && !strcasecmp(coding, "chunked")) {
		got = parse_chunked(in, off, &msg->body);
	} else if (n > BODY_MAX) {
		got = -1;
	} else if (in->len - *off < n) {
		got = 0;
	} else {
		buf_add(&msg->body, in->data + *off, n);
		*off += n;
	}
	free(length);
	free(coding);
	return got;
}

static int take(struct buf *in, struct http_msg *msg, bool with_body)
{
	size_t off = 0;
	int got;

	*msg = (struct http_msg){ 0 };
	got = parse_head(in, &off, msg);
	if (got == 1 && with_body)
		got = parse_body(in, &off, msg);
	if (got == 1)
		buf_drop(in, off);
	else
		http_msg_free(msg);
	return got;
}

int http_take(struct buf *in, struct http_msg *msg)
{
	return take(in, msg, true);
}

int http_take_head(struct buf *in, struct http_msg *msg)
{
	return take(in, msg, false);
}

void http_msg_free(struct http_msg *msg)
{
	free(msg->method);
	free(msg->target);
	free(msg->head);
	buf_free(&msg->body);
	*msg = (struct http_msg){ 0 };
}

void http_date(struct buf *out)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	buf_str(out, text);
}

void http_response(struct buf *out, const char *status, const char *type, const struct buf *body)
{
	size_t len = body ? body->len : 0;

	buf_fmt(out, "HTTP/1.1 %s\r\nDate: ", status);
	http_date(out);
	buf_fmt(out, "\r\nContent-Length: %zu\r\n", len);
	if (type)
		buf_fmt(out, "Content-Type: %s\r\n", type);
	buf_str(out, "\r\n");
	if (len)
		buf_add(out, body->data, len);
}
