/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs_library.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mesos/span.h"
#include "mesos/version.h"
#include "base/proc.h"

#define STDERR_HEAD (64 * 1024)

/*
 * Reads fd line by line, at most limit bytes, until line() says it is enough. A line that is
 * longer than the buffer is dropped.
 */
static void each_line(int fd, char *buf, size_t size, size_t limit,
		      bool (*line)(struct mesos_span line, void *ctx), void *ctx)
{
	size_t kept = 0, total = 0;

	while (total < limit) {
		size_t want = limit - total < size - kept ? limit - total : size - kept;
		ssize_t got = read(fd, buf + kept, want);
		struct mesos_span rest = mesos_span_at(buf, kept + (got > 0 ? (size_t)got : 0)),
				  one;

		if (got <= 0)
			return;
		total += (size_t)got;
		while (mesos_span_cut(&rest, '\n', &one))
			if (line(one, ctx))
				return;
		kept = rest.len == size ? 0 : rest.len;
		memmove(buf, rest.p, kept);
	}
}

/* "7fef28000000-7fef2e749000 r--p 00000000 fe:00 12615  /usr/local/lib/libmesos-1.0.4.so" */
static bool maps_line(struct mesos_span line, void *ctx)
{
	struct procfs_library *library = ctx;
	const char *slash = memchr(line.p, '/', line.len);
	struct mesos_version version;
	struct mesos_span path;
	int err;

	if (!slash || !memmem(line.p, line.len, "mesos", 5))
		return false;
	path = mesos_span_at(slash, line.len - (size_t)(slash - line.p));
	err = mesos_version_from_path(path, &version);
	if (err == -EINVAL)
		return false;
	mesos_span_copy(path, library->path, sizeof(library->path));
	proc_cut_deleted(library->path);
	if (err == 0) {
		mesos_span_copy(version.text, library->version, sizeof(library->version));
		library->from = "library";
	}
	return err == 0;
}

static bool stderr_line(struct mesos_span line, void *ctx)
{
	struct procfs_library *library = ctx;
	struct mesos_version version;

	if (mesos_version_from_line(line, &version) < 0)
		return false;
	mesos_span_copy(version.text, library->version, sizeof(library->version));
	library->from = "stderr";
	return true;
}

/* A sandbox belongs to the task, which may put a link, a pipe or a device there. */
static int stderr_open(int dir, const char *sandbox)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	char path[PATH_MAX];
	struct stat st;
	int fd;

	if (sandbox[0] != '/')
		return -EINVAL;
	snprintf(path, sizeof(path), "%s/stderr", sandbox);
	fd = open(path, flags);
	if (fd < 0) {
		snprintf(path, sizeof(path), "root%s/stderr", sandbox);
		fd = openat(dir, path, flags);
	}
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

void procfs_library_find(int dir, const char *sandbox, char *buf, size_t size,
			 struct procfs_library *library)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);

	*library = (struct procfs_library){ .from = "" };
	if (fd >= 0) {
		each_line(fd, buf, size, SIZE_MAX, maps_line, library);
		close(fd);
	}
	if (library->version[0])
		return;
	fd = stderr_open(dir, sandbox);
	if (fd >= 0) {
		each_line(fd, buf, size, STDERR_HEAD, stderr_line, library);
		close(fd);
	}
}
