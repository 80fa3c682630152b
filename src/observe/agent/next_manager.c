/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The environment that systemd gives to every service: DefaultEnvironment= of its configuration and
 * what `systemctl set-environment` has added; and the variables of its own that PassEnvironment=
 * names (systemd core/manager.c, manager_get_effective_environment(), and core/execute.c,
 * build_pass_environment(); 252).
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bounded.h"
#include "base/proc.h"
#include "observe/agent/next.h"
#include "observe/agent/unit_load.h"
#include "systemd/unit_file.h"

enum { ASK_MS = 2000, ANSWER_SIZE = 256 * 1024 };

/* ---- its configuration ---- */

static void conf_add(struct next *next, struct unit_settings *settings, const char *path)
{
	const char *text;
	size_t len;

	if (unit_file_read(next->arena, path, &text, &len) == 0)
		unit_settings_add(settings, text, len, path);
}

/* systemd-system.conf(5): what comes later wins. */
static void confs_add(struct next *next, struct unit_settings *settings)
{
	static const char *const dirs[] = { "/usr/lib/systemd", "/run/systemd", "/etc/systemd" };
	glob_t found;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		const char *conf =
			arena_printf(next->arena, "%s%s/system.conf", next->root, dirs[i]);

		conf_add(next, settings, conf);
		if (glob(arena_printf(next->arena, "%s.d/*.conf", conf), 0, NULL, &found) != 0)
			continue;
		for (size_t at = 0; at < found.gl_pathc; at++)
			conf_add(next, settings, arena_text(next->arena, found.gl_pathv[at]));
		globfree(&found);
	}
}

static void configured_add(struct next *next)
{
	struct unit_settings *settings = unit_settings_new(next->arena);
	const struct specifiers none = { 0 };
	const struct unit_line *lines;
	size_t n;

	if (!settings)
		return;
	confs_add(next, settings);
	lines = unit_setting_list(settings, "Manager", "DefaultEnvironment", &n);
	for (size_t i = 0; i < n; i++)
		environment_add_words(&next->env, lines[i].value, &none, lines[i].path);
}

/* ---- what it has loaded ---- */

/* Run in a child. */
static int show_work(void *ctx, int out)
{
	char *argv[] = { "systemctl", "show-environment", NULL };

	(void)ctx;
	return bounded_exec(argv, out);
}

/* A value with special bytes is shown as $'…': it counts as not known. */
static void loaded_line_add(struct next *next, const char *line)
{
	const char *equals = strchr(line, '=');

	if (equals)
		environment_set(&next->env, arena_span(next->arena, line, (size_t)(equals - line)),
				equals + 1, "systemctl show-environment", equals[1] == '$');
}

static void loaded_add(struct next *next)
{
	char *answer = arena_array(next->arena, ANSWER_SIZE, 1), *line, *rest;

	if (!answer || *next->root || access("/run/systemd/system", F_OK) < 0 ||
	    bounded_text(ASK_MS, 0, show_work, NULL, answer, ANSWER_SIZE) <= 0)
		return;
	for (line = strtok_r(answer, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		loaded_line_add(next, line);
}

/* ---- what it passes on ---- */

static const char *value_in(const char *items, size_t len, const char *name)
{
	size_t name_len = strlen(name);

	for (size_t at = 0; at < len; at += strlen(items + at) + 1)
		if (strncmp(items + at, name, name_len) == 0 && items[at + name_len] == '=')
			return items + at + name_len + 1;
	return NULL;
}

/* "%": no value, but one that is not known. */
static void passed_add(struct next *next, const struct text_list *passed)
{
	char *items = arena_array(next->arena, NEXT_ITEMS_MAX, 1);
	ssize_t len = items ? proc_read(AT_FDCWD,
					arena_printf(next->arena, "%s/proc/1/environ", next->root),
					items, NEXT_ITEMS_MAX)
			    : -ENOMEM;

	for (size_t i = 0; i < passed->n; i++) {
		const char *value = len < 0 ? "%" : value_in(items, (size_t)len, passed->v[i]);

		if (value)
			environment_set(&next->env, passed->v[i], value,
					"PassEnvironment=", len < 0);
	}
}

void next_manager_environment_add(struct next *next, const struct text_list *passed)
{
	configured_add(next);
	loaded_add(next);
	if (passed->n)
		passed_add(next, passed);
}
