/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the running agent was started with, which starts again where no unit says otherwise. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/agent/agent_flags.h"
#include "observe/agent/next.h"

/* 0: none, or, with a problem, they cannot be read. */
static size_t items_read(struct next *next, const char *file, char *items)
{
	char path[PROC_PATH_MAX];
	ssize_t len = items ? proc_read(AT_FDCWD, proc_path(path, next->agent->pid, 0, file), items,
					NEXT_ITEMS_MAX)
			    : -ENOMEM;

	if (len == NEXT_ITEMS_MAX - 1)
		len = -E2BIG;
	if (len < 0)
		next->problem = arena_printf(next->arena, "the running agent's %s: %s", file,
					     strerror((int)-len));
	return len > 0 ? (size_t)len : 0;
}

void next_running_add(struct next *next)
{
	char *items = arena_array(next->arena, NEXT_ITEMS_MAX, 1);
	size_t len = items_read(next, "environ", items);

	for (size_t at = 0; at < len; at += strlen(items + at) + 1) {
		char *equals = strchr(items + at, '=');
		size_t n = equals ? (size_t)(equals - items) - at : 0;

		if (equals)
			environment_set(&next->env, arena_span(next->arena, items + at, n),
					equals + 1, "environment", false);
	}
	for (size_t i = 0; i < next->options->n_env; i++)
		next_env_file_add(next, next->options->env[i], "--next-env ", false);
	len = items_read(next, "cmdline", items);
	next->program = len ? arena_text(next->arena, items) : "";
	for (size_t at = len ? strlen(items) + 1 : 0; at < len; at += strlen(items + at) + 1)
		next_argument_add(next, arena_text(next->arena, items + at), "command-line", NULL);
	if (!len && !next->problem)
		next->problem = "the running agent has no command line";
}

void next_flag_emit(const struct next *next, const char *when, size_t i,
		    const struct next_flag *flag, const struct fact_sink *sink)
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

/* ---- what it has now ---- */

/* A process' file of items, "cmdline" or "environ". */
struct items {
	char *text;
	size_t len;
};

static bool in_cmdline(const struct items *items, const struct mesos_flag *flag, char *value)
{
	if (mesos_flag_is_variable(flag))
		return false;
	return agent_flag_in_cmdline(items->text, items->len, flag->name, value, NEXT_VALUE_MAX) ||
	       (flag->alias &&
		agent_flag_in_cmdline(items->text, items->len, flag->alias, value, NEXT_VALUE_MAX));
}

/* What MESOS_ variables say counts before those of libprocess. */
static bool in_environ(const struct items *items, const struct mesos_flag *flag, char *value)
{
	bool found = false, mesos = false;

	for (size_t at = 0; at < items->len && !mesos; at += strlen(items->text + at) + 1) {
		const char *item = items->text + at, *equals = strchr(item, '=');
		char name[128];

		if (!equals || (size_t)(equals - item) >= sizeof(name))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(equals - item), item);
		if (mesos_flag_of_variable(name) != flag)
			continue;
		mesos = strncmp(name, "MESOS_", 6) == 0;
		if (mesos || !found)
			found = (size_t)snprintf(value, NEXT_VALUE_MAX, "%s", equals + 1) <
				NEXT_VALUE_MAX;
	}
	return found;
}

static struct items items_of(struct next *next, const char *file)
{
	struct items items = { .text = arena_array(next->arena, NEXT_ITEMS_MAX, 1) };

	items.len = items_read(next, file, items.text);
	return items;
}

/*
 * What the running agent was started with. Of a file only the path is known: it may have changed.
 * Where its command line or environment cannot be read, a flag that is not found may be given.
 */
void next_running_emit(struct next *next, const struct fact_sink *sink)
{
	char *value = arena_array(next->arena, NEXT_VALUE_MAX, 1);
	struct items cmdline = items_of(next, "cmdline"), environment = items_of(next, "environ");

	for (size_t i = 0; value && i < MESOS_FLAGS_WATCHED; i++) {
		const struct mesos_flag *flag = &mesos_flag_table[i];
		struct next_flag given = { .source = "environment", .value = value };

		given.on_command_line = in_cmdline(&cmdline, flag, value);
		if (given.on_command_line) {
			given.source = "command-line";
		} else if (!in_environ(&environment, flag, value)) {
			if (!next->problem)
				continue;
			value[0] = '\0';
			given.problem = next->problem;
		}
		if (flag->kind != MESOS_FLAG_PATH && strncmp(value, "file://", 7) == 0)
			given.problem = "the file may have changed since";
		next_flag_emit(next, "running", i, &given, sink);
	}
}
