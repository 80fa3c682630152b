/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "act/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"
#include "base/safe_dir.h"

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

/* For the message of the next execwatch; the lock itself is on byte 0. */
static void pid_write(int fd)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", getpid());

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) < 0)
		return;
}

int act_lock_take(const char *dir, const char *name, int *ret, struct error *error)
{
	int above = safe_dir_open(dir, 0755, "--run-dir", error), fd, err;
	struct flock first_byte = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	char path[4096], file[64];

	if (above < 0)
		return above;
	snprintf(file, sizeof(file), "%s.lock", name);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = safe_file_open(above, file, O_RDWR | O_CREAT, 0600);
	close(above);
	if (fd < 0)
		return error_set(error, fd, "run as root, or give a directory with --run-dir",
				 "open lock '%s'", path);
	if (fcntl(fd, F_SETLK, &first_byte) < 0) {
		err = errno == EAGAIN || errno == EACCES
			      ? lock_busy(fd, path, error)
			      : error_set(error, -errno, NULL, "lock '%s'", path);
		close(fd);
		return err;
	}
	pid_write(fd);
	*ret = fd;
	return 0;
}
