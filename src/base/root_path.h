/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths as another process sees them, which may have another root directory. */
#ifndef EW_BASE_ROOT_PATH_H
#define EW_BASE_ROOT_PATH_H

#include <stddef.h>

/*
 * Resolves path as a process would whose root directory is root ("/proc/PID/root"): an absolute
 * symbolic link begins at root, and ".." does not lead above it. The kernel would resolve such a
 * link below /proc/PID/root in the caller's own root. Writes a path that begins with root and has
 * no symbolic link behind it into buf. (openat2(2) can do that since Linux 5.6, but gives no path.)
 *
 * Returns 0, or a negative errno: -ENOENT, -ELOOP, -ENAMETOOLONG, those of readlink(2).
 */
int root_path_resolve(const char *root, const char *path, char *buf, size_t size);

#endif
