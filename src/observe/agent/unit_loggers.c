/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Container loggers in the cgroup of a unit. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/proc.h"
#include "base/text_list.h"
#include "facts.h"
#include "observe/agent/unit_parts.h"

enum { CGROUP_DEPTH_MAX = 16 };

/* comm is cut at 15 bytes: mesos-logrotate-logger, mesos-journald-logger. */
static void logger_add(struct arena *arena, struct text_list *loggers, int32_t pid)
{
	struct proc_stat stat;

	if (proc_stat_of(pid, &stat) == 0 && (strncmp(stat.comm, "mesos-logrotate", 15) == 0 ||
					      strncmp(stat.comm, "mesos-journald-", 15) == 0))
		text_list_add(arena, loggers, arena_printf(arena, "%d %s", pid, stat.comm));
}

static void cgroup_read(struct arena *arena, const char *path, struct text_list *loggers, int depth)
{
	FILE *procs = fopen(arena_printf(arena, "%s/cgroup.procs", path), "re");
	DIR *dir = depth < CGROUP_DEPTH_MAX ? opendir(path) : NULL;
	struct dirent *entry;
	int32_t pid;

	while (procs && fscanf(procs, "%d", &pid) == 1)
		logger_add(arena, loggers, pid);
	if (procs)
		fclose(procs);
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			cgroup_read(arena, arena_printf(arena, "%s/%s", path, entry->d_name),
				    loggers, depth + 1);
	if (dir)
		closedir(dir);
}

void unit_loggers_fill(struct arena *arena, const char *cgroup, struct fact_service *service)
{
	static const char *const roots[] = { "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup" };
	struct text_list loggers = { 0 };

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		const char *path = arena_printf(arena, "%s%s", roots[i], cgroup);

		if (access(path, F_OK) < 0)
			continue;
		cgroup_read(arena, path, &loggers, 0);
		break;
	}
	service->loggers = loggers.v;
	service->n_loggers = loggers.n;
}
