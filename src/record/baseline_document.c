/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline_document.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "record/baseline.h"
#include "record/schema.h"

#define DOCUMENT_MAX ((size_t)256 << 20) /* 100,000 executors need far less */

struct input {
	FILE *file;
	size_t left;
	int err;
};

/* Ends after DOCUMENT_MAX bytes, so that a device that never ends cannot fill the memory. */
static size_t bounded_read(void *buf, size_t size, void *ctx)
{
	struct input *in = ctx;
	size_t n = fread(buf, 1, size < in->left ? size : in->left, in->file);

	if (ferror(in->file))
		in->err = -errno;
	else if (memchr(buf, '\0', n)) /* jsonval_load() says why */
		in->err = -EBADMSG;
	in->left -= n;
	return n;
}

int baseline_document_load(const char *path, json_t **ret, struct error *error)
{
	static const char *const names[] = { "execwatch.audit/1", "execwatch.shutdown/1" };
	struct input in = { fopen(path, "re"), DOCUMENT_MAX, 0 };
	json_t *document = NULL;
	json_error_t json;
	int err;

	if (!in.file)
		return error_set(error, -errno,
				 "make one with 'execwatch audit' before the restart",
				 "open baseline '%s'", path);
	document = json_load_callback(bounded_read, &in, 0, &json);
	err = in.err ? in.err : document ? 0 : -EINVAL;
	fclose(in.file);
	if (err == -EBADMSG) {
		json_decref(document);
		return error_set(error, err, "make a new one with 'execwatch audit'",
				 "read baseline '%s': it holds a NUL byte", path);
	}
	if (err == -EINVAL)
		return error_set(error, err, "make a new one with 'execwatch audit'",
				 "read baseline '%s', line %d: %s", path, json.line, json.text);
	if (err) {
		json_decref(document);
		return error_set(error, err, NULL, "read baseline '%s'", path);
	}
	err = schema_check(document, names, 2, path, "make one with 'execwatch audit'", error);
	if (!err && !json_is_array(json_object_get(document, "executors")))
		err = error_set(error, -EINVAL, "make a new one with 'execwatch audit'",
				"read baseline '%s': it has no array 'executors'", path);
	if (err)
		json_decref(document);
	else
		*ret = document;
	return err;
}

int baseline_read(const char *path, char **ret)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	long size;
	int err = 0;

	if (!file)
		return -errno;
	size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
	if (size < 0 || (size_t)size > DOCUMENT_MAX) {
		fclose(file);
		return -EFBIG;
	}
	rewind(file);
	text = malloc((size_t)size + 1);
	if (!text)
		err = -ENOMEM;
	else if (fread(text, 1, (size_t)size, file) != (size_t)size)
		err = -EIO;
	fclose(file);
	if (err) {
		free(text);
		return err;
	}
	text[size] = '\0';
	*ret = text;
	return 0;
}
