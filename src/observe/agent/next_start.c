/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/next_start.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "mesos/flag_table.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/unit_load.h"
#include "systemd/environment.h"
#include "systemd/exec_line.h"
#include "systemd/unit_file.h"
#include "systemd/words.h"

enum { ITEMS_MAX = 128 * 1024, VALUE_MAX = 64 * 1024, TEXTS_MAX = 128, NAMES_MAX = 512 };

struct texts {
	const char *v[TEXTS_MAX];
	size_t n;
};

struct flag_value {
	const char *value; /* NULL: not given */
	const char *source;
	const char *problem;
	bool on_command_line;
};

struct next {
	struct arena *arena;
	const struct fact_agent *agent;
	const struct next_start_options *options;
	const char *root;
	struct environment env;
	struct flag_value flags[MESOS_FLAGS_WATCHED];
	struct texts names; /* of flags on the command line */
	struct texts sources, missing, twice;
	const char *program;
	const char *problem; /* why flags may be missing; NULL: none is */
};

static void texts_add(struct texts *texts, const char *text)
{
	if (texts->n < TEXTS_MAX)
		texts->v[texts->n++] = text;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_agent(const char *path)
{
	const char *name = base_of(path);

	return strcmp(name, "mesos-agent") == 0 || strcmp(name, "mesos-slave") == 0;
}

/* execwatch has dropped capabilities that the agent has: what it may not read may be there. */
static void missing_add(struct next *next, const char *what, int err)
{
	const char *text = arena_printf(next->arena, "%s: %s", what, strerror(-err));

	if (err == -EACCES || err == -EPERM)
		next->problem = text;
	else
		texts_add(&next->missing, text);
}

/* A file below the root, its name noted. Returns 0 or a negative errno. */
static int file_read(struct next *next, const char *path, const char **text, size_t *len)
{
	int err = unit_file_read(next->arena, arena_printf(next->arena, "%s%s", next->root, path),
				 text, len);

	if (!err)
		texts_add(&next->sources, path);
	return err;
}

/* ---- flags ---- */

/* What file:// names is the value, but for paths. */
static void value_set(struct next *next, const struct mesos_flag *flag, struct flag_value *slot,
		      const char *value)
{
	const char *path = strncmp(value, "file://", 7) == 0 ? value + 7 : NULL, *text;
	size_t len;
	int err;

	slot->value = path && flag->kind == MESOS_FLAG_PATH ? path : value;
	if (!path || flag->kind == MESOS_FLAG_PATH)
		return;
	err = file_read(next, path, &text, &len);
	slot->source = path;
	slot->value = err ? "" : arena_span(next->arena, text, len);
	if (!err)
		return;
	slot->problem = arena_printf(next->arena, "%s: %s", path, strerror(-err));
	missing_add(next, arena_printf(next->arena, "--%s=%s", flag->name, value), err);
}

/* Returns the flag, NULL for one that nobody compares. */
static struct flag_value *flag_set(struct next *next, struct mesos_span name, const char *value,
				   const char *source, bool on_command_line)
{
	const struct mesos_flag *flag = mesos_flag_find(name);
	struct flag_value *slot;

	if (!flag)
		return NULL;
	slot = &next->flags[flag - mesos_flag_table];
	*slot = (struct flag_value){ .source = source,
				     .problem = "",
				     .on_command_line = on_command_line };
	value_set(next, flag, slot, value);
	return slot;
}

/* The text of its value is not the value that the agent will get. */
static void flag_is_computed(struct next *next, struct flag_value *slot, const char *problem)
{
	next->problem = problem;
	if (slot)
		slot->problem = problem;
}

static void variable_is_computed(struct next *next, struct flag_value *slot,
				 const struct env_var *var)
{
	if (slot && var->computed)
		flag_is_computed(next, slot,
				 arena_printf(next->arena, "%s in %s is computed at the start",
					      var->name, var->source));
}

/* stout flags/flags.hpp, load(): the same name twice on the command line ends the agent. */
static void name_note(struct next *next, struct mesos_span name)
{
	const char *text = arena_span(next->arena, name.p, name.len);

	for (size_t i = 0; i < next->names.n; i++)
		if (strcmp(next->names.v[i], text) == 0) {
			texts_add(&next->twice, text);
			return;
		}
	texts_add(&next->names, text);
}

/* --NAME=VALUE, --NAME, --no-NAME; all else is passed over. */
static struct flag_value *argument_add(struct next *next, const char *argument, const char *source)
{
	const char *name = argument + 2, *equals = strchr(argument, '=');
	struct mesos_span span;
	bool no;

	if (strncmp(argument, "--", 2) != 0 || !argument[2])
		return NULL;
	no = !equals && strncmp(name, "no-", 3) == 0;
	name += no ? 3 : 0;
	span = mesos_span_at(name, equals ? (size_t)(equals - name) : strlen(name));
	name_note(next, span);
	return flag_set(next, span, equals ? equals + 1 : no ? "false" : "true", source, true);
}

/* MESOS_NAME, in capitals or not behind the prefix (stout flags/flags.hpp, extract()). */
static void variable_add(struct next *next, const struct env_var *var)
{
	char name[64];
	size_t n = 0;

	if (strncmp(var->name, "MESOS_", 6) != 0 || strlen(var->name + 6) >= sizeof(name))
		return;
	for (const char *at = var->name + 6; *at; at++)
		name[n++] = (char)tolower((unsigned char)*at);
	variable_is_computed(
		next, flag_set(next, mesos_span_at(name, n), var->value, var->source, false), var);
}

/* ---- command lines ---- */

static void arguments_add(struct next *next, const struct exec_line *line, size_t first,
			  const char *source)
{
	for (size_t i = first; i < line->n; i++) {
		struct flag_value *slot = argument_add(next, line->argv[i], source);

		if (slot && line->unknown && strchr(line->argv[i], '%'))
			slot->problem = "its value has a % specifier";
	}
}

static bool ends_command(const char *word)
{
	return strchr(";&|<>()", *word) != NULL;
}

/* Cuts the ";" off a word that ends the command; true when there was one. */
static bool end_cut(char *word)
{
	size_t len = strlen(word);

	if (len < 2 || word[len - 1] != ';')
		return false;
	word[len - 1] = '\0';
	return true;
}

/* sh -c "A=1 exec /usr/sbin/mesos-agent --x >>/var/log/y 2>&1" */
static void shell_add(struct next *next, const char *script, const char *source)
{
	static const char too_much[] = "its shell command is more than this program understands";
	bool found = false, over = false, computed = strpbrk(script, "$`") != NULL;
	char *word = arena_array(next->arena, strlen(script) + 1, 1);
	struct flag_value *slot;

	while (word && !over && systemd_word_next(&script, word) > 0) {
		char *equals = strchr(word, '=');

		if (found && ends_command(word))
			break;
		over = end_cut(word) && found;
		if (found) {
			slot = argument_add(next, arena_text(next->arena, word), source);
			if (strpbrk(word, "$`"))
				flag_is_computed(next, slot, too_much);
		} else if (is_agent(word)) {
			found = true;
		} else if (equals && strncmp(word, "MESOS_", 6) == 0) {
			*equals = '\0';
			environment_set(&next->env, word, equals + 1, source,
					strpbrk(equals + 1, "$`") != NULL);
		}
	}
	if (!found || computed)
		next->problem = too_much;
}

/* What docker run sets; the image may set more. */
static void docker_add(struct next *next, const struct exec_line *line, const char *source)
{
	bool image = false;

	for (size_t i = 0; i < line->n; i++) {
		const char *word = line->argv[i], *value = i + 1 < line->n ? line->argv[i + 1] : "";

		if (image)
			argument_add(next, word, source);
		else if (strcmp(word, "-e") == 0 || strcmp(word, "--env") == 0)
			environment_add_words(&next->env, value, source), i++;
		else if (strncmp(word, "--env=", 6) == 0)
			environment_add_words(&next->env, word + 6, source);
		else
			image = word[0] != '-' && strchr(word, '=') == NULL &&
				strstr(word, "mesos") && i && line->argv[i - 1][0] != '-';
	}
	next->problem = "the environment and the entry point of its image are not known";
}

/* ---- the wrapper of Mesosphere's packages: /usr/bin/mesos-init-wrapper slave ---- */

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
	int err = file_read(next, path, &text, &len);

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

/* Calls back for each file of a directory, in the order of a shell's pattern. */
static void each_file(struct next *next, const char *dir,
		      void (*call)(struct next *next, const char *dir, const char *name, void *ctx),
		      void *ctx)
{
	struct dirent **entries;
	int n = scandir(arena_printf(next->arena, "%s%s", next->root, dir), &entries, visible,
			alphasort);

	if (n < 0)
		unread_note(next, dir, -errno);
	for (int i = 0; i < n; i++) {
		call(next, dir, entries[i]->d_name, ctx);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* /etc/mesos-slave/NAME holds the value; ?NAME and ?no-NAME have none. */
static void wrapper_file(struct next *next, const char *dir, const char *name, void *ctx)
{
	const char *path = arena_printf(next->arena, "%s/%s", dir, name);
	const char *value = cat(next, path);

	(void)ctx;
	if (!value)
		return;
	argument_add(next,
		     name[0] == '?' ? arena_printf(next->arena, "--%s", name + 1)
				    : arena_printf(next->arena, "--%s=%s", name, value),
		     path);
}

/* /etc/mesos-slave/attributes/NAME: one of several. */
static void wrapper_item(struct next *next, const char *dir, const char *name, void *ctx)
{
	const char **all = ctx, *value = cat(next, arena_printf(next->arena, "%s/%s", dir, name));

	if (value && *value)
		*all = arena_printf(next->arena, "%s%s%s:%s", *all, **all ? ";" : "", name, value);
}

static void wrapper_items(struct next *next, const char *etc, const char *name)
{
	const char *dir = arena_printf(next->arena, "%s/%s", etc, name), *all = "";

	each_file(next, dir, wrapper_item, &all);
	if (*all)
		argument_add(next, arena_printf(next->arena, "--%s=%s", name, all), dir);
}

static void wrapper_defaults(struct next *next, const char *path)
{
	const char *text;
	size_t len;
	int err = file_read(next, path, &text, &len);

	if (err < 0)
		unread_note(next, path, err);
	else
		environment_add_file(&next->env, text, len, ENVIRONMENT_SHELL, path);
}

static void wrapper_variable(struct next *next, const char *name, const char *flag)
{
	const struct env_var *var = environment_find(&next->env, name);

	if (!var || !*var->value)
		return;
	variable_is_computed(next,
			     argument_add(next,
					  arena_printf(next->arena, "--%s=%s", flag, var->value),
					  var->source),
			     var);
}

static void wrapper_add(struct next *next, const struct exec_line *line)
{
	const char *role = line->n ? line->argv[0] : "slave";
	const char *etc = arena_printf(next->arena, "/etc/mesos-%s", role);

	wrapper_defaults(next, "/etc/default/mesos");
	wrapper_defaults(next, arena_printf(next->arena, "/etc/default/mesos-%s", role));
	wrapper_variable(next, "IP", "ip");
	wrapper_variable(next, "ISOLATION", "isolation");
	each_file(next, etc, wrapper_file, NULL);
	wrapper_items(next, etc, "attributes");
	wrapper_items(next, etc, "resources");
}

/* ---- programs ---- */

/* Programs that run another one with the arguments and the environment that they got. */
static bool passes_on(const char *name)
{
	static const char *const names[] = { "nice", "ionice", "numactl", "taskset",
					     "chrt", "setsid", "nohup",	  "stdbuf",
					     "tini", "cgexec", "prlimit", "tee_stderr" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* env [-i] [-u NAME] NAME=VALUE…: false for an option. */
static bool env_word_add(struct next *next, const char *word, const char *source)
{
	const char *equals = strchr(word, '=');

	if (word[0] == '-')
		return false;
	if (equals)
		environment_set(&next->env, arena_span(next->arena, word, (size_t)(equals - word)),
				equals + 1, source, false);
	return true;
}

/* The agent among the arguments of another program. */
static void below_add(struct next *next, const struct exec_line *line, const char *source)
{
	const char *name = base_of(line->program);
	bool is_env = strcmp(name, "env") == 0, known = is_env || passes_on(name);
	size_t i;

	for (i = 0; i < line->n && !is_agent(line->argv[i]); i++)
		if (is_env)
			known &= env_word_add(next, line->argv[i], source);
	arguments_add(next, line, i + 1, source);
	if (!known || i >= line->n)
		next->problem =
			arena_printf(next->arena, "%s is not the agent itself, and may add flags",
				     line->program);
}

static bool is_shell(const char *name)
{
	return strcmp(name, "sh") == 0 || strcmp(name, "bash") == 0 || strcmp(name, "dash") == 0;
}

static void program_add(struct next *next, const struct exec_line *line, const char *source)
{
	const char *name = base_of(line->program);

	next->program = line->program;
	if (line->unknown)
		next->problem = "a % specifier of its ExecStart is not known here";
	if (is_agent(line->program))
		arguments_add(next, line, 0, source);
	else if (strcmp(name, "mesos-init-wrapper") == 0)
		wrapper_add(next, line);
	else if (strcmp(name, "start_mesos.sh") == 0) /* of DC/OS: all flags are variables */
		return;
	else if (is_shell(name) && line->n == 2 && strcmp(line->argv[0], "-c") == 0)
		shell_add(next, line->argv[1], source);
	else if (strcmp(name, "docker") == 0 || strcmp(name, "podman") == 0)
		docker_add(next, line, source);
	else
		below_add(next, line, source);
}

/* ---- units ---- */

/* "/run/a.env", "-/etc/b.env", a pattern; systemd.exec(5), EnvironmentFile=. */
static void env_file_add(struct next *next, const char *path, const char *what, bool optional)
{
	const char *text;
	size_t len;
	int err = file_read(next, path, &text, &len);

	if (!err)
		environment_add_file(&next->env, text, len, ENVIRONMENT_SYSTEMD, path);
	else if (!optional || (err != -ENOENT && err != -ENOTDIR))
		missing_add(next, arena_printf(next->arena, "%s%s", what, path), err);
}

static void env_pattern_add(struct next *next, const char *value)
{
	bool optional = *value == '-';
	size_t root = strlen(next->root);
	glob_t found;

	value += optional;
	if (strchr(value, '%')) {
		next->problem = "a % specifier of its EnvironmentFile is not known here";
		return;
	}
	if (!strpbrk(value, "*?[")) {
		env_file_add(next, value, "EnvironmentFile=", optional);
		return;
	}
	if (glob(arena_printf(next->arena, "%s%s", next->root, value), 0, NULL, &found) != 0) {
		if (!optional)
			missing_add(next, arena_printf(next->arena, "EnvironmentFile=%s", value),
				    -ENOENT);
		return;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		env_file_add(next, arena_text(next->arena, found.gl_pathv[i] + root),
			     "EnvironmentFile=", optional);
	globfree(&found);
}

static void unit_environment(struct next *next, const struct loaded_unit *unit)
{
	const struct unit_line *lines;
	size_t n;

	lines = unit_setting_list(unit->settings, "Service", "Environment", &n);
	for (size_t i = 0; i < n; i++)
		environment_add_words(&next->env, lines[i].value, lines[i].path);
	lines = unit_setting_list(unit->settings, "Service", "EnvironmentFile", &n);
	for (size_t i = 0; i < n; i++)
		env_pattern_add(next, lines[i].value);
	lines = unit_setting_list(unit->settings, "Service", "UnsetEnvironment", &n);
	for (size_t i = 0; i < n; i++)
		environment_unset(&next->env, lines[i].value);
}

static void unit_program(struct next *next, const struct loaded_unit *unit)
{
	const struct unit_line *lines;
	struct exec_line line;
	size_t n;

	lines = unit_setting_list(unit->settings, "Service", "ExecStart", &n);
	if (!n)
		next->problem = "its unit has no ExecStart";
	else if (exec_line_parse(next->arena, lines[n - 1].value, unit->name, &line) < 0 ||
		 exec_line_expand(next->arena, &next->env, &line) < 0)
		next->problem = "its ExecStart cannot be read";
	else
		program_add(next, &line, lines[n - 1].path);
}

static void unit_add(struct next *next, const char *unit)
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
		texts_add(&next->sources, loaded.paths[i]);
	unit_environment(next, &loaded);
	for (size_t i = 0; i < next->options->n_env; i++)
		env_file_add(next, next->options->env[i], "--next-env ", false);
	unit_program(next, &loaded);
}

/* ---- without a unit: the running agent's own ---- */

/* 0: none, or, with a problem, they cannot be read. */
static size_t items_read(struct next *next, const char *file, char *items)
{
	char path[PROC_PATH_MAX];
	ssize_t len = items ? proc_read(AT_FDCWD, proc_path(path, next->agent->pid, 0, file), items,
					ITEMS_MAX)
			    : -ENOMEM;

	if (len == ITEMS_MAX - 1)
		len = -E2BIG;
	if (len < 0)
		next->problem = arena_printf(next->arena, "the running agent's %s: %s", file,
					     strerror((int)-len));
	return len > 0 ? (size_t)len : 0;
}

static void running_add(struct next *next)
{
	char *items = arena_array(next->arena, ITEMS_MAX, 1);
	size_t len = items_read(next, "environ", items);

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		char *equals = strchr(items + at, '=');
		size_t n = equals ? (size_t)(equals - items) - at : 0;

		if (equals)
			environment_set(&next->env, arena_span(next->arena, items + at, n),
					equals + 1, "environment", false);
	}
	for (size_t i = 0; i < next->options->n_env; i++)
		env_file_add(next, next->options->env[i], "--next-env ", false);
	len = items_read(next, "cmdline", items);
	next->program = len ? arena_text(next->arena, items) : "";
	for (size_t at = len ? strlen(items) + 1 : 0; at < len; at += strlen(items + at) + 1)
		argument_add(next, arena_text(next->arena, items + at), "command-line");
	if (!len && !next->problem)
		next->problem = "the running agent has no command line";
}

/* ---- emit ---- */

static void flag_emit(const struct next *next, const char *when, size_t i,
		      const struct flag_value *flag, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_FLAG, .mono = now_mono() };

	fact.flag.pid = next->agent->pid;
	fact.flag.start = next->agent->start;
	fact.flag.when = when;
	fact.flag.name = mesos_flag_table[i].name;
	fact.flag.value = flag->value;
	fact.flag.source = flag->source;
	fact.flag.problem = flag->problem;
	fact.flag.on_command_line = flag->on_command_line;
	fact_emit(sink, &fact);
}

/* The value of a flag by its name or its other name. */
static bool given_in(bool (*find)(const char *items, size_t len, const char *name, char *value,
				  size_t size),
		     const char *items, size_t len, const struct mesos_flag *flag, char *value)
{
	return find(items, len, flag->name, value, VALUE_MAX) ||
	       (flag->alias && find(items, len, flag->alias, value, VALUE_MAX));
}

/*
 * What the running agent was started with. Of a file only the path is known: it may have changed.
 * Where its command line or environment cannot be read, a flag that is not found may be given.
 */
static void running_emit(struct next *next, const struct fact_sink *sink)
{
	char *value = arena_array(next->arena, VALUE_MAX, 1);
	char *cmdline = arena_array(next->arena, ITEMS_MAX, 1);
	char *environ_ = arena_array(next->arena, ITEMS_MAX, 1);
	size_t len = items_read(next, "cmdline", cmdline);
	size_t env_len = items_read(next, "environ", environ_);

	for (size_t i = 0; value && i < MESOS_FLAGS_WATCHED; i++) {
		const struct mesos_flag *flag = &mesos_flag_table[i];
		struct flag_value given = { .source = "command-line", .value = value };

		given.on_command_line = given_in(agent_flag_in_cmdline, cmdline, len, flag, value);
		if (!given.on_command_line) {
			given.source = "environment";
			if (!given_in(agent_flag_in_environ, environ_, env_len, flag, value)) {
				if (!next->problem)
					continue;
				value[0] = '\0';
				given.problem = next->problem;
			}
		}
		if (flag->kind != MESOS_FLAG_PATH && strncmp(value, "file://", 7) == 0)
			given.problem = "the file may have changed since";
		flag_emit(next, "running", i, &given, sink);
	}
}

static void credentials_check(struct next *next)
{
	static const char *const names[] = { "credential", "http_credentials", "jwt_secret_key" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct mesos_flag *flag = mesos_flag_find(mesos_span_of(names[i]));
		const struct flag_value *slot = &next->flags[flag - mesos_flag_table];
		const char *path = slot->value, *text;
		size_t len;
		bool computed = *(slot->problem ? slot->problem : "");
		int err =
			path && *path == '/' && !computed ? file_read(next, path, &text, &len) : 0;

		if (err)
			missing_add(next, arena_printf(next->arena, "--%s=%s", names[i], path),
				    err);
	}
}

/* A directory that is the running agent's, by whatever path, gets its name. */
static void directory_name(struct next *next, const char *name)
{
	const struct mesos_flag *flag = mesos_flag_find(mesos_span_of(name));
	struct flag_value *slot = &next->flags[flag - mesos_flag_table];
	char running[PATH_MAX];
	struct stat a, b;

	if (slot->value && agent_flag(next->agent->pid, name, running, sizeof(running)) &&
	    stat(slot->value, &a) == 0 && stat(running, &b) == 0 && a.st_dev == b.st_dev &&
	    a.st_ino == b.st_ino)
		slot->value = arena_text(next->arena, running);
}

static void next_emit(struct next *next, const char *unit, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_NEXT_START, .mono = now_mono() };
	const struct next_start_options *options = next->options;

	fact.next_start.pid = next->agent->pid;
	fact.next_start.start = next->agent->start;
	fact.next_start.unit = options->unit ? options->unit : unit;
	fact.next_start.program = next->program;
	fact.next_start.version = options->version;
	fact.next_start.known = next->problem ? EW_NO : EW_YES;
	fact.next_start.problem = next->problem;
	fact.next_start.named = options->unit || options->n_env;
	fact.next_start.sources = next->sources.v;
	fact.next_start.n_sources = next->sources.n;
	fact.next_start.missing = next->missing.v;
	fact.next_start.n_missing = next->missing.n;
	fact.next_start.twice = next->twice.v;
	fact.next_start.n_twice = next->twice.n;
	fact_emit(sink, &fact);
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		if (next->flags[i].value)
			flag_emit(next, "next", i, &next->flags[i], sink);
}

/* The command line wins over the environment: it is looked at last. */
static void flags_of_environment(struct next *next)
{
	struct flag_value given[MESOS_FLAGS_WATCHED];

	memcpy(given, next->flags, sizeof(given));
	for (const struct env_var *var = next->env.first; var; var = var->next)
		variable_add(next, var);
	for (size_t i = 0; i < MESOS_FLAGS_WATCHED; i++)
		if (given[i].on_command_line)
			next->flags[i] = given[i];
}

void next_start_emit(const struct fact_agent *agent, const char *unit,
		     const struct next_start_options *options, const struct fact_sink *sink)
{
	struct arena *arena = arena_new();
	struct next *next = arena ? arena_array(arena, 1, sizeof(*next)) : NULL;

	if (next) {
		next->arena = next->env.arena = arena;
		next->agent = agent;
		next->options = options;
		next->root = options->root ? options->root : "";
		running_emit(next, sink);
		if (unit || options->unit)
			unit_add(next, unit);
		else
			running_add(next);
		flags_of_environment(next);
		credentials_check(next);
		directory_name(next, "work_dir");
		directory_name(next, "runtime_dir");
		next_emit(next, unit, sink);
	}
	arena_free(arena);
}
