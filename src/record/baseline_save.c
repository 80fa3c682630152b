/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/safe_dir.h"

/* Syncs the directory, so that the new name survives a power cut. */
static int parent_sync(char *path)
{
	char *slash = strrchr(path, '/');
	int fd, err;

	if (slash)
		*slash = '\0';
	fd = open(!slash ? "." : *path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (slash)
		*slash = '/';
	if (fd < 0)
		return -errno;
	err = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int replace(char *tmp, const char *path, const char *document, size_t len)
{
	int fd, err;

	fd = mkostemp(tmp, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	err = fd_write_all(fd, document, len);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(tmp, path) < 0)
		err = -errno;
	if (err) {
		unlink(tmp);
		return err;
	}
	return parent_sync(tmp);
}

int baseline_save(const char *path, const char *document, size_t len, struct error *error)
{
	char tmp[PATH_MAX];
	int size = snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path);
	int err = size < 0 || (size_t)size >= sizeof(tmp) ? -ENAMETOOLONG : 0;

	if (!err)
		err = replace(tmp, path, document, len);
	if (err)
		return error_set(error, err,
				 "choose another directory with --state-dir or --baseline",
				 "save baseline '%s'", path);
	return 0;
}
