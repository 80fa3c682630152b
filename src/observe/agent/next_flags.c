/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Flags of the next start: --NAME=VALUE, MESOS_NAME, LIBPROCESS_NAME, file:// values. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "observe/agent/next.h"

static const struct next_flag *flag_of(const struct next *next, const char *name)
{
	return &next->flags[mesos_flag_find(mesos_span_of(name)) - mesos_flag_table];
}

/* "--attributes", "LIBPROCESS_SSL_KEY_FILE". */
static const char *shown_name(struct next *next, const struct mesos_flag *flag)
{
	return arena_printf(next->arena, "%s%s", mesos_flag_is_variable(flag) ? "" : "--",
			    flag->name);
}

/* The content of the file that a value names by file://. */
static void content_set(struct next *next, const struct mesos_flag *flag, struct next_flag *slot,
			const char *path)
{
	const char *text;
	size_t len;
	int err = next_agent_file_read(next, path, &text, &len);

	slot->source = path;
	slot->value = err ? "" : arena_span(next->arena, text, len);
	if (!err)
		return;
	slot->problem = arena_printf(next->arena, "%s: %s", path, strerror(-err));
	next_missing_add(
		next, arena_printf(next->arena, "%s=file://%s", shown_name(next, flag), path), err);
}

/* What file:// names is the value, but for paths. */
static void value_set(struct next *next, const struct mesos_flag *flag, struct next_flag *slot,
		      const char *value)
{
	bool is_file = strncmp(value, "file://", 7) == 0;

	slot->value = is_file && flag->kind == MESOS_FLAG_PATH ? value + 7 : value;
	/* The path of what is computed is not known. */
	if (is_file && flag->kind != MESOS_FLAG_PATH && !*slot->problem)
		content_set(next, flag, slot, value + 7);
}

/* problem: why the text is not the value that the agent will get; NULL: it is. */
static void flag_set(struct next *next, const struct mesos_flag *flag, const char *value,
		     const char *source, bool on_command_line, const char *problem)
{
	struct next_flag *slot = &next->flags[flag - mesos_flag_table];

	*slot = (struct next_flag){ .source = source,
				    .problem = problem ? problem : "",
				    .on_command_line = on_command_line };
	value_set(next, flag, slot, value);
}

/* ---- the command line ---- */

/* stout flags/flags.hpp, load(): the same name twice on the command line ends the agent. */
static void name_note(struct next *next, struct mesos_span name)
{
	const char *text = arena_span(next->arena, name.p, name.len);

	for (size_t i = 0; i < next->names.n; i++)
		if (strcmp(next->names.v[i], text) == 0) {
			text_list_add(next->arena, &next->twice, text);
			return;
		}
	text_list_add(next->arena, &next->names, text);
}

void next_argument_add(struct next *next, const char *argument, const char *source,
		       const char *problem)
{
	const char *name = argument + 2, *equals = strchr(argument, '=');
	const struct mesos_flag *flag;
	struct mesos_span span;
	bool no;

	if (strncmp(argument, "--", 2) != 0 || !argument[2])
		return;
	no = !equals && strncmp(name, "no-", 3) == 0;
	name += no ? 3 : 0;
	span = mesos_span_at(name, equals ? (size_t)(equals - name) : strlen(name));
	name_note(next, span);
	flag = mesos_flag_find(span);
	if (flag && !mesos_flag_is_variable(flag))
		flag_set(next, flag,
			 equals ? equals + 1
			 : no	? "false"
				: "true",
			 source, true, problem);
}

/* ---- the environment ---- */

static void variable_add(struct next *next, const struct env_var *var)
{
	const struct mesos_flag *flag = mesos_flag_of_variable(var->name);
	const char *problem = NULL;

	if (!flag || next->flags[flag - mesos_flag_table].on_command_line)
		return;
	if (var->computed) {
		problem = arena_printf(next->arena, "%s in %s is computed at the start", var->name,
				       var->source);
		next->problem = problem;
	}
	flag_set(next, flag, var->value, var->source, false, problem);
}

static bool is_mesos(const struct env_var *var)
{
	return strncmp(var->name, "MESOS_", 6) == 0;
}

/* Mesos slave/main.cpp: what the command prints becomes LIBPROCESS_IP. */
static void discovered_ip_drop(struct next *next)
{
	struct next_flag *ip = &next->flags[flag_of(next, "ip") - next->flags];

	if (flag_of(next, "ip_discovery_command")->value)
		*ip = (struct next_flag){ 0 };
}

void next_flags_of_environment(struct next *next)
{
	for (const struct env_var *var = next->env.first; var; var = var->next)
		if (!is_mesos(var))
			variable_add(next, var);
	for (const struct env_var *var = next->env.first; var; var = var->next)
		if (is_mesos(var))
			variable_add(next, var);
	discovered_ip_drop(next);
}

/* ---- files that flags name ---- */

static bool is_on(const struct next_flag *flag)
{
	return flag->value && !*flag->problem &&
	       (strcmp(flag->value, "true") == 0 || strcmp(flag->value, "1") == 0);
}

/* Opened, and not read: it may hold a secret. 0 or a negative errno. */
static int agent_file_try(struct next *next, const char *path)
{
	const char *here = next_agent_path(next, path);
	int fd = here ? open(here, O_RDONLY | O_NONBLOCK | O_CLOEXEC) : -1;

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static void named_file_check(struct next *next, const char *name)
{
	const struct next_flag *slot = flag_of(next, name);
	const char *path = slot->value;
	int err;

	if (!path || *path != '/' || *slot->problem)
		return;
	err = agent_file_try(next, path);
	if (err)
		next_missing_add(
			next,
			arena_printf(next->arena, "%s=%s",
				     shown_name(next, mesos_flag_find(mesos_span_of(name))), path),
			err);
}

/* A command of the shell that begins with the path of a program (Mesos slave/main.cpp). */
static void discovery_command_check(struct next *next)
{
	const struct next_flag *slot = flag_of(next, "ip_discovery_command");
	const char *command = slot->value, *path, *here;

	if (!command || *command != '/' || *slot->problem)
		return;
	path = arena_span(next->arena, command, strcspn(command, " \t;&|<>"));
	here = next_agent_path(next, path);
	if ((!here || access(here, F_OK) < 0) && errno == ENOENT)
		next_missing_add(next, arena_printf(next->arena, "--ip_discovery_command=%s", path),
				 -ENOENT);
}

/* libprocess src/openssl.cpp, reinitialize(): its files are read where SSL is on. */
void next_named_files_check(struct next *next)
{
	static const char *const always[] = { "credential", "http_credentials", "jwt_secret_key" };
	static const char *const ssl[] = { "LIBPROCESS_SSL_KEY_FILE", "LIBPROCESS_SSL_CERT_FILE",
					   "LIBPROCESS_SSL_CA_FILE" };

	discovery_command_check(next);
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		named_file_check(next, always[i]);
	for (size_t i = 0; is_on(flag_of(next, "LIBPROCESS_SSL_ENABLED")) && i < 3; i++)
		named_file_check(next, ssl[i]);
}
