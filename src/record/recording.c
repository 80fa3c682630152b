/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/factjson.h"
#include "base/error.h"
#include "record/schema.h"

#define KEEP_MAX ((size_t)256 << 10) /* kept facts, in bytes, that are written without a flush */

struct recording {
	uint64_t facts; /* emitted so far; the footer has the count, so that a reader notices
			   missing ones */
	int fd;
	bool regular;
	char *path;
	char *buf; /* whole lines */
	size_t len, cap;
	off_t written; /* bytes of the file that are whole lines */
	int err;       /* the first failure; ends the recording */
	bool reported;
};

static int file_open(const char *path, struct error *error)
{
	struct stat st;
	/* Never through a link, and never blocked by a FIFO that nobody reads. */
	const int how = O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, how | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno == EEXIST)
		fd = open(path, how);
	if (fd < 0 && errno == ELOOP)
		return error_set(error, -ELOOP, "give the path of the file itself",
				 "create recording '%s': it is a symbolic link", path);
	if (fd < 0 && errno == ENXIO)
		return error_set(error, -ENXIO, "start its reader first, or name a file",
				 "create recording '%s': it is a FIFO that nobody reads", path);
	if (fd < 0)
		return error_set(error, -errno, "name a file in a directory you may write to",
				 "create recording '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
		close(fd);
		return error_set(error, -EEXIST, "name another file, or remove this one",
				 "create recording '%s'", path);
	}
	return fd;
}

static int keep(struct recording *rec, const char *data, size_t len)
{
	if (rec->len + len > rec->cap) {
		size_t cap = (rec->len + len) * 2;
		char *buf = realloc(rec->buf, cap);

		if (!buf)
			return -ENOMEM;
		rec->buf = buf;
		rec->cap = cap;
	}
	memcpy(rec->buf + rec->len, data, len);
	rec->len += len;
	return 0;
}

static int keep_json(const char *data, size_t len, void *ctx)
{
	return keep(ctx, data, len);
}

/* Appends the object, whose reference it takes, as a line; never a part of a line. */
static int keep_line(struct recording *rec, json_t *object)
{
	size_t before = rec->len;
	int err = object ? json_dump_callback(object, keep_json, rec, JSON_COMPACT) : -ENOMEM;

	if (!err)
		err = keep(rec, "\n", 1);
	if (err)
		rec->len = before;
	json_decref(object);
	return err ? -ENOMEM : 0;
}

/* After a failed write: the end of the last whole line in the written part of buf. */
static size_t whole_lines(const char *buf, size_t len)
{
	const char *end = memrchr(buf, '\n', len);

	return end ? (size_t)(end - buf) + 1 : 0;
}

static void write_kept(struct recording *rec)
{
	size_t done = 0;

	while (!rec->err && done < rec->len) {
		ssize_t n = write(rec->fd, rec->buf + done, rec->len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			rec->err = -errno;
	}
	if (rec->err)
		done = whole_lines(rec->buf, done);
	rec->written += (off_t)done;
	/* Best effort: a reader tolerates a cut last line. */
	if (rec->err && rec->regular && ftruncate(rec->fd, rec->written) < 0)
		rec->regular = false;
	rec->len = 0;
}

static void recording_emit(void *ctx, const struct fact *fact)
{
	struct recording *rec = ctx;

	if (rec->err)
		return;
	rec->facts++;
	if (keep_line(rec, factjson_pack(fact)) < 0) {
		int err = -ENOMEM;

		write_kept(rec); /* the facts before the gap */
		rec->err = rec->err ? rec->err : err;
	} else if (rec->len >= KEEP_MAX) {
		write_kept(rec);
	}
}

struct fact_sink recording_sink(struct recording *rec)
{
	return (struct fact_sink){ .emit = recording_emit, .ctx = rec };
}

static int report_once(struct recording *rec, struct error *error)
{
	if (!rec->err || rec->reported)
		return 0;
	rec->reported = true;
	return error_set(error, rec->err,
			 "what came before can be replayed; record to another disk",
			 "write recording '%s'", rec->path);
}

int recording_flush(struct recording *rec, struct error *error)
{
	if (!rec->err)
		write_kept(rec);
	return report_once(rec, error);
}

static void recording_free(struct recording *rec)
{
	if (rec->fd >= 0)
		close(rec->fd);
	free(rec->path);
	free(rec->buf);
	free(rec);
}

int recording_close(struct recording *rec, struct error *error)
{
	int err;

	if (!rec)
		return 0;
	if (!rec->err && keep_line(rec, json_pack("{s:s, s:I}", "type", RECORD_FOOTER, "facts",
						  (json_int_t)rec->facts)) < 0)
		rec->err = -ENOMEM;
	if (!rec->err)
		write_kept(rec);
	if (rec->regular && fsync(rec->fd) < 0 && !rec->err)
		rec->err = -errno;
	err = report_once(rec, error);
	recording_free(rec);
	return err;
}

int recording_create(const char *path, const char *tool, struct recording **ret,
		     struct error *error)
{
	struct recording *rec = calloc(1, sizeof(*rec));
	struct stat st;
	int err = -ENOMEM;

	if (!rec)
		return error_set(error, err, NULL, "create recording '%s'", path);
	rec->fd = -1;
	rec->path = strdup(path);
	if (!rec->path) {
		error_set(error, err, NULL, "create recording '%s'", path);
		goto out;
	}
	rec->fd = file_open(path, error);
	if (rec->fd < 0) {
		err = rec->fd;
		goto out;
	}
	rec->regular = fstat(rec->fd, &st) == 0 && S_ISREG(st.st_mode);
	err = keep_line(rec, json_pack("{s:s, s:s, s:b}", "schema", RECORD_SCHEMA, "tool", tool,
				       RECORD_FOOTER_FLAG, true));
	if (err < 0) {
		error_set(error, err, NULL, "create recording '%s'", path);
		goto out;
	}
	err = recording_flush(rec, error);
out:
	if (err < 0)
		recording_free(rec);
	else
		*ret = rec;
	return err;
}
