/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef EW_BASE_CGROUP_PATH_H
#define EW_BASE_CGROUP_PATH_H

#include <stdbool.h>
#include <string.h>

/* Is the cgroup that one, or below it? Both are paths of the same hierarchy: "/system.slice/a". */
static inline bool cgroup_path_is_in(const char *cgroup, const char *above)
{
	size_t len = strlen(above);

	return strncmp(cgroup, above, len) == 0 && (cgroup[len] == '/' || cgroup[len] == '\0');
}

#endif
