/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline_document.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/safe_dir.h"
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

const char *baseline_shown(const struct baseline_dir *dir, const char *name, char buf[PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s%s%s", dir ? dir->path : "", dir ? "/" : "", name);
	return buf;
}

/* A file that the user names; a pipe counts, one that nobody writes to is empty. */
static int named_open(const char *name)
{
	int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fcntl(fd, F_SETFL, 0) == 0)
		return fd;
	close(fd);
	return -EIO;
}

/* Returns 0, or a negative errno. */
static int file_open(const struct baseline_dir *dir, const char *name, FILE **ret)
{
	int fd = dir ? safe_file_open(dir->fd, name, O_RDONLY, 0) : named_open(name);
	int err;

	if (fd < 0)
		return fd;
	*ret = fdopen(fd, "r");
	if (*ret)
		return 0;
	err = -errno;
	close(fd);
	return err;
}

static int refuse_open(const struct baseline_dir *dir, int err, const char *path,
		       struct error *error)
{
	if (dir && (err == -EPERM || err == -ELOOP))
		return error_set(error, err,
				 "remove it, or give a directory of your own with --state-dir",
				 "open baseline '%s': others may have made or written it", path);
	return error_set(error, err, "make one with 'execwatch audit' before the restart",
			 "open baseline '%s'", path);
}

int baseline_document_load(const struct baseline_dir *dir, const char *name, json_t **ret,
			   struct error *error)
{
	static const char *const names[] = { "execwatch.audit/1", "execwatch.shutdown/1" };
	struct input in = { NULL, DOCUMENT_MAX, 0 };
	json_t *document = NULL;
	char path[PATH_MAX];
	json_error_t json;
	int err = file_open(dir, name, &in.file);

	baseline_shown(dir, name, path);
	if (err)
		return refuse_open(dir, err, path, error);
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

int baseline_read(const struct baseline_dir *dir, const char *name, char **ret)
{
	FILE *file = NULL;
	char *text = NULL;
	long size;
	int err = file_open(dir, name, &file);

	if (err)
		return err;
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
