/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/factjson.h"
#include "base/now.h"
#include "base/walltime.h"
#include "fail.h"

struct act_log {
	int fd;
	char path[];
};

#define CURE "make room, or give another directory with --state-dir"

/* Somebody's power failed in the middle of a line: the next one begins its own. */
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

/* A new file is on the disk when its name is. */
static int dir_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = fd < 0 || fsync(fd) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

int act_log_open(const char *dir, struct act_log **ret, struct fail *why)
{
	size_t size = strlen(dir) + sizeof("/audit.log");
	struct act_log *log = malloc(sizeof(*log) + size);
	int err;

	if (!log)
		return fail_set(why, -ENOMEM, NULL, "open the audit log");
	snprintf(log->path, size, "%s/audit.log", dir);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		err = fail_set(why, -errno, "give a directory with --state-dir", "make '%s'", dir);
		goto out;
	}
	log->fd = open(log->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0) {
		err = fail_set(why, -errno, "run as root, or give a directory with --state-dir",
			       "open audit log '%s'", log->path);
		goto out;
	}
	err = line_begin(log->fd);
	if (!err)
		err = dir_sync(dir);
	if (err) {
		fail_set(why, err, CURE, "begin audit log '%s'", log->path);
		close(log->fd);
		goto out;
	}
	*ret = log;
	return 0;
out:
	free(log);
	return err;
}

void act_log_close(struct act_log *log)
{
	if (!log)
		return;
	close(log->fd);
	free(log);
}

static json_t *line_pack(const struct fact *act)
{
	char ts[WALLTIME_TEXT_MAX];
	json_t *line = factjson_pack(act);

	walltime_text(now_wall(), ts);
	if (!line || json_object_set_new(line, "ts", json_string(ts)) < 0 ||
	    json_object_set_new(line, "by_pid", json_integer(getpid())) < 0 ||
	    json_object_set_new(line, "by_uid", json_integer(getuid())) < 0) {
		json_decref(line);
		return NULL;
	}
	return line;
}

static char *line_text(const struct fact *act)
{
	json_t *line = line_pack(act);
	char *text = line ? json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
	char *whole = NULL;

	json_decref(line);
	if (text && asprintf(&whole, "%s\n", text) < 0)
		whole = NULL;
	free(text);
	return whole;
}

int act_log_write(struct act_log *log, const struct fact *act, struct fail *why)
{
	char *line = line_text(act);
	struct stat before;
	ssize_t len, done;
	int err = 0;

	if (!line)
		return fail_set(why, -ENOMEM, NULL, "write audit log '%s'", log->path);
	if (fstat(log->fd, &before) < 0) {
		err = fail_set(why, -errno, NULL, "write audit log '%s'", log->path);
		goto out;
	}
	len = (ssize_t)strlen(line);
	done = write(log->fd, line, (size_t)len);
	if (done == len)
		goto out;
	err = fail_set(why, done < 0 ? -errno : -ENOSPC, CURE, "write audit log '%s'", log->path);
	if (done > 0 && ftruncate(log->fd, before.st_size) < 0)
		err = fail_set(why, -errno, CURE, "cut audit log '%s' back to its last whole line",
			       log->path);
out:
	free(line);
	return err;
}

int act_log_sync(struct act_log *log, struct fail *why)
{
	if (fdatasync(log->fd) < 0)
		return fail_set(why, -errno, CURE, "sync audit log '%s'", log->path);
	return 0;
}
