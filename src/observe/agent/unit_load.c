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
#include "base/root_path.h"
#include "base/text_list.h"
#include "systemd/unit_file.h"
#include "systemd/unit_name.h"

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

/* Files of procfs have size 0: only read(2) tells what is there, and whether it can be read. */
static int fd_read(struct arena *arena, int fd, const char **text, size_t *len)
{
	size_t size;
	struct stat st;
	ssize_t got;
	char *buf;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (st.st_size > FILE_MAX)
		return -EFBIG;
	size = st.st_size ? (size_t)st.st_size + 1 : FILE_MAX + 1;
	buf = arena_array(arena, size + 1, 1);
	if (!buf)
		return -ENOMEM;
	for (*len = 0; (got = read(fd, buf + *len, size - *len)) > 0;)
		*len += (size_t)got;
	*text = buf;
	if (got < 0)
		return -errno;
	return *len == size ? -EFBIG : 0; /* it has grown meanwhile */
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

/* A link's last component, resolved below root; NULL: it is none, or leads nowhere. */
static const char *target_of(struct arena *arena, const char *root, const char *path)
{
	char target[PATH_MAX], buf[PATH_MAX];
	const char *slash;

	if (readlink(path, target, sizeof(target)) < 0 ||
	    root_path_resolve(root, path + strlen(root), buf, sizeof(buf)) < 0)
		return NULL;
	slash = strrchr(buf, '/');
	return arena_text(arena, slash ? slash + 1 : buf);
}

static bool is_of_systemd(const char *root, const char *path)
{
	char buf[PATH_MAX], dir[PATH_MAX];

	if (root_path_resolve(root, path + strlen(root), buf, sizeof(buf)) < 0)
		return false;
	*strrchr(buf, '/') = '\0';
	for (size_t i = 0; i < DIRECTORIES; i++)
		if (root_path_resolve(root, directories[i], dir, sizeof(dir)) == 0 &&
		    strcmp(buf, dir) == 0)
			return true;
	return false;
}

/*
 * The name of the unit that a link between systemd's directories stands for: "agent.service", or
 * of a link to a template the instance of that name. A link to a file elsewhere is a unit of its
 * own name (systemctl(1), link).
 */
static const char *name_behind(struct arena *arena, const char *root, const char *name,
			       const char *path)
{
	const char *target = target_of(arena, root, path), *instance;

	if (!target || strcmp(target, name) == 0 || !is_of_systemd(root, path))
		return name;
	instance = unit_name_instance(arena, target, name);
	return instance ? instance : target;
}

/* The unit's own file, or that of its template. */
static int unit_find(struct arena *arena, const char *root, const char *name, const char **path)
{
	const char *template = unit_name_template(arena, name);
	int err = fragment_find(arena, root, name, path);

	return err == -ENOENT && template ? fragment_find(arena, root, template, path) : err;
}

static int fragment_load(struct arena *arena, const char *root, const char *file,
			 struct loaded_unit *unit)
{
	const char *path = file, *name;
	int err = file ? 0 : unit_find(arena, root, unit->name, &path);

	if (!err && !file) {
		name = name_behind(arena, root, unit->name, path);
		if (strcmp(name, unit->name) != 0)
			err = unit_find(arena, root, name, &path);
		unit->name = name;
	}
	return err < 0 ? err : file_add(arena, path, unit);
}

/* ---- other names ---- */

static bool same_type(const char *a, const char *b)
{
	const char *type_a = strrchr(a, '.'), *type_b = strrchr(b, '.');

	return type_a && type_b && strcmp(type_a, type_b) == 0;
}

/* The name that a link gives to the unit; NULL: it is another unit's. */
static const char *alias_of(struct arena *arena, const char *target, const char *link,
			    const char *unit)
{
	const char *template = unit_name_template(arena, unit);

	if (strcmp(target, unit) == 0)
		return arena_text(arena, link);
	/* "other@.service" leads to "mesos-agent@.service". */
	return template && strcmp(target, template) == 0 ? unit_name_instance(arena, link, unit)
							 : NULL;
}

/* Links in systemd's directories to the unit's file: a unit has the drop-ins of all its names. */
static void aliases_add(struct arena *arena, const char *root, const char *unit,
			struct text_list *names)
{
	for (size_t i = 0; i < DIRECTORIES; i++) {
		const char *path = arena_printf(arena, "%s%s", root, directories[i]);
		DIR *dir = opendir(path);
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			const char *target, *name;

			if (entry->d_type != DT_LNK || !same_type(entry->d_name, unit))
				continue;
			target = target_of(arena, root,
					   arena_printf(arena, "%s/%s", path, entry->d_name));
			name = target ? alias_of(arena, target, entry->d_name, unit) : NULL;
			if (name && strcmp(name, unit) != 0)
				text_list_add(arena, names, name);
		}
		if (dir)
			closedir(dir);
	}
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

/* Of the unit's type: "service.d". */
static void type_directories_add(struct drop_ins *all, const char *root, const char *type)
{
	for (size_t i = 0; i < DIRECTORIES; i++)
		directory_add(all,
			      arena_printf(all->arena, "%s%s/%s.d", root, directories[i], type));
}

/*
 * For each name of the unit, in each of systemd's directories those of unit_name_drop_ins();
 * directories of its type come last (systemd shared/dropin.c, unit_file_find_dropin_paths(); 252).
 */
static void directories_add(struct drop_ins *all, const char *root, const char *unit)
{
	struct text_list names = { 0 };
	const char *dot = strrchr(unit, '.');

	text_list_add(all->arena, &names, unit);
	aliases_add(all->arena, root, unit, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct text_list of = { 0 };

		unit_name_drop_ins(all->arena, names.v[i], &of);
		for (size_t d = 0; d < DIRECTORIES; d++)
			for (size_t n = 0; n < of.n; n++)
				directory_add(all, arena_printf(all->arena, "%s%s/%s.d", root,
								directories[d], of.v[n]));
	}
	if (dot)
		type_directories_add(all, root, dot + 1);
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
