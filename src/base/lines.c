/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

void lines_init(struct lines *lines, int fd, char *buf, size_t size)
{
	*lines = (struct lines){ .fd = fd, .buf = buf, .size = size };
}

/* Reads more behind what is not consumed. Returns false at the end of the file and after errors. */
static bool fill(struct lines *lines)
{
	ssize_t got;

	memmove(lines->buf, lines->buf + lines->at, lines->used - lines->at);
	lines->used -= lines->at;
	lines->at = 0;
	do
		got = read(lines->fd, lines->buf + lines->used, lines->size - 1 - lines->used);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		lines->err = -errno;
	lines->used += got > 0 ? (size_t)got : 0;
	return got > 0;
}

static char *take(struct lines *lines, size_t len, size_t newline)
{
	char *line = lines->buf + lines->at;

	line[len] = '\0';
	lines->at += len + newline;
	return line;
}

/* Passes over the rest of a line that was cut. Returns false at the end of the file. */
static bool skip_rest(struct lines *lines)
{
	while (lines->skip) {
		char *from = lines->buf + lines->at;
		char *end = memchr(from, '\n', lines->used - lines->at);

		lines->at = end ? (size_t)(end + 1 - lines->buf) : lines->used;
		lines->skip = !end;
		if (lines->skip && !fill(lines))
			return false;
	}
	return true;
}

char *lines_next(struct lines *lines, size_t *len)
{
	lines->cut = false;
	if (!skip_rest(lines))
		return NULL;
	for (;;) {
		char *from = lines->buf + lines->at;
		size_t rest = lines->used - lines->at;
		char *end = memchr(from, '\n', rest);

		if (end) {
			*len = (size_t)(end - from);
			return take(lines, *len, 1);
		}
		*len = rest;
		if (rest == lines->size - 1) {
			lines->cut = lines->skip = true;
			return take(lines, rest, 0);
		}
		if (!fill(lines))
			return lines->err || !rest ? NULL : take(lines, rest, 0);
	}
}
