/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/factwire.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/factfields.h"
#include "base/factjson.h"

/* Fields follow each other in the order of the table. A text has its NUL; a list, its length. */

static const size_t kind_size[] = {
	[FACTJSON_I32] = sizeof(int32_t),	  [FACTJSON_U32] = sizeof(uint32_t),
	[FACTJSON_I64] = sizeof(int64_t),	  [FACTJSON_U64] = sizeof(uint64_t),
	[FACTJSON_BOOL] = sizeof(bool),		  [FACTJSON_REAL] = sizeof(double),
	[FACTJSON_TRI] = sizeof(enum ew_tri),	  [FACTJSON_TEXT] = 0,
	[FACTJSON_ADDR] = sizeof(struct ew_addr), [FACTJSON_LIST] = 0,
};

/* ---- writing ---- */

static int add(struct factwire_writer *writer, const void *bytes, size_t len)
{
	size_t cap = writer->cap ? writer->cap : 1024;
	char *larger;

	while (cap < writer->len + len)
		cap *= 2;
	if (cap != writer->cap) {
		larger = realloc(writer->bytes, cap);
		if (!larger)
			return -ENOMEM;
		writer->bytes = larger;
		writer->cap = cap;
	}
	memcpy(writer->bytes + writer->len, bytes, len);
	writer->len += len;
	return 0;
}

static int add_text(struct factwire_writer *writer, const char *text)
{
	return add(writer, text ? text : "", text ? strlen(text) + 1 : 1);
}

static int add_list(struct factwire_writer *writer, const char *const *texts, size_t n)
{
	int err = add(writer, &n, sizeof(n));

	for (size_t i = 0; !err && i < n; i++)
		err = add_text(writer, texts[i]);
	return err;
}

static int add_field(struct factwire_writer *writer, const struct fact *fact,
		     const struct factjson_field *field)
{
	const void *at = (const char *)fact + field->offset;
	const void *count = (const char *)fact + field->count;
	double zero = 0;

	if (field->kind == FACTJSON_TEXT)
		return add_text(writer, *(const char *const *)at);
	if (field->kind == FACTJSON_LIST)
		return add_list(writer, *(const char *const *const *)at, *(const size_t *)count);
	/* As in JSON, which has no infinity and no NaN: a recording replays to the same. */
	if (field->kind == FACTJSON_REAL && !isfinite(*(const double *)at))
		at = &zero;
	return add(writer, at, kind_size[field->kind]);
}

int factwire_write(struct factwire_writer *writer, const struct fact *fact)
{
	const struct factfields *fields = factfields_of(fact->type);
	int err;

	if (!fields)
		return -EINVAL;
	writer->len = 0;
	err = add(writer, &fact->type, sizeof(fact->type));
	if (!err)
		err = add(writer, &fact->mono, sizeof(fact->mono));
	for (size_t i = 0; !err && i < fields->n; i++)
		err = add_field(writer, fact, &fields->field[i]);
	return err;
}

void factwire_writer_clear(struct factwire_writer *writer)
{
	free(writer->bytes);
	*writer = (struct factwire_writer){ 0 };
}

/* ---- reading ---- */

struct bytes {
	const char *at, *end;
};

static int take(struct bytes *bytes, void *to, size_t len)
{
	if ((size_t)(bytes->end - bytes->at) < len)
		return -EBADMSG;
	memcpy(to, bytes->at, len);
	bytes->at += len;
	return 0;
}

static int take_text(struct bytes *bytes, const char **text)
{
	const char *nul = memchr(bytes->at, '\0', (size_t)(bytes->end - bytes->at));

	if (!nul)
		return -EBADMSG;
	*text = bytes->at;
	bytes->at = nul + 1;
	return 0;
}

/* The array of the lists may not move any more once one of them has been read. */
static int texts_reserve(struct factwire_reader *reader, size_t most)
{
	const char **larger;

	reader->n = 0;
	if (most <= reader->cap)
		return 0;
	larger = realloc(reader->texts, most * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	reader->texts = larger;
	reader->cap = most;
	return 0;
}

static int take_list(struct factwire_reader *reader, struct bytes *bytes, void *list, size_t *n)
{
	int err = take(bytes, n, sizeof(*n));

	if (err || *n > reader->cap - reader->n)
		return -EBADMSG;
	*(const char ***)list = reader->texts + reader->n;
	for (size_t i = 0; !err && i < *n; i++)
		err = take_text(bytes, &reader->texts[reader->n++]);
	return err;
}

static int take_field(struct factwire_reader *reader, struct bytes *bytes, struct fact *fact,
		      const struct factjson_field *field)
{
	void *at = (char *)fact + field->offset;

	if (field->kind == FACTJSON_TEXT)
		return take_text(bytes, at);
	if (field->kind == FACTJSON_LIST)
		return take_list(reader, bytes, at, (void *)((char *)fact + field->count));
	return take(bytes, at, kind_size[field->kind]);
}

int factwire_read(struct factwire_reader *reader, const char *bytes, size_t len, struct fact *fact)
{
	struct bytes left = { bytes, bytes + len };
	struct fact read = { 0 };
	const struct factfields *fields;
	int err = take(&left, &read.type, sizeof(read.type));

	if (!err)
		err = take(&left, &read.mono, sizeof(read.mono));
	fields = err ? NULL : factfields_of(read.type);
	if (!fields)
		return -EBADMSG;
	err = texts_reserve(reader, len); /* a text has a byte at least */
	for (size_t i = 0; !err && i < fields->n; i++)
		err = take_field(reader, &left, &read, &fields->field[i]);
	if (err)
		return err;
	*fact = read;
	return left.at == left.end ? 0 : -EBADMSG;
}

void factwire_reader_clear(struct factwire_reader *reader)
{
	free(reader->texts);
	*reader = (struct factwire_reader){ 0 };
}
