/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/bounded_emit.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bounded.h"
#include "base/emit.h"
#include "base/error.h"
#include "base/factjson.h"

enum { IDLE_MS = 3000 };

/* ---- the child: a fact a line, and at the end the result as a fact's line never begins ---- */

struct child {
	bounded_emitter emit;
	void *ctx;
	FILE *out;
	bool lacks; /* a fact could not be written, for lack of memory */
};

static void child_emit(void *ctx, const struct fact *fact)
{
	struct child *child = ctx;
	json_t *json = factjson_pack(fact);

	if (json && json_dumpf(json, child->out, JSON_COMPACT) == 0)
		fputc('\n', child->out);
	else
		child->lacks = true;
	/* What follows may hang: nothing that was read is kept back. */
	fflush(child->out);
	json_decref(json);
}

static int child_work(void *ctx, int out)
{
	struct child *child = ctx;
	struct fact_sink sink = { .emit = child_emit, .ctx = child };
	struct error error = { 0 };
	int err;

	child->out = fdopen(out, "w");
	if (!child->out)
		return 1;
	err = child->emit(child->ctx, &sink, &error);
	if (child->lacks)
		return 1;
	fprintf(child->out, "=%d\n%s\n%s\n", err, error.message, error.cure);
	return fflush(child->out) != 0;
}

/* ---- the caller ---- */

struct caller {
	const struct fact_sink *sink;
	struct factjson_reader *reader;
	char *text; /* a line that is not whole yet */
	size_t len, cap;
	int n_result; /* lines of the result that were read */
	struct error error;
};

static void result_line(struct caller *caller, const char *line, size_t len)
{
	struct error *error = &caller->error;

	switch (caller->n_result++) {
	case 0:
		error->code = (int)strtol(line + 1, NULL, 10);
		break;
	case 1:
		snprintf(error->message, sizeof(error->message), "%.*s", (int)len, line);
		break;
	case 2:
		snprintf(error->cure, sizeof(error->cure), "%.*s", (int)len, line);
		break;
	default:
		break;
	}
}

static int take_line(struct caller *caller, const char *line, size_t len)
{
	struct fact fact;
	size_t unknown;
	int err;

	if (caller->n_result || line[0] == '=') {
		result_line(caller, line, len);
		return 0;
	}
	err = factjson_read(caller->reader, line, len, &fact, &unknown, NULL);
	if (!err)
		fact_emit(caller->sink, &fact);
	return err;
}

static int text_add(struct caller *caller, const char *part, size_t len)
{
	size_t cap = caller->cap ? caller->cap : 16 * 1024;
	char *text;

	while (cap < caller->len + len + 1)
		cap *= 2;
	text = realloc(caller->text, cap);
	if (!text)
		return -ENOMEM;
	caller->text = text;
	caller->cap = cap;
	memcpy(text + caller->len, part, len);
	caller->len += len;
	text[caller->len] = '\0';
	return 0;
}

static int caller_got(void *ctx, const char *part, size_t len)
{
	struct caller *caller = ctx;
	int err = text_add(caller, part, len);
	char *line = caller->text, *end;

	while (!err && (end = memchr(line, '\n', caller->len - (size_t)(line - caller->text)))) {
		*end = '\0';
		err = take_line(caller, line, (size_t)(end - line));
		line = end + 1;
	}
	if (err)
		return err;
	caller->len -= (size_t)(line - caller->text);
	memmove(caller->text, line, caller->len);
	return 0;
}

int bounded_emit_begin(struct bounded *child, bounded_emitter emit, void *ctx)
{
	struct child work = { .emit = emit, .ctx = ctx };

	return bounded_begin(child, child_work, &work);
}

int bounded_emit_end(struct bounded *child, int64_t until, const char *object,
		     const struct fact_sink *sink, struct error *error)
{
	struct caller caller = { .sink = sink, .reader = factjson_reader_new() };
	int err = -ENOMEM;

	if (caller.reader)
		err = bounded_end(child, IDLE_MS, until, caller_got, &caller);
	else
		bounded_drop(child);
	factjson_reader_free(caller.reader);
	free(caller.text);
	if (!err && caller.n_result) {
		if (error)
			*error = caller.error;
		return caller.error.code;
	}
	err = err ? err : -EIO;
	emit_unread(sink, 0, 0, err, "%s", object);
	return error_set(error, err, "see whether its file system answers", "read '%s'", object);
}

int bounded_emit(bounded_emitter emit, void *ctx, int64_t until, const char *object,
		 const struct fact_sink *sink, struct error *error)
{
	struct bounded child;
	int err = bounded_emit_begin(&child, emit, ctx);

	if (!err)
		return bounded_emit_end(&child, until, object, sink, error);
	emit_unread(sink, 0, 0, err, "%s", object);
	return error_set(error, err, NULL, "read '%s'", object);
}
