/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "mesos/span.h"

#include <stdlib.h>
#include <string.h>

struct mesos_span mesos_span_at(const void *bytes, size_t len)
{
	return (struct mesos_span){ .p = bytes, .len = len };
}

struct mesos_span mesos_span_of(const char *text)
{
	return mesos_span_at(text, text ? strlen(text) : 0);
}

bool mesos_span_is(struct mesos_span span, const char *text)
{
	if (!span.p || !text)
		return !span.p && !text;
	return span.len == strlen(text) && memcmp(span.p, text, span.len) == 0;
}

const char *mesos_span_find(struct mesos_span span, const char *text)
{
	return span.p ? memmem(span.p, span.len, text, strlen(text)) : NULL;
}

static void span_skip(struct mesos_span *span, size_t len)
{
	span->p += len;
	span->len -= len;
}

bool mesos_span_take(struct mesos_span *span, const char *text)
{
	size_t len = strlen(text);

	if (!span->p || span->len < len || memcmp(span->p, text, len) != 0)
		return false;
	span_skip(span, len);
	return true;
}

bool mesos_span_cut(struct mesos_span *span, char sep, struct mesos_span *before)
{
	const char *at = span->p ? memchr(span->p, sep, span->len) : NULL;

	if (!at)
		return false;
	*before = mesos_span_at(span->p, (size_t)(at - span->p));
	span_skip(span, before->len + 1);
	return true;
}

bool mesos_span_number(struct mesos_span *span, uint64_t max, uint64_t *number)
{
	uint64_t value = 0;
	size_t n = 0;

	for (; n < span->len && span->p[n] >= '0' && span->p[n] <= '9'; n++) {
		unsigned int digit = (unsigned int)(span->p[n] - '0');

		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (n == 0)
		return false;
	span_skip(span, n);
	*number = value;
	return true;
}

struct mesos_span mesos_span_last(struct mesos_span span, char sep)
{
	const char *at = span.p ? memrchr(span.p, sep, span.len) : NULL;

	if (at)
		span_skip(&span, (size_t)(at + 1 - span.p));
	return span;
}

char *mesos_span_dup(struct mesos_span span)
{
	char *copy = span.p ? malloc(span.len + 1) : NULL;

	return copy ? mesos_span_copy(span, copy, span.len + 1) : NULL;
}

char *mesos_span_copy(struct mesos_span span, char *buf, size_t size)
{
	size_t len = span.len < size ? span.len : size - 1;

	if (len)
		memcpy(buf, span.p, len);
	buf[len] = '\0';
	return buf;
}
