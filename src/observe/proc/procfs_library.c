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

enum { MAPPED_MAX = 4 };

struct mapping {
	struct procfs_library library;
	char range[40];
	char id[64]; /* device and inode */
};

/* The files that are mapped, each once. */
struct mapped {
	struct mapping v[MAPPED_MAX];
	size_t n;
	bool more; /* than fit */
};

static void mapping_set(struct mapping *mapping, struct mesos_span head)
{
	char text[128];

	mesos_span_copy(head, text, sizeof(text));
	if (sscanf(text, "%39s %*s %*s %63[^\n]", mapping->range, mapping->id) != 2)
		mapping->range[0] = mapping->id[0] = '\0';
}

static void mapping_add(struct mapped *mapped, const struct mapping *mapping)
{
	for (size_t i = 0; i < mapped->n; i++)
		if (strcmp(mapped->v[i].id, mapping->id) == 0)
			return;
	if (mapped->n < MAPPED_MAX)
		mapped->v[mapped->n++] = *mapping;
	else
		mapped->more = true;
}

/* "7fef28000000-7fef2e749000 r--p 00000000 fe:00 12615  /usr/local/lib/libmesos-1.0.4.so" */
static void maps_line(struct mesos_span line, struct mapped *mapped)
{
	struct mapping mapping = { .library = { .from = "" } };
	struct procfs_library *library = &mapping.library;
	const char *slash = memchr(line.p, '/', line.len);
	struct mesos_version version;
	struct mesos_span path;
	int err;

	if (!slash || !memmem(line.p, line.len, "mesos", 5))
		return;
	path = mesos_span_at(slash, line.len - (size_t)(slash - line.p));
	err = mesos_version_from_path(path, &version);
	if (err == -EINVAL)
		return;
	mapping_set(&mapping, mesos_span_at(line.p, (size_t)(slash - line.p)));
	mesos_span_copy(path, library->path, sizeof(library->path));
	library->deleted = proc_cut_deleted(library->path) ? EW_YES : EW_NO;
	if (err == 0) {
		mesos_span_copy(version.text, library->version, sizeof(library->version));
		library->from = "library";
	}
	mapping_add(mapped, &mapping);
}

static struct library_file file_of_locked(int dir, const struct mapping *mapping,
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

/* Locked while it is read, too: the other thread most likely waits for the same file. */
static struct library_file file_of(int dir, const struct mapping *mapping,
				   struct library_files *files)
{
	struct library_file file;

	pthread_mutex_lock(&files->lock);
	file = file_of_locked(dir, mapping, files);
	pthread_mutex_unlock(&files->lock);
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

/*
 * A process may map any file under any name beside the library whose code it runs: where the
 * versions differ, none is known.
 */
static void library_choose(const struct mapped *mapped, struct procfs_library *library)
{
	for (size_t i = 0; i < mapped->n; i++) {
		const struct procfs_library *found = &mapped->v[i].library;

		if (!*library->path || (!*library->version && *found->version))
			*library = *found;
	}
	for (size_t i = 0; i < mapped->n; i++) {
		const struct procfs_library *found = &mapped->v[i].library;

		if (!mapped->more &&
		    (!*found->version || strcmp(found->version, library->version) == 0))
			continue;
		library->version[0] = '\0';
		library->from = "";
		return;
	}
}

void procfs_library_find(int dir, char *buf, size_t size, struct library_files *files,
			 struct procfs_library *library)
{
	struct mapped mapped = { .n = 0 };
	int fd = openat(dir, "maps", O_RDONLY | O_CLOEXEC);
	struct lines lines;
	size_t len;
	char *line;

	*library = (struct procfs_library){ .from = "" };
	if (fd < 0)
		return;
	lines_init(&lines, fd, buf, size);
	while ((line = lines_next(&lines, &len)))
		maps_line(mesos_span_at(line, len), &mapped);
	close(fd);
	for (size_t i = 0; i < mapped.n; i++)
		if (mapped.v[i].range[0])
			file_take(&mapped.v[i].library, file_of(dir, &mapped.v[i], files));
	library_choose(&mapped, library);
}
