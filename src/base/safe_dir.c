/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/safe_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define STEP (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LAST (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* Opens a component and closes the descriptor of what it is in. The kernel says ENOTDIR of a link.
 */
static int step(int above, const char *name, int flags)
{
	struct stat st;
	int fd = openat(above, name, flags);
	int err = fd < 0 ? -errno : 0;

	if (err == -ENOTDIR && fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode))
		err = -ELOOP;
	close(above);
	return err ? err : fd;
}

/* One component at a time, which works on every kernel; openat2(2) would need Linux 5.6. */
static int open_each(char *path, mode_t create)
{
	int fd = open(*path == '/' ? "/" : ".", STEP);
	char *name, *next, *rest = NULL;

	fd = fd < 0 ? -errno : fd;
	for (name = strtok_r(path, "/", &rest); fd >= 0 && name; name = next) {
		next = strtok_r(NULL, "/", &rest);
		if (!next && create)
			(void)mkdirat(fd, name, create); /* step() says why it is not there */
		fd = step(fd, name, next ? STEP : LAST);
	}
	return fd;
}

/* NULL: it may be used. */
static const char *distrust(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(st->st_mode & S_ISVTX))
		return "other users can write to it";
	return NULL;
}

static int dir_check(int fd, const char *path, const char *option, struct error *error)
{
	const char *reason;
	struct stat st;
	char cure[96];

	if (fstat(fd, &st) < 0)
		return error_set(error, -errno, NULL, "look at directory '%s'", path);
	reason = distrust(&st);
	if (!reason)
		return 0;
	snprintf(cure, sizeof(cure), "chown root and chmod go-w it, or give another with %s",
		 option);
	return error_set(error, -EPERM, cure, "use directory '%s': %s (uid %u, mode %04o)", path,
			 reason, st.st_uid, st.st_mode & 07777);
}

int safe_dir_open(const char *path, mode_t create, const char *option, struct error *error)
{
	char copy[PATH_MAX], cure[96];
	int fd, err;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
		return error_set(error, -ENAMETOOLONG, NULL, "open directory '%s'", path);
	fd = open_each(copy, create);
	if (fd < 0) {
		snprintf(cure, sizeof(cure),
			 fd == -ELOOP ? "give its path without symbolic links, with %s"
				      : "run as root, or give another with %s",
			 option);
		return error_set(error, fd, cure, "open directory '%s'", path);
	}
	err = dir_check(fd, path, option, error);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int safe_file_open(int dir, const char *name, int flags, mode_t mode)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, mode);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) < 0 ? -errno : 0;
	if (!err && (!S_ISREG(st.st_mode) || st.st_nlink > 1 || distrust(&st)))
		err = -EPERM;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int fd_write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int safe_file_replace(int dir, const char *name, const char *data, size_t len)
{
	char tmp[NAME_MAX + 1];
	int fd, err;

	if ((size_t)snprintf(tmp, sizeof(tmp), ".%s.%d", name, getpid()) >= sizeof(tmp))
		return -ENAMETOOLONG;
	(void)unlinkat(dir, tmp, 0); /* left by an earlier process of this pid */
	fd = safe_file_open(dir, tmp, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	err = fd_write_all(fd, data, len);
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && renameat(dir, tmp, dir, name) < 0)
		err = -errno;
	if (err)
		(void)unlinkat(dir, tmp, 0);
	else if (fsync(dir) < 0)
		err = -errno;
	return err;
}
