/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "record/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/safe_dir.h"
#include "record/baseline_document.h"

/* A file of the user's choice: its directory is used as it is. */
static int replace_by_path(const char *path, const char *document, size_t len)
{
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, err;

	if ((size_t)snprintf(parent, sizeof(parent), "%.*s", (int)(slash ? slash - path + 1 : 0),
			     path) >= sizeof(parent))
		return -ENAMETOOLONG;
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = safe_file_replace(fd, slash ? slash + 1 : path, document, len);
	close(fd);
	return err;
}

int baseline_save(const struct baseline_dir *dir, const char *name, const char *document,
		  size_t len, struct error *error)
{
	char path[PATH_MAX];
	int err = dir ? safe_file_replace(dir->fd, name, document, len)
		      : replace_by_path(name, document, len);

	if (err)
		return error_set(error, err,
				 "choose another directory with --state-dir or --baseline",
				 "save baseline '%s'", baseline_shown(dir, name, path));
	return 0;
}
