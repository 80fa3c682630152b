// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Files and answers of systemd from anywhere: unit files, environment files, systemctl show.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "systemd/environment.h"
#include "systemd/exec_line.h"
#include "systemd/show_output.h"
#include "systemd/specifiers.h"
#include "systemd/unit_file.h"
#include "systemd/values.h"
#include "systemd/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static void commands(struct arena *arena, const struct unit_settings *unit,
		     const struct environment *env)
{
	const struct unit_line *lines;
	const struct specifiers specifiers = { .unit = "a@b.service", .hostname = "h.x" };
	struct exec_line line;
	size_t n;

	lines = unit_setting_list(unit, "Service", "ExecStart", &n);
	for (size_t i = 0; i < n && i < 8; i++) {
		must(*lines[i].value);
		if (exec_line_parse(arena, lines[i].value, &specifiers, &line) < 0)
			continue;
		must(*line.program);
		must(exec_line_expand(arena, env, &line) == 0);
	}
}

static void values(const struct unit_settings *unit)
{
	const char *text = unit_setting(unit, "Service", "RestartSec");
	int64_t ns;

	if (systemd_span_parse(text, &ns) == 0)
		must(ns >= SYSTEMD_INFINITY);
	systemd_bool(text);
}

static void shown(struct arena *arena, const char *text)
{
	const char *rest = text, *value;

	while ((value = show_output_next(arena, &rest, "ExecStart")))
		show_output_command(arena, value);
	must(*rest == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct arena *arena = arena_new();
	struct environment env = { .arena = arena };
	struct unit_settings *unit = unit_settings_new(arena);

	unit_settings_add(unit, text, size, "a");
	environment_add_file(&env, text, size, ENVIRONMENT_SYSTEMD, "a");
	environment_add_file(&env, text, size, ENVIRONMENT_SHELL, "b");
	environment_add_words(&env, arena_span(arena, text, size), &(struct specifiers){ 0 }, "c");
	for (const struct env_var *var = env.first; var; var = var->next)
		must(*var->name && !strchr(var->name, '='));
	commands(arena, unit, &env);
	values(unit);
	shown(arena, arena_span(arena, text, size));
	must(!arena_broken(arena));
	arena_free(arena);
	return 0;
}
