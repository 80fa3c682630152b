/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/disks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/now.h"
#include "facts.h"

/* The agent makes what is missing of its directories. */
static int statvfs_above(const char *path, struct statvfs *fs)
{
	char at[PATH_MAX], *slash;

	if ((size_t)snprintf(at, sizeof(at), "%s", path) >= sizeof(at))
		return -ENAMETOOLONG;
	while (statvfs(at, fs) < 0) {
		slash = strrchr(at, '/');
		if (errno != ENOENT || !slash || !at[1])
			return -errno;
		slash[slash == at] = '\0';
	}
	return 0;
}

/* The agent is root, whose share of the free blocks counts. */
int disk_emit(const char *role, const char *name, const char *path, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_DISK };
	struct statvfs fs;
	int err = statvfs_above(path, &fs);

	if (err < 0)
		return err;
	fact.mono = now_mono();
	fact.disk.role = role;
	fact.disk.path = name;
	fact.disk.bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	fact.disk.bytes_free = (uint64_t)fs.f_bfree * fs.f_frsize;
	fact.disk.inodes = fs.f_files;
	fact.disk.inodes_free = fs.f_ffree;
	fact.disk.read_only = fs.f_flag & ST_RDONLY ? EW_YES : EW_NO;
	fact_emit(sink, &fact);
	return 0;
}
