/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/checkpoints_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/emit.h"
#include "mesos/span.h"

/* What is not there, or is no directory, was not kept from us. */
void checkpoint_refused(struct checkpoint_scan *scan, int err, const char *name)
{
	if (err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -EACCES || err == -EPERM ||
	    err == -EIO || err == -ESTALE)
		*scan->incomplete = true;
	emit_unread(scan->sink, 0, 0, err, "%s%s%s", scan->path.text, *name ? "/" : "", name);
}

static void dirs_end(struct checkpoint_dirs *dirs)
{
	if (dirs->list)
		closedir(dirs->list);
	dirs->list = NULL;
	if (dirs->named)
		checkpoint_path_pop(&dirs->scan->path);
}

void checkpoint_dirs_begin(struct checkpoint_dirs *dirs, struct checkpoint_scan *scan, int dir)
{
	*dirs = (struct checkpoint_dirs){ .scan = scan, .list = fdopendir(dir), .fd = -1 };
	if (dirs->list)
		return;
	checkpoint_refused(scan, -errno, "");
	close(dir);
}

void checkpoint_dirs_begin_in(struct checkpoint_dirs *dirs, struct checkpoint_scan *scan, int dir,
			      const char *name)
{
	int sub = openat(dir, name, CHECKPOINT_DIR_FLAGS), err = errno;

	checkpoint_path_push(&scan->path, name);
	if (sub >= 0) {
		checkpoint_dirs_begin(dirs, scan, sub);
		dirs->named = true;
		return;
	}
	if (err != ENOENT)
		checkpoint_refused(scan, -err, "");
	checkpoint_path_pop(&scan->path);
	*dirs = (struct checkpoint_dirs){ .scan = scan, .fd = -1 };
}

static bool is_wanted(const struct checkpoint_dirs *dirs, const struct dirent *entry)
{
	if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
	    (dirs->except && strcmp(entry->d_name, dirs->except) == 0))
		return false;
	return entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;
}

/* The next name in the list; NULL at its end. */
static const char *next_name(struct checkpoint_dirs *dirs)
{
	struct dirent *entry;

	while (errno = 0, (entry = readdir(dirs->list)))
		if (is_wanted(dirs, entry))
			return entry->d_name;
	if (errno)
		checkpoint_refused(dirs->scan, -errno, "");
	return NULL;
}

bool checkpoint_dirs_next(struct checkpoint_dirs *dirs)
{
	struct checkpoint_path *path = &dirs->scan->path;

	if (dirs->fd >= 0) {
		close(dirs->fd);
		checkpoint_path_pop(path);
		dirs->fd = -1;
	}
	while (dirs->list && (dirs->name = next_name(dirs))) {
		dirs->fd = openat(dirfd(dirs->list), dirs->name, CHECKPOINT_DIR_FLAGS);
		checkpoint_path_push(path, dirs->name);
		if (dirs->fd >= 0)
			return true;
		if (errno != ENOTDIR && errno != ELOOP && errno != ENOENT)
			checkpoint_refused(dirs->scan, -errno, "");
		checkpoint_path_pop(path);
	}
	dirs_end(dirs);
	return false;
}

int checkpoint_latest(int dir, char *name, size_t size)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(dir, "latest", target, sizeof(target));
	struct mesos_span last;

	if (len < 0)
		return -errno;
	last = mesos_span_last(mesos_span_at(target, (size_t)len), '/');
	if (last.len == 0 || last.len >= size || mesos_span_is(last, ".."))
		return -EBADMSG;
	mesos_span_copy(last, name, size);
	return 0;
}

bool checkpoint_is_there(struct checkpoint_scan *scan, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	if (errno != ENOENT)
		checkpoint_refused(scan, -errno, name);
	return false;
}
