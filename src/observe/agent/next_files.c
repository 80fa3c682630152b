/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of the next start: those that systemd reads, and those that the agent reads. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/arena.h"
#include "base/root_path.h"
#include "observe/agent/next.h"
#include "observe/agent/unit_load.h"

const char *next_base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

bool next_is_agent(const char *path)
{
	const char *name = next_base_of(path);

	return strcmp(name, "mesos-agent") == 0 || strcmp(name, "mesos-slave") == 0;
}

/* execwatch has dropped capabilities that the agent has: what it may not read may be there. */
void next_missing_add(struct next *next, const char *what, int err)
{
	const char *text = arena_printf(next->arena, "%s: %s", what, strerror(-err));

	if (err == -EACCES || err == -EPERM)
		next->problem = text;
	else
		text_list_add(next->arena, &next->missing, text);
}

/* A file below the root, its name noted. Returns 0 or a negative errno. */
int next_file_read(struct next *next, const char *path, const char **text, size_t *len)
{
	int err = unit_file_read(next->arena, arena_printf(next->arena, "%s%s", next->root, path),
				 text, len);

	if (!err)
		text_list_add(next->arena, &next->sources, path);
	return err;
}

const char *next_agent_path(struct next *next, const char *path)
{
	char buf[PATH_MAX];
	int err = next->agent_root ? root_path_resolve(next->agent_root, path, buf, sizeof(buf))
				   : -EACCES;

	if (err < 0) {
		errno = -err;
		return NULL;
	}
	return arena_text(next->arena, buf);
}

int next_agent_file_read(struct next *next, const char *path, const char **text, size_t *len)
{
	const char *here = next_agent_path(next, path);
	int err = here ? unit_file_read(next->arena, here, text, len) : -errno;

	if (!err)
		text_list_add(next->arena, &next->sources, path);
	return err;
}
