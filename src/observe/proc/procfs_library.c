/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/procfs_library.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/proc.h"
#include "mesos/span.h"
#include "mesos/version.h"

struct mapping {
	struct procfs_library library;
	char range[40];
	char id[64]; /* device and inode */
};

static void mapping_set(struct mapping *mapping, struct mesos_span head)
{
	char text[128];

	mesos_span_copy(head, text, sizeof(text));
	if (sscanf(text, "%39s %*s %*s %63[^\n]", mapping->range, mapping->id) != 2)
		mapping->range[0] = mapping->id[0] = '\0';
}

/*
 * "7fef28000000-7fef2e749000 r--p 00000000 fe:00 12615  /usr/local/lib/libmesos-1.0.4.so". True
 * when the lines behind it need not be read.
 */
static bool maps_line(struct mesos_span line, struct mapping *mapping)
{
	struct procfs_library *library = &mapping->library;
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
	mapping_set(mapping, mesos_span_at(line.p, (size_t)(slash - line.p)));
	mesos_span_copy(path, library->path, sizeof(library->path));
	library->deleted = proc_cut_deleted(library->path) ? EW_YES : EW_NO;
	if (err == 0) {
		mesos_span_copy(version.text, library->version, sizeof(library->version));
		library->from = "library";
	}
	return err == 0;
}

static struct library_file file_of(int dir, const struct mapping *mapping,
				   struct library_files *files)
{
	struct library_file file;

	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->v[i].id, mapping->id) == 0)
			return files->v[i].file;
	library_file_read(dir, mapping->range, files->until, &file);
	if (files->n < sizeof(files->v) / sizeof(*files->v)) {
		memcpy(files->v[files->n].id, mapping->id, sizeof(mapping->id));
		files->v[files->n++].file = file;
	}
	return file;
}

/* The name that the library was built with tells more than what its file is called. */
static void file_take(struct procfs_library *library, struct library_file file)
{
	struct mesos_version version;

	memcpy(library->build_id, file.build_id, sizeof(library->build_id));
	if (mesos_version_from_path(mesos_span_of(file.soname), &version) < 0)
		return;
	mesos_span_copy(version.text, library->version, sizeof(library->version));
	library->from = "library";
}

void procfs_library_find(int dir, char *buf, size_t size, struct library_files *files,
			 struct procfs_library *library)
{
	struct mapping mapping = { .library = { .from = "" } };
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	struct lines lines;
	size_t len;
	char *line;

	*library = (struct procfs_library){ .from = "" };
	if (fd < 0)
		return;
	lines_init(&lines, fd, buf, size);
	do
		line = lines_next(&lines, &len);
	while (line && !maps_line(mesos_span_at(line, len), &mapping));
	close(fd);
	*library = mapping.library;
	if (mapping.range[0])
		file_take(library, file_of(dir, &mapping, files));
}
