/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The unit that starts the agent: its environment and its ExecStart. */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "facts.h"
#include "observe/agent/next.h"
#include "observe/agent/unit_host.h"
#include "observe/agent/unit_load.h"
#include "observe/agent/unit_parts.h"
#include "systemd/exec_line.h"
#include "systemd/unit_file.h"
#include "systemd/words.h"

/* "/run/a.env", "-/etc/b.env", a pattern; systemd.exec(5), EnvironmentFile=. */
void next_env_file_add(struct next *next, const char *path, const char *what, bool optional)
{
	const char *text;
	size_t len;
	int err = next_file_read(next, path, &text, &len);

	if (!err)
		environment_add_file(&next->env, text, len, ENVIRONMENT_SYSTEMD, path);
	else if (!optional || (err != -ENOENT && err != -ENOTDIR))
		next_missing_add(next, arena_printf(next->arena, "%s%s", what, path), err);
}

/* The value of an EnvironmentFile= that has no specifier any more. */
static void env_pattern_add(struct next *next, const char *value)
{
	bool optional = *value == '-';
	size_t root = strlen(next->root);
	glob_t found;

	value += optional;
	if (!strpbrk(value, "*?[")) {
		next_env_file_add(next, value, "EnvironmentFile=", optional);
		return;
	}
	if (glob(arena_printf(next->arena, "%s%s", next->root, value), 0, NULL, &found) != 0) {
		if (!optional)
			next_missing_add(next,
					 arena_printf(next->arena, "EnvironmentFile=%s", value),
					 -ENOENT);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		next_env_file_add(next, arena_text(next->arena, found.gl_pathv[i] + root),
				  "EnvironmentFile=", optional);
	globfree(&found);
}

static void env_setting_add(struct next *next, const char *value)
{
	bool unknown = false;

	value = specifiers_expand(next->arena, &next->specifiers, value, &unknown);
	if (unknown)
		next->problem = "a % specifier of its EnvironmentFile is not known here";
	else
		env_pattern_add(next, value);
}

/* Words of settings that are lists of words, specifiers expanded. */
static struct text_list words_of(struct next *next, const struct loaded_unit *unit, const char *key)
{
	const struct unit_line *lines;
	struct text_list words = { 0 };
	bool unknown = false;
	size_t n;

	lines = unit_setting_list(unit->settings, "Service", key, &n);
	for (size_t i = 0; i < n; i++) {
		const char *rest = lines[i].value;
		char *word = arena_array(next->arena, strlen(rest) + 1, 1);

		while (word && systemd_word_next(&rest, word) > 0)
			text_list_add(
				next->arena, &words,
				specifiers_expand(next->arena, &next->specifiers, word, &unknown));
	}
	if (unknown)
		next->problem = arena_printf(next->arena,
					     "a %% specifier of its %s is not known here", key);
	return words;
}

/* In the order of systemd core/execute.c, exec_child(): what comes later wins. */
static void unit_environment(struct next *next, const struct loaded_unit *unit)
{
	struct text_list passed = words_of(next, unit, "PassEnvironment");
	const struct unit_line *lines;
	size_t n;

	next_manager_environment_add(next, &passed);
	lines = unit_setting_list(unit->settings, "Service", "Environment", &n);
	for (size_t i = 0; i < n; i++)
		environment_add_words(&next->env, lines[i].value, &next->specifiers, lines[i].path);
	lines = unit_setting_list(unit->settings, "Service", "EnvironmentFile", &n);
	for (size_t i = 0; i < n; i++)
		env_setting_add(next, lines[i].value);
	for (size_t i = 0; i < next->options->n_env; i++)
		next_env_file_add(next, next->options->env[i], "--next-env ", false);
}

/* Of what the unit sets besides, it is dropped last. */
static void unit_environment_drop(struct next *next, const struct loaded_unit *unit)
{
	struct text_list words = words_of(next, unit, "UnsetEnvironment");

	for (size_t i = 0; i < words.n; i++)
		environment_unset(&next->env, words.v[i]);
}

static void unit_program(struct next *next, const struct loaded_unit *unit)
{
	const struct unit_line *lines;
	struct exec_line line;
	size_t n;

	lines = unit_setting_list(unit->settings, "Service", "ExecStart", &n);
	if (!n)
		next->problem = "its unit has no ExecStart";
	else if (exec_line_parse(next->arena, lines[n - 1].value, &next->specifiers, &line) < 0 ||
		 exec_line_expand(next->arena, &next->env, &line) < 0)
		next->problem = "its ExecStart cannot be read";
	else
		next_program_add(next, &line, lines[n - 1].path);
}

/*
 * A path without which systemd passes over the start, or fails it: the agent does not come back.
 * Negated conditions, and those of which one suffices ("|"), are not looked at. systemd.unit(5).
 */
static void condition_check(struct next *next, const char *key, const char *value)
{
	bool unknown = false;
	const char *path = specifiers_expand(next->arena, &next->specifiers, value, &unknown);

	if (*path == '/' && !unknown &&
	    access(arena_printf(next->arena, "%s%s", next->root, path), F_OK) < 0)
		next_missing_add(next, arena_printf(next->arena, "%s=%s", key, path), -errno);
}

static void unit_conditions(struct next *next, const struct loaded_unit *unit)
{
	static const char *const keys[] = { "ConditionPathExists",	 "AssertPathExists",
					    "ConditionPathIsDirectory",	 "AssertPathIsDirectory",
					    "ConditionPathIsMountPoint", "AssertPathIsMountPoint",
					    "ConditionFileNotEmpty",	 "AssertFileNotEmpty",
					    "ConditionFileIsExecutable", "AssertFileIsExecutable" };
	const struct unit_line *lines;
	size_t n;

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		lines = unit_setting_list(unit->settings, "Unit", keys[i], &n);
		for (size_t at = 0; lines && at < n; at++)
			condition_check(next, keys[i], lines[at].value);
	}
}

/* How it starts and stops; of the running agent's own unit service_emit() has told it. */
static void unit_service(struct next *next, const char *running, bool is_file,
			 const struct loaded_unit *unit)
{
	struct fact_service *service;

	if (!next->options->unit ||
	    (!is_file && !*next->root && running && strcmp(unit->name, running) == 0))
		return;
	service = arena_array(next->arena, 1, sizeof(*service));
	if (!service)
		return;
	service->pid = next->agent->pid;
	service->start = next->agent->start;
	service->unit = is_file ? next->options->unit : unit->name;
	service->next = true;
	unit_files_fill(next->arena, next->root, unit, service);
	unit_files_as_loaded(unit, service);
	next->service = service;
}

void next_unit_add(struct next *next, const char *unit)
{
	bool is_file = next->options->unit && strchr(next->options->unit, '/');
	const char *name = next->options->unit ? next->options->unit : unit;
	struct loaded_unit loaded;
	int err;

	if (!is_file && !strchr(name, '.'))
		name = arena_printf(next->arena, "%s.service", name);
	err = unit_load(next->arena, next->root, name, is_file ? name : NULL, &loaded);
	if (err < 0) {
		next->problem = arena_printf(next->arena, "unit %s: %s", name,
					     err == -ENOLINK ? "is masked" : strerror(-err));
		return;
	}
	for (size_t i = 0; i < loaded.n; i++)
		text_list_add(next->arena, &next->sources, loaded.paths[i]);
	unit_host_fill(next->arena, next->root, loaded.name, &next->specifiers);
	unit_service(next, unit, is_file, &loaded);
	unit_conditions(next, &loaded);
	unit_environment(next, &loaded);
	unit_environment_drop(next, &loaded);
	unit_program(next, &loaded);
}
