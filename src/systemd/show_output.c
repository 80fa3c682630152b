/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "systemd/show_output.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/arena.h"

const char *show_output_next(struct arena *arena, const char **text, const char *name)
{
	size_t name_len = strlen(name);

	while (**text) {
		const char *line = *text;
		size_t len = strcspn(line, "\n");

		*text += len + (line[len] == '\n');
		if (len > name_len && memcmp(line, name, name_len) == 0 && line[name_len] == '=')
			return arena_span(arena, line + name_len + 1, len - name_len - 1);
	}
	return NULL;
}

const char *show_output_value(struct arena *arena, const char *text, const char *name)
{
	const char *value = show_output_next(arena, &text, name);

	return value && *value ? value : NULL;
}

/* The field in front of " ;"; NULL: there is none. */
static const char *field_of(struct arena *arena, const char *value, const char *name)
{
	const char *begin = strstr(value, name), *end;

	if (!begin)
		return NULL;
	begin += strlen(name);
	end = strstr(begin, " ;");
	return arena_span(arena, begin, end ? (size_t)(end - begin) : strlen(begin));
}

const char *show_output_command(struct arena *arena, const char *value)
{
	const char *path, *argv, *ignore, *args;

	if (value[0] != '{')
		return NULL;
	path = field_of(arena, value, "path=");
	argv = field_of(arena, value, "argv[]=");
	ignore = field_of(arena, value, "ignore_errors=");
	if (!path || !argv)
		return NULL;
	args = strchr(argv, ' ');
	return arena_printf(arena, "%s%s%s", ignore && strcmp(ignore, "yes") == 0 ? "-" : "", path,
			    args ? args : "");
}
