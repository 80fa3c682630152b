/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lines.h"

/* "freezer" is in "cpu,freezer,memory"; "" only in "". */
static bool list_has(const char *list, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	while (true) {
		const char *comma = memchr(list, ',', len);
		size_t item = comma ? (size_t)(comma - list) : len;

		if (item == name_len && memcmp(list, name, item) == 0)
			return true;
		if (!comma)
			return false;
		list += item + 1;
		len -= item + 1;
	}
}

/* "4:cpu,freezer:/path": the path, if it is of that hierarchy. */
static const char *cgroup_path(const char *line, const char *hierarchy)
{
	const char *list = strchr(line, ':');
	const char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path || !list_has(list + 1, (size_t)(path - list - 1), hierarchy))
		return NULL;
	return path + 1;
}

/* A hierarchy that is looked for. */
struct wanted {
	const char *hierarchy;
	int err; /* -ENOENT: not found yet */
	char *buf;
	size_t size;
};

static void wanted_take(struct wanted *wanted, const char *line, bool cut)
{
	const char *path = cgroup_path(line, wanted->hierarchy);

	if (wanted->err == -ENOENT && path)
		wanted->err = cut || (size_t)snprintf(wanted->buf, wanted->size, "%s", path) >=
						      wanted->size
				      ? -ENAMETOOLONG
				      : 0;
}

static void cgroups_find(int dir, struct wanted *wanted, size_t n)
{
	int fd = openat(dir, "cgroup", O_RDONLY | O_CLOEXEC), err = fd < 0 ? -errno : 0;
	char text[PATH_MAX + 256], *line;
	struct lines lines;
	size_t len, left = n;

	for (size_t i = 0; i < n; i++) {
		wanted[i].err = -ENOENT;
		wanted[i].buf[0] = '\0';
	}
	if (!err)
		lines_init(&lines, fd, text, sizeof(text));
	while (!err && left && (line = lines_next(&lines, &len))) {
		left = 0;
		for (size_t i = 0; i < n; i++) {
			wanted_take(&wanted[i], line, lines.cut);
			left += wanted[i].err == -ENOENT;
		}
	}
	if (!err) {
		close(fd);
		err = lines.err;
	}
	for (size_t i = 0; err && i < n; i++)
		wanted[i].err = err;
}

int proc_cgroup_read(int dir, const char *hierarchy, char *buf, size_t size)
{
	struct wanted wanted = { .hierarchy = hierarchy, .buf = buf, .size = size };

	cgroups_find(dir, &wanted, 1);
	return wanted.err;
}

void proc_cgroups_read(int dir, struct proc_cgroups *ret)
{
	struct proc_cgroup_path *paths[] = { &ret->freezer, &ret->systemd, &ret->unified };
	struct wanted wanted[] = { { .hierarchy = "freezer" },
				   { .hierarchy = "name=systemd" },
				   { .hierarchy = "" } };

	for (size_t i = 0; i < 3; i++) {
		wanted[i].buf = paths[i]->path;
		wanted[i].size = sizeof(paths[i]->path);
	}
	cgroups_find(dir, wanted, 3);
	for (size_t i = 0; i < 3; i++)
		paths[i]->err = wanted[i].err;
}

const struct proc_cgroup_path *proc_cgroups_systemd(const struct proc_cgroups *cgroups)
{
	return cgroups->systemd.err == -ENOENT ? &cgroups->unified : &cgroups->systemd;
}

int proc_cgroup(int dir, char *buf, size_t size)
{
	int err = proc_cgroup_read(dir, "name=systemd", buf, size);

	return err == -ENOENT ? proc_cgroup_read(dir, "", buf, size) : err;
}
