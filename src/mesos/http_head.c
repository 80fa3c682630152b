/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/http_head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static struct mesos_span trim(struct mesos_span text)
{
	while (text.len && strchr(" \t", *text.p))
		text = mesos_span_at(text.p + 1, text.len - 1);
	while (text.len && strchr(" \t\r", text.p[text.len - 1]))
		text.len--;
	return text;
}

static bool is_printable(struct mesos_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f)
			return false;
	return true;
}

static bool is_method(struct mesos_span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.p[i] < 'A' || text.p[i] > 'Z')
			return false;
	return text.len >= 3 && text.len <= 7;
}

static bool is_version(struct mesos_span text, bool begun)
{
	static const char known[] = "HTTP/1.";
	size_t fixed = sizeof(known) - 1;

	if (begun && text.len <= fixed)
		return memcmp(text.p, known, text.len) == 0;
	return text.len == fixed + 1 && memcmp(text.p, known, fixed) == 0 &&
	       (text.p[fixed] == '0' || text.p[fixed] == '1');
}

static int response_parse(struct mesos_span line, struct http_start *start)
{
	struct mesos_span version;
	uint64_t status;

	if (!mesos_span_cut(&line, ' ', &version) || !is_version(version, false) || line.len < 3)
		return -EINVAL;
	if (line.len > 3 && line.p[3] != ' ')
		return -EINVAL;
	if (!mesos_span_number(&line, 999, &status) || status < 100)
		return -EINVAL;
	*start = (struct http_start){ .response = true, .status = (uint16_t)status };
	start->reason = trim(line);
	return 0;
}

static int request_parse(struct mesos_span line, bool begun, struct http_start *start)
{
	struct mesos_span method, path;

	if (!mesos_span_cut(&line, ' ', &method) || !is_method(method))
		return -EINVAL;
	if (!mesos_span_cut(&line, ' ', &path) || path.len == 0 || *path.p != '/')
		return -EINVAL;
	if (!is_version(line, begun))
		return -EINVAL;
	*start = (struct http_start){ .method = method, .path = path };
	return 0;
}

int http_start_parse(struct mesos_span head, struct http_start *start)
{
	struct mesos_span line = head;
	bool begun = !mesos_span_cut(&head, '\n', &line);

	line = trim(line);
	if (!is_printable(line))
		return -EINVAL;
	if (line.len >= 5 && memcmp(line.p, "HTTP/", 5) == 0)
		return response_parse(line, start);
	return request_parse(line, begun, start);
}

struct mesos_span http_head_value(struct mesos_span head, const char *name)
{
	size_t len = strlen(name);
	struct mesos_span line;

	while (mesos_span_cut(&head, '\n', &line))
		if (line.len > len && line.p[len] == ':' && strncasecmp(line.p, name, len) == 0)
			return trim(mesos_span_at(line.p + len + 1, line.len - len - 1));
	return mesos_span_of(NULL);
}

bool http_head_is(struct mesos_span head, const char *name, const char *value)
{
	struct mesos_span found = http_head_value(head, name);

	return found.p && found.len == strlen(value) && strncasecmp(found.p, value, found.len) == 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_chunk_size(struct mesos_span line, uint64_t *size)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < line.len && hex_digit(line.p[n]) >= 0; n++) {
		if (value >> 60)
			return false;
		value = value << 4 | (uint64_t)hex_digit(line.p[n]);
	}
	if (n == 0 || (n < line.len && !strchr("; \t\r\n", line.p[n])))
		return false;
	*size = value;
	return true;
}
