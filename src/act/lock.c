/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static int lock_busy(int fd, const char *path, struct error *error)
{
	char text[16] = "";
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);
	char holder[32] = "";
	long pid;

	text[len > 0 ? len : 0] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid > 0) /* the holder may not have written it yet */
		snprintf(holder, sizeof(holder), " (pid %ld)", pid);
	return error_set(error, -EBUSY, "wait until it has ended",
			 "another execwatch%s is running on this host and holds the lock '%s'",
			 holder, path);
}

/* For the message of the next execwatch; the lock itself is flock(2). */
static void pid_write(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}

int act_lock_take(const char *dir, const char *name, int *ret, struct error *error)
{
	char path[4096];
	int fd, err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s.lock", dir, name) >= sizeof(path))
		return error_set(error, -ENAMETOOLONG, NULL, "lock in '%s'", dir);
	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return error_set(error, -errno, "give a directory with --run-dir",
				 "create directory '%s'", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_set(error, -errno, "run as root, or give a directory with --run-dir",
				 "open lock '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		err = errno == EWOULDBLOCK ? lock_busy(fd, path, error)
					   : error_set(error, -errno, NULL, "lock '%s'", path);
		close(fd);
		return err;
	}
	pid_write(fd);
	*ret = fd;
	return 0;
}
