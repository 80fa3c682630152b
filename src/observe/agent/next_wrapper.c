/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The wrapper of Mesosphere's packages: /usr/bin/mesos-init-wrapper slave. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "observe/agent/next.h"
#include "systemd/exec_line.h"

/* What is there and cannot be read may set flags. A directory, or what is no file, sets none. */
static void unread_note(struct next *next, const char *path, int err)
{
	if (!next->problem && err != -ENOENT && err != -ENOTDIR && err != -EISDIR)
		next->problem = arena_printf(next->arena, "%s: %s", path, strerror(-err));
}

/* As $(cat FILE): without newlines at the end. NULL: a directory, or it cannot be read. */
static const char *cat(struct next *next, const char *path)
{
	const char *text;
	size_t len;
	int err = next_agent_file_read(next, path, &text, &len);

	if (err < 0) {
		unread_note(next, path, err);
		return NULL;
	}
	len = strnlen(text, len);
	while (len && text[len - 1] == '\n')
		len--;
	return arena_span(next->arena, text, len);
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The names in a directory, in the order of a shell's pattern. */
static struct text_list names_in(struct next *next, const char *dir)
{
	struct text_list names = { 0 };
	struct dirent **entries;
	const char *path = next_agent_path(next, dir);
	int n = path ? scandir(path, &entries, visible, alphasort) : -1;

	if (n < 0)
		unread_note(next, dir, -errno);
	for (int i = 0; i < n; i++) {
		text_list_add(next->arena, &names, arena_text(next->arena, entries[i]->d_name));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return names;
}

/* /etc/mesos-slave/NAME holds the value; ?NAME and ?no-NAME have none. */
static void wrapper_files(struct next *next, const char *dir)
{
	struct text_list names = names_in(next, dir);

	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.v[i];
		const char *path = arena_printf(next->arena, "%s/%s", dir, name);
		const char *value = cat(next, path);

		if (value && name[0] == '?')
			next_argument_add(next, arena_printf(next->arena, "--%s", name + 1), path,
					  NULL);
		else if (value)
			next_argument_add(next, arena_printf(next->arena, "--%s=%s", name, value),
					  path, NULL);
	}
}

/* /etc/mesos-slave/attributes/NAME: one of several. */
static void wrapper_items(struct next *next, const char *etc, const char *flag)
{
	const char *dir = arena_printf(next->arena, "%s/%s", etc, flag), *all = "", *value;
	struct text_list names = names_in(next, dir);

	for (size_t i = 0; i < names.n; i++) {
		value = cat(next, arena_printf(next->arena, "%s/%s", dir, names.v[i]));
		if (value && *value)
			all = arena_printf(next->arena, "%s%s%s:%s", all, *all ? ";" : "",
					   names.v[i], value);
	}
	if (*all)
		next_argument_add(next, arena_printf(next->arena, "--%s=%s", flag, all), dir, NULL);
}

static void wrapper_defaults(struct next *next, const char *path)
{
	const char *text;
	size_t len;
	int err = next_agent_file_read(next, path, &text, &len);

	if (err < 0)
		unread_note(next, path, err);
	else
		environment_add_file(&next->env, text, len, ENVIRONMENT_SHELL, path);
}

static void wrapper_variable(struct next *next, const char *name, const char *flag)
{
	const struct env_var *var = environment_find(&next->env, name);
	const char *problem = NULL;

	if (!var || !*var->value)
		return;
	if (var->computed)
		problem = next->problem = arena_printf(
			next->arena, "%s in %s is computed at the start", var->name, var->source);
	next_argument_add(next, arena_printf(next->arena, "--%s=%s", flag, var->value), var->source,
			  problem);
}

void next_wrapper_add(struct next *next, const struct exec_line *line)
{
	const char *role = line->n ? line->argv[0] : "slave";
	const char *etc = arena_printf(next->arena, "/etc/mesos-%s", role);

	wrapper_defaults(next, "/etc/default/mesos");
	wrapper_defaults(next, arena_printf(next->arena, "/etc/default/mesos-%s", role));
	wrapper_variable(next, "IP", "ip");
	wrapper_variable(next, "ISOLATION", "isolation");
	wrapper_files(next, etc);
	wrapper_items(next, etc, "attributes");
	wrapper_items(next, etc, "resources");
}
