/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "mesos/span.h"
#include "mesos/version.h"
#include "base/proc.h"

/*
 * Reads fd line by line until line() says it is enough. A line that is longer than the buffer is
 * dropped.
 */
static void each_line(int fd, char *buf, size_t size,
		      bool (*line)(struct mesos_span line, void *ctx), void *ctx)
{
	size_t kept = 0;

	for (;;) {
		ssize_t got = read(fd, buf + kept, size - kept);
		struct mesos_span rest = mesos_span_at(buf, kept + (got > 0 ? (size_t)got : 0)),
				  one;

		if (got <= 0)
			return;
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
	library->deleted = proc_cut_deleted(library->path) ? EW_YES : EW_NO;
	if (err == 0) {
		mesos_span_copy(version.text, library->version, sizeof(library->version));
		library->from = "library";
	}
	return err == 0;
}

void procfs_library_find(int dir, char *buf, size_t size, struct procfs_library *library)
{
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);

	*library = (struct procfs_library){ .from = "" };
	if (fd < 0)
		return;
	each_line(fd, buf, size, maps_line, library);
	close(fd);
}
