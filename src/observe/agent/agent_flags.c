/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/agent_flags.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/proc.h"

enum { ITEMS_MAX = 128 * 1024 };

static bool copy(const char *text, char *value, size_t size)
{
	return (size_t)snprintf(value, size, "%s", text) < size;
}

/* What follows NAME in item: "=VALUE", or nothing; NULL for another name. */
static const char *behind_name(const char *item, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(item, name, len) != 0 || (item[len] && item[len] != '='))
		return NULL;
	return item + len;
}

/* The last one counts, as for Mesos. */
bool agent_flag_in_cmdline(const char *items, size_t len, const char *name, char *value,
			   size_t size)
{
	bool found = false;

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		const char *item = items + at, *rest;

		if (strncmp(item, "--", 2) != 0)
			continue;
		rest = behind_name(item + 2, name);
		if (rest)
			found = copy(*rest ? rest + 1 : "true", value, size);
		else if (strncmp(item + 2, "no-", 3) == 0 && behind_name(item + 5, name))
			found = copy("false", value, size);
	}
	return found;
}

bool agent_flag_in_environ(const char *items, size_t len, const char *name, char *value,
			   size_t size)
{
	static const char prefix[] = "MESOS_";
	size_t name_len = strlen(name), prefix_len = sizeof(prefix) - 1;

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		const char *item = items + at;

		if (strncmp(item, prefix, prefix_len) == 0 &&
		    strncasecmp(item + prefix_len, name, name_len) == 0 &&
		    item[prefix_len + name_len] == '=')
			return copy(item + prefix_len + name_len + 1, value, size);
	}
	return false;
}

static bool flag_in(int32_t pid, const char *file,
		    bool (*find)(const char *items, size_t len, const char *name, char *value,
				 size_t size),
		    const char *name, char *value, size_t size)
{
	char items[ITEMS_MAX], path[PROC_PATH_MAX];
	ssize_t len = proc_read(AT_FDCWD, proc_path(path, pid, 0, file), items, sizeof(items));

	return len > 0 && find(items, (size_t)len, name, value, size);
}

bool agent_flag(int32_t pid, const char *name, char *value, size_t size)
{
	return flag_in(pid, "cmdline", agent_flag_in_cmdline, name, value, size) ||
	       flag_in(pid, "environ", agent_flag_in_environ, name, value, size);
}
