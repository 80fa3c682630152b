/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/dirents.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

enum { FEW = 64 }; /* bytes: two entries with names of up to five digits, or more short ones */

int dirents_open(struct dirents *dirents, int dir, const char *path)
{
	dirents->used = dirents->at = 0;
	dirents->fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dirents->fd < 0 ? -errno : 0;
}

void dirents_close(struct dirents *dirents)
{
	if (dirents->fd >= 0)
		close(dirents->fd);
	dirents->fd = -1;
}

static int fill(struct dirents *dirents, size_t size)
{
	ssize_t got = getdents64(dirents->fd, dirents->buf, size);

	dirents->at = 0;
	dirents->used = got > 0 ? (size_t)got : 0;
	if (got < 0)
		return -errno;
	return got ? 0 : -ENOENT;
}

static int next(struct dirents *dirents, size_t size)
{
	for (;;) {
		const struct dirent64 *entry;
		int err;

		if (dirents->at >= dirents->used) {
			err = fill(dirents, size);
			if (err < 0)
				return err;
		}
		entry = (const void *)(dirents->buf + dirents->at);
		dirents->at += entry->d_reclen;
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			return (int)strtol(entry->d_name, NULL, 10);
	}
}

int dirents_next(struct dirents *dirents)
{
	return next(dirents, sizeof(dirents->buf));
}

int dirents_seek(struct dirents *dirents, off_t offset)
{
	dirents->used = dirents->at = 0;
	if (lseek(dirents->fd, offset, SEEK_SET) < 0)
		return -errno;
	return next(dirents, FEW);
}
