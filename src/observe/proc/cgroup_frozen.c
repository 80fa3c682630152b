/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/proc/cgroup_frozen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/lines.h"
#include "base/proc.h"

/*
 * "34 31 0:31 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer": root and mount
 * point, then behind " - " type, source and options, proc(5).
 */
static void mount_line(struct cgroup_mounts *mounts, const char *line)
{
	const char *tail = strstr(line, " - ");
	char root[512], at[512], type[16], options[512];
	struct cgroup_mount *mount;

	if (!tail || sscanf(line, "%*s %*s %*s %511s %511s", root, at) != 2 ||
	    sscanf(tail, " - %15s %*s %511s", type, options) != 2)
		return;
	if (strcmp(type, "cgroup2") == 0)
		mount = &mounts->unified;
	else if (strcmp(type, "cgroup") == 0 && strstr(options, "freezer"))
		mount = &mounts->freezer;
	else
		return;
	if (mount->at[0])
		return;
	snprintf(mount->at, sizeof(mount->at), "%s", at);
	snprintf(mount->root, sizeof(mount->root), "%s", strcmp(root, "/") == 0 ? "" : root);
}

void cgroup_mounts_read(struct cgroup_mounts *mounts)
{
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	struct lines lines;
	char buf[4096], *line;
	size_t len;

	*mounts = (struct cgroup_mounts){ 0 };
	if (fd < 0)
		return;
	lines_init(&lines, fd, buf, sizeof(buf));
	while ((line = lines_next(&lines, &len)))
		mount_line(mounts, line);
	close(fd);
}

/* Reads file of the cgroup path. Returns its length, or a negative errno. */
static ssize_t attribute_read(const struct cgroup_mount *mount, const char *path, const char *file,
			      char *buf, size_t size)
{
	size_t root = strlen(mount->root);
	char name[2 * PATH_MAX];

	if (!mount->at[0] || strncmp(path, mount->root, root) != 0 ||
	    (root && path[root] != '/' && path[root] != '\0'))
		return -ENOENT;
	snprintf(name, sizeof(name), "%s%s/%s", mount->at, path + root, file);
	return proc_read(AT_FDCWD, name, buf, size);
}

static enum ew_tri frozen_v1(const struct cgroup_mount *mount, const char *path)
{
	char state[32];

	if (attribute_read(mount, path, "freezer.state", state, sizeof(state)) < 0)
		return EW_UNKNOWN;
	return strncmp(state, "THAWED", 6) == 0 ? EW_NO : EW_YES;
}

static enum ew_tri frozen_v2(const struct cgroup_mount *mount, const char *path)
{
	char events[256], freeze[16];

	if (attribute_read(mount, path, "cgroup.events", events, sizeof(events)) < 0)
		return EW_UNKNOWN;
	/* Kernels before 5.2 have no such line, and cannot freeze. */
	if (strstr(events, "frozen 1"))
		return EW_YES;
	if (attribute_read(mount, path, "cgroup.freeze", freeze, sizeof(freeze)) > 0 &&
	    freeze[0] == '1')
		return EW_YES;
	return EW_NO;
}

/* A hierarchy's root cannot be frozen; a process outside of a hierarchy is not frozen by it. */
static enum ew_tri frozen_in(const struct cgroup_mount *mount, const struct proc_cgroup_path *at,
			     enum ew_tri (*frozen)(const struct cgroup_mount *, const char *))
{
	if (at->err == -ENOENT || (!at->err && strcmp(at->path, "/") == 0))
		return EW_NO;
	return at->err < 0 ? EW_UNKNOWN : frozen(mount, at->path);
}

static bool is_same_path(const struct proc_cgroup_path *a, const struct proc_cgroup_path *b)
{
	return a->err == b->err && (a->err || strcmp(a->path, b->path) == 0);
}

enum ew_tri cgroup_frozen(const struct cgroup_mounts *mounts, const struct proc_cgroups *cgroups)
{
	enum ew_tri v1 = frozen_in(&mounts->freezer, &cgroups->freezer, frozen_v1);
	enum ew_tri v2 = frozen_in(&mounts->unified, &cgroups->unified, frozen_v2);

	if (v1 == EW_YES || v2 == EW_YES)
		return EW_YES;
	return v1 == EW_NO && v2 == EW_NO ? EW_NO : EW_UNKNOWN;
}

enum ew_tri cgroup_frozen_once(struct cgroup_frozen_last *last, const struct cgroup_mounts *mounts,
			       const struct proc_cgroups *cgroups)
{
	if (last->known && is_same_path(&last->of.freezer, &cgroups->freezer) &&
	    is_same_path(&last->of.unified, &cgroups->unified))
		return last->frozen;
	last->known = true;
	last->of = *cgroups;
	last->frozen = cgroup_frozen(mounts, cgroups);
	return last->frozen;
}

/*
 * A task of a frozen cgroup of cgroup2 sleeps in do_freezer_trap(), which get_signal() calls and
 * the compiler may make a part of it (kernel/signal.c, 5.2); tasks that a signal or a tracer has
 * stopped sleep there too, in another state. One that the freezer of cgroup1 holds is in state D,
 * which is looked at apart.
 */
enum ew_tri cgroup_frozen_by_wchan(int dir, char state)
{
	char wchan[128];
	ssize_t len = proc_read(dir, "wchan", wchan, sizeof(wchan));

	if (state == 'R')
		return EW_NO;
	if (len <= 0 || strcmp(wchan, "0") == 0)
		return EW_UNKNOWN;
	return state == 'S' && (strstr(wchan, "freezer_trap") || strcmp(wchan, "get_signal") == 0)
		       ? EW_YES
		       : EW_NO;
}
