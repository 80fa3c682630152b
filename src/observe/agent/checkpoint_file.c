/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoint_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mesos/span.h"

int checkpoint_file_read(int dir, const char *name, char *buf, struct mesos_span *ret_file)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	size_t len = 0;
	struct stat st;
	ssize_t got = 1;
	int err = 0;

	if (fd < 0)
		return errno == ELOOP ? -EINVAL : -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	/* Up to the size it had: an update that is appended meanwhile is for the next scan. */
	while (!err && len < CHECKPOINT_FILE_MAX && (off_t)len < st.st_size && got > 0) {
		got = read(fd, buf + len, CHECKPOINT_FILE_MAX - len);
		if (got < 0)
			err = -errno;
		else
			len += (size_t)got;
	}
	close(fd);
	if (err)
		return err;
	*ret_file = mesos_span_at(buf, len);
	return st.st_size > CHECKPOINT_FILE_MAX;
}

void checkpoint_path_push(struct checkpoint_path *path, const char *part)
{
	size_t at = path->depth ? path->parts[path->depth - 1] : 0;

	at += strlen(path->text + at);
	snprintf(path->text + at, sizeof(path->text) - at, "%s%s", path->depth ? "/" : "", part);
	path->parts[path->depth++] = at;
}

void checkpoint_path_pop(struct checkpoint_path *path)
{
	path->depth--;
	path->text[path->parts[path->depth]] = '\0';
}
