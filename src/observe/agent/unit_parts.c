/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/unit_parts.h"

#include <string.h>

#include "base/arena.h"
#include "base/text_list.h"
#include "systemd/values.h"

const char *const unit_command_keys[UNIT_COMMAND_KEYS] = { "ExecCondition", "ExecStartPre",
							   "ExecStart",	    "ExecReload",
							   "ExecStop",	    "ExecStopPost" };

int64_t unit_span(const char *text)
{
	int64_t ns;

	return systemd_span_parse(text, &ns) == 0 ? ns : 0;
}

/* A restart sends a signal of its own where one is set (systemd.kill(5), RestartKillSignal=). */
void unit_signals_add(struct arena *arena, const char *kill, const char *restart,
		      struct text_list *steps)
{
	text_list_add(arena, steps, arena_printf(arena, "KillSignal=%s", kill));
	if (restart && strcmp(restart, kill) != 0)
		text_list_add(arena, steps, arena_printf(arena, "RestartKillSignal=%s", restart));
}
