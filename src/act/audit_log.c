/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/jsonval.h"
#include "base/factjson.h"
#include "base/now.h"
#include "base/safe_dir.h"
#include "base/walltime.h"
#include "base/error.h"

struct audit_log {
	int fd;
	int64_t opened; /* mono ns */
	char **kept;	/* lines of results that could not be written yet, in their order */
	size_t n_kept, cap_kept;
	char path[];
};

#define CURE "free disk space, or give another directory with --state-dir"

/* If a power failure has cut the last line short, the next one starts on a line of its own. */
static int line_begin(int fd)
{
	struct stat stat;
	char last;

	if (fstat(fd, &stat) < 0)
		return -errno;
	if (stat.st_size == 0 || pread(fd, &last, 1, stat.st_size - 1) != 1 || last == '\n')
		return 0;
	return write(fd, "\n", 1) == 1 ? 0 : -errno;
}

int audit_log_open(const char *dir, struct audit_log **ret, struct error *error)
{
	size_t size = strlen(dir) + sizeof("/audit.log");
	struct audit_log *log = malloc(sizeof(*log) + size);
	int above, err;

	if (!log)
		return error_set(error, -ENOMEM, NULL, "open the audit log");
	*log = (struct audit_log){ .fd = -1, .opened = now_mono() };
	snprintf(log->path, size, "%s/audit.log", dir);
	above = err = safe_dir_open(dir, 0700, "--state-dir", error);
	if (above < 0)
		goto out;
	log->fd = err = safe_file_open(above, "audit.log", O_RDWR | O_APPEND | O_CREAT, 0600);
	if (log->fd < 0) {
		error_set(error, err, "run as root, or give a directory with --state-dir",
			  "open audit log '%s'", log->path);
		goto out;
	}
	err = line_begin(log->fd);
	/* A new file survives a power failure only if its directory was synced. */
	if (!err && fsync(above) < 0)
		err = -errno;
	if (err) {
		error_set(error, err, CURE, "write audit log '%s'", log->path);
		close(log->fd);
		goto out;
	}
	close(above);
	*ret = log;
	return 0;
out:
	if (above >= 0)
		close(above);
	free(log);
	return err;
}

void audit_log_close(struct audit_log *log)
{
	if (!log)
		return;
	for (size_t i = 0; i < log->n_kept; i++)
		free(log->kept[i]);
	free(log->kept);
	close(log->fd);
	free(log);
}

static json_t *line_pack(const struct fact *act, int64_t wall)
{
	char ts[WALLTIME_TEXT_MAX];
	json_t *line = factjson_pack(act);

	walltime_text(wall, ts);
	if (!line || json_object_set_new(line, "ts", json_string(ts)) < 0 ||
	    json_object_set_new(line, "by_pid", json_integer(getpid())) < 0 ||
	    json_object_set_new(line, "by_uid", json_integer(getuid())) < 0) {
		json_decref(line);
		return NULL;
	}
	return line;
}

static char *line_text(const struct fact *act, int64_t wall)
{
	json_t *line = line_pack(act, wall);
	char *text = line ? jsonval_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	char *whole = NULL;

	json_decref(line);
	if (text && asprintf(&whole, "%s\n", text) < 0)
		whole = NULL;
	free(text);
	return whole;
}

/* Whole or not at all. */
static int line_write(struct audit_log *log, const char *line, struct error *error)
{
	struct stat before;
	ssize_t len = (ssize_t)strlen(line), done;
	int err;

	if (fstat(log->fd, &before) < 0)
		return error_set(error, -errno, NULL, "write audit log '%s'", log->path);
	done = write(log->fd, line, (size_t)len);
	if (done > 0 && done < len &&
	    write(log->fd, line + done, (size_t)(len - done)) == len - done)
		done = len; /* else errno is why the line did not fit */
	if (done == len)
		return 0;
	err = error_set(error, -errno, CURE, "write audit log '%s'", log->path);
	if (done > 0 && ftruncate(log->fd, before.st_size) < 0)
		err = error_set(error, -errno, CURE,
				"cut audit log '%s' back to its last whole line", log->path);
	return err;
}

/* ---- results that could not be written ---- */

/* Takes the line over. */
static void line_keep(struct audit_log *log, char *line)
{
	if (array_reserve(&log->kept, &log->cap_kept, log->n_kept, sizeof(*log->kept)) == 0)
		log->kept[log->n_kept++] = line;
	else
		free(line);
}

static int kept_write(struct audit_log *log, struct error *error)
{
	size_t n = 0;
	int err = 0;

	while (n < log->n_kept && !(err = line_write(log, log->kept[n], error)))
		free(log->kept[n++]);
	log->n_kept -= n;
	memmove(log->kept, log->kept + n, log->n_kept * sizeof(*log->kept));
	return err;
}

int64_t audit_log_opened(const struct audit_log *log)
{
	return log->opened;
}

size_t audit_log_unwritten(const struct audit_log *log)
{
	return log->n_kept;
}

int audit_log_retry(struct audit_log *log, struct error *error)
{
	int err = log->n_kept ? kept_write(log, error) : 0;

	return err ? err : audit_log_sync(log, error);
}

/* ---- lines ---- */

static int act_write(struct audit_log *log, const struct fact *act, int64_t wall, bool keep,
		     struct error *error)
{
	char *line = line_text(act, wall);
	int err;

	if (!line)
		return error_set(error, -ENOMEM, NULL, "write audit log '%s'", log->path);
	err = log->n_kept ? kept_write(log, error) : 0;
	if (!err)
		err = line_write(log, line, error);
	if (err && keep)
		line_keep(log, line);
	else
		free(line);
	return err;
}

int audit_log_write(struct audit_log *log, const struct fact *act, struct error *error)
{
	return act_write(log, act, now_wall(), strcmp(act->act.phase, "result") == 0, error);
}

int audit_log_write_late(struct audit_log *log, const struct fact *act, struct error *error)
{
	return act_write(log, act, act->mono + walltime_offset(), false, error);
}

int audit_log_sync(struct audit_log *log, struct error *error)
{
	if (fdatasync(log->fd) < 0)
		return error_set(error, -errno, CURE, "sync audit log '%s'", log->path);
	return 0;
}
