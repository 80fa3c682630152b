/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/factjson.h"
#include "base/error.h"
#include "base/jsonval.h"
#include "record/schema.h"

#define CHUNK	       ((size_t)64 << 10)
#define LINE_MAX_BYTES ((size_t)4 << 20) /* the longest fact, a list of tasks, stays far below */

struct replay {
	const char *name;
	int fd;
	char *buf;
	size_t begin, end, cap; /* the unread part of buf */
	bool eof;
	size_t line; /* number of the line read last, from 1 */
	struct factjson_reader *reader;
	const struct fact_sink *sink;
	struct recording_counts counts;
	bool footer_due;  /* the header announces a footer */
	bool footer_fits; /* and it was read, with as many facts as came before it */
};

static int input_open(struct replay *in, const char *path, struct error *error)
{
	if (strcmp(path, "-") == 0) {
		in->name = "standard input";
		in->fd = STDIN_FILENO;
		return 0;
	}
	in->name = path;
	in->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0)
		return error_set(error, -errno, "name a file written by --record",
				 "open recording '%s'", path);
	return 0;
}

static int input_grow(struct replay *in)
{
	size_t cap = in->cap * 2 + CHUNK;
	char *buf = realloc(in->buf, cap);

	if (!buf)
		return -ENOMEM;
	in->buf = buf;
	in->cap = cap;
	return 0;
}

static int input_more(struct replay *in, struct error *error)
{
	ssize_t n;

	if (in->begin) {
		memmove(in->buf, in->buf + in->begin, in->end - in->begin);
		in->end -= in->begin;
		in->begin = 0;
	}
	if (in->cap - in->end < CHUNK && input_grow(in) < 0)
		return error_set(error, -ENOMEM, NULL, "read recording '%s'", in->name);
	do {
		n = read(in->fd, in->buf + in->end, CHUNK);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_set(error, -errno, NULL, "read recording '%s'", in->name);
	in->eof = n == 0;
	in->end += (size_t)n;
	return 0;
}

/*
 * The next line without its newline. *whole: it had one. Returns 1, 0 at the end of the file, or a
 * negative errno.
 */
static int input_line(struct replay *in, const char **line, size_t *len, bool *whole,
		      struct error *error)
{
	size_t seen = 0;
	const char *end;

	for (;;) {
		const char *begin = in->buf + in->begin;
		size_t have = in->end - in->begin;
		int err;

		end = have > seen ? memchr(begin + seen, '\n', have - seen) : NULL;
		if (end || in->eof)
			break;
		seen = have;
		if (seen > LINE_MAX_BYTES)
			return error_set(error, -EINVAL, "it is no recording, or damaged",
					 "read recording '%s': line %zu is longer than %zu bytes",
					 in->name, in->line + 1, LINE_MAX_BYTES);
		err = input_more(in, error);
		if (err < 0)
			return err;
	}
	*line = in->buf + in->begin;
	*len = end ? (size_t)(end - *line) : in->end - in->begin;
	*whole = end != NULL;
	in->begin += *len + *whole;
	in->line++;
	return *len || *whole;
}

static int header_read(struct replay *in, struct error *error)
{
	static const char *const names[] = { RECORD_SCHEMA };
	const char *line;
	size_t len;
	bool whole;
	json_t *header;
	int err = input_line(in, &line, &len, &whole, error);

	if (err < 0)
		return err;
	if (err == 0)
		return error_set(error, -ENODATA, "name a file written by --record",
				 "read recording '%s': it is empty", in->name);
	header = jsonval_load(line, len, 0, NULL);
	err = schema_check(header, names, 1, in->name, "name a file that --record wrote", error);
	in->footer_due = json_is_true(json_object_get(header, RECORD_FOOTER_FLAG));
	json_decref(header);
	return err;
}

/* True when the line is the footer. Facts of later versions are among those that it counts. */
static bool footer_read(struct replay *in, const char *line, size_t len)
{
	json_t *object = jsonval_load(line, len, 0, NULL);
	const char *type = json_string_value(json_object_get(object, "type"));
	bool is_footer = type && strcmp(type, RECORD_FOOTER) == 0;

	if (is_footer)
		in->footer_fits = json_integer_value(json_object_get(object, "facts")) ==
				  (json_int_t)(in->counts.facts + in->counts.later_types);
	json_decref(object);
	return is_footer;
}

static int line_replay(struct replay *in, const char *line, size_t len, bool whole,
		       struct error *error)
{
	struct fact fact;
	struct error reason;
	size_t later_fields = 0;
	int err = factjson_read(in->reader, line, len, &fact, &later_fields, &reason);

	if (err == -EINVAL && !whole) {
		in->counts.cut = true;
		return 0;
	}
	if (err < 0)
		return error_set(error, err, "the file is damaged: nothing was concluded from it",
				 "read recording '%s', line %zu: %.160s", in->name, in->line,
				 reason.message);
	if (err == FACTJSON_LATER && footer_read(in, line, len))
		return 0;
	in->footer_fits = false;
	if (err == FACTJSON_LATER) {
		in->counts.later_types++;
		return 0;
	}
	in->counts.facts++;
	in->counts.later_fields += later_fields;
	fact_emit(in->sink, &fact);
	return 0;
}

int recording_replay(const char *path, const struct fact_sink *sink,
		     struct recording_counts *counts, struct error *error)
{
	struct replay in = { .fd = -1, .sink = sink };
	const char *line;
	size_t len;
	bool whole;
	int err = input_open(&in, path, error);

	if (err < 0)
		goto out;
	in.reader = factjson_reader_new();
	if (!in.reader || input_grow(&in) < 0) {
		err = error_set(error, -ENOMEM, NULL, "read recording '%s'", in.name);
		goto out;
	}
	err = header_read(&in, error);
	while (!err) {
		err = input_line(&in, &line, &len, &whole, error);
		if (err <= 0)
			break;
		err = line_replay(&in, line, len, whole, error);
	}
	in.counts.incomplete = in.counts.cut || (in.footer_due && !in.footer_fits);
	if (!err)
		*counts = in.counts;
out:
	factjson_reader_free(in.reader);
	free(in.buf);
	if (in.fd > STDIN_FILENO)
		close(in.fd);
	return err;
}
