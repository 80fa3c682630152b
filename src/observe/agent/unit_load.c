/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/unit_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/now.h"
#include "systemd/unit_file.h"

enum { FILE_MAX = 1024 * 1024, DROP_INS_MAX = 256 };

/* systemd.unit(5), Unit File Load Path, the most important ones first. */
static const char *const directories[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/run/systemd/generator.early",
	"/etc/systemd/system",	       "/etc/systemd/system.attached",
	"/run/systemd/system",	       "/run/systemd/system.attached",
	"/run/systemd/generator",      "/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",     "/lib/systemd/system",
	"/run/systemd/generator.late",
};

enum { DIRECTORIES = sizeof(directories) / sizeof(*directories) };

/* ---- files ---- */

static int fd_read(struct arena *arena, int fd, const char **text, size_t *len)
{
	struct stat st;
	char *buf;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EISDIR;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	buf = arena_array(arena, (size_t)st.st_size + 1, 1);
	if (!buf)
		return -ENOMEM;
	for (*len = 0; (got = read(fd, buf + *len, (size_t)st.st_size - *len)) > 0;)
		*len += (size_t)got;
	*text = buf;
	return got < 0 ? -errno : 0;
}

int unit_file_read(struct arena *arena, const char *path, const char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = fd_read(arena, fd, text, len);
	close(fd);
	return err;
}

static int64_t change_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	return st.st_ctim.tv_sec * NS_PER_S + st.st_ctim.tv_nsec;
}

static int file_add(struct arena *arena, const char *path, struct loaded_unit *unit)
{
	int64_t changed;
	const char *text;
	size_t len;
	int err = unit_file_read(arena, path, &text, &len);

	if (err < 0)
		return err;
	unit_settings_add(unit->settings, text, len, path);
	changed = change_of(path);
	unit->paths[unit->n++] = path = arena_text(arena, path);
	if (changed > unit->changed) {
		unit->changed = changed;
		unit->changed_path = path;
	}
	return 0;
}

/* ---- the unit's file ---- */

/* A unit is masked by a link to /dev/null or by an empty file. */
static bool is_masked(const char *path)
{
	char target[PATH_MAX];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	struct stat st;

	if (len >= 0) {
		target[len] = '\0';
		return strcmp(target, "/dev/null") == 0;
	}
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && !st.st_size;
}

static int fragment_find(struct arena *arena, const char *root, const char *name, const char **path)
{
	for (size_t i = 0; i < DIRECTORIES; i++) {
		*path = arena_printf(arena, "%s%s/%s", root, directories[i], name);
		if (faccessat(AT_FDCWD, *path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return is_masked(*path) ? -ENOLINK : 0;
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
	}
	return -ENOENT;
}

/* "mesos-agent@.service" of "mesos-agent@a.service"; NULL: it is no instance. */
static const char *template_of(struct arena *arena, const char *name)
{
	const char *at = strchr(name, '@'), *dot = strrchr(name, '.');

	if (!at || !dot || dot < at + 2)
		return NULL;
	return arena_printf(arena, "%.*s%s", (int)(at + 1 - name), name, dot);
}

static int fragment_load(struct arena *arena, const char *root, const char *file,
			 struct loaded_unit *unit)
{
	const char *path = file, *template = template_of(arena, unit->name);
	int err = file ? 0 : fragment_find(arena, root, unit->name, &path);

	if (err == -ENOENT && template)
		err = fragment_find(arena, root, template, &path);
	return err < 0 ? err : file_add(arena, path, unit);
}

/* ---- drop-ins ---- */

struct drop_ins {
	struct arena *arena;
	const char *names[DROP_INS_MAX]; /* "10-env.conf" */
	const char *paths[DROP_INS_MAX];
	size_t n;
	int err;
};

static bool is_conf(const char *name)
{
	size_t len = strlen(name);

	return len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

/* The first one of a name counts: directories are looked at by their precedence. */
static void drop_in_add(struct drop_ins *all, const char *dir, const char *name)
{
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->names[i], name) == 0)
			return;
	if (all->n == DROP_INS_MAX) {
		all->err = -E2BIG;
		return;
	}
	all->names[all->n] = arena_text(all->arena, name);
	all->paths[all->n++] = arena_printf(all->arena, "%s/%s", dir, name);
}

static void directory_add(struct drop_ins *all, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir) {
		if (errno != ENOENT && errno != ENOTDIR)
			all->err = -errno;
		return;
	}
	while ((entry = readdir(dir)))
		if (is_conf(entry->d_name))
			drop_in_add(all, path, entry->d_name);
	closedir(dir);
}

static void unit_directories_add(struct drop_ins *all, const char *root, const char *name)
{
	for (size_t i = 0; i < DIRECTORIES; i++)
		directory_add(all,
			      arena_printf(all->arena, "%s%s/%s.d", root, directories[i], name));
}

/*
 * The directories of "mesos-agent@a.service": its own, "mesos-agent@.service.d",
 * "mesos-.service.d", "service.d".
 */
static void directories_add(struct drop_ins *all, const char *root, const char *name)
{
	const char *template = template_of(all->arena, name), *dot = strrchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);

	unit_directories_add(all, root, name);
	if (template)
		unit_directories_add(all, root, template);
	for (size_t end = len; dot && end > 1; end--)
		if (name[end - 1] == '-' && end < len)
			unit_directories_add(
				all, root, arena_printf(all->arena, "%.*s%s", (int)end, name, dot));
	if (dot)
		unit_directories_add(all, root, dot + 1);
}

static int drop_ins_load(struct arena *arena, struct drop_ins *all, struct loaded_unit *unit)
{
	int err = all->err;

	for (size_t done = 0; !err && done < all->n; done++) {
		size_t first = 0;

		for (size_t i = 1; i < all->n; i++)
			if (all->names[i] &&
			    (!all->names[first] || strcmp(all->names[i], all->names[first]) < 0))
				first = i;
		all->names[first] = NULL;
		if (!is_masked(all->paths[first]))
			err = file_add(arena, all->paths[first], unit);
	}
	return err;
}

int unit_load(struct arena *arena, const char *root, const char *name, const char *file,
	      struct loaded_unit *unit)
{
	struct drop_ins *all = arena_array(arena, 1, sizeof(*all));
	const char *slash = file ? strrchr(file, '/') : NULL;
	int err;

	*unit = (struct loaded_unit){ .name = name };
	if (file)
		unit->name = arena_text(arena, slash ? slash + 1 : file);
	unit->settings = unit_settings_new(arena);
	unit->paths = arena_array(arena, DROP_INS_MAX + 1, sizeof(*unit->paths));
	if (!all || !unit->settings || !unit->paths)
		return -ENOMEM;
	all->arena = arena;
	err = fragment_load(arena, root, file, unit);
	if (err < 0)
		return err;
	directories_add(all, root, unit->name);
	return drop_ins_load(arena, all, unit);
}
