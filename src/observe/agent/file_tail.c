/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/file_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_is_absent(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -ELOOP || err == -ENXIO;
}

static int tail_read(int fd, size_t size, struct mesos_span *tail)
{
	struct stat st;
	off_t at;
	char *bytes;
	ssize_t got;
	int err;

	*tail = (struct mesos_span){ 0 };
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	at = st.st_size > (off_t)size ? st.st_size - (off_t)size : 0;
	bytes = malloc(size);
	got = bytes ? pread(fd, bytes, size, at) : -1;
	err = got < 0 ? -errno : 0;
	if (got > 0)
		*tail = mesos_span_at(bytes, (size_t)got);
	else
		free(bytes);
	return err;
}

void file_tail_free(struct mesos_span tail)
{
	free((char *)(uintptr_t)tail.p);
}

int file_tail(int dir, const char *name, int flags, size_t size, struct mesos_span *tail)
{
	int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
	int err = fd < 0 ? -errno : tail_read(fd, size, tail);

	if (fd < 0)
		*tail = (struct mesos_span){ 0 };
	else
		close(fd);
	return file_is_absent(err) ? 0 : err;
}
