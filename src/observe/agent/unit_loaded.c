/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What systemd has loaded for a unit: the answer of systemctl show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bounded.h"
#include "base/text_list.h"
#include "facts.h"
#include "observe/agent/unit_parts.h"
#include "systemd/show_output.h"
#include "systemd/values.h"

enum { ASK_MS = 2000, ANSWER_SIZE = 256 * 1024 };

#define COMMANDS "ExecCondition,ExecStartPre,ExecStart,ExecReload,ExecStop,ExecStopPost"

/* Run in a child. */
static int systemctl_work(void *ctx, int out)
{
	char *argv[] = { "systemctl",
			 "show",
			 "-p",
			 "LoadState,KillMode,KillSignal,RestartKillSignal,MainPID,SendSIGKILL,"
			 "TimeoutStartUSec,TimeoutStopUSec,Delegate,NeedDaemonReload,FragmentPath,"
			 "DropInPaths,Restart,RestartUSec," COMMANDS,
			 "--",
			 ctx,
			 NULL };

	return bounded_exec(argv, out);
}

/* NULL: systemd does not run here, or does not know the unit. */
const char *unit_loaded_ask(struct arena *arena, const char *unit)
{
	char *answer = arena_array(arena, ANSWER_SIZE, 1);
	const char *state;

	if (!answer || access("/run/systemd/system", F_OK) < 0 ||
	    bounded_text(ASK_MS, 0, systemctl_work, (void *)unit, answer, ANSWER_SIZE) <= 0)
		return NULL;
	state = show_output_value(arena, answer, "LoadState");
	return state && strcmp(state, "loaded") == 0 ? answer : NULL;
}

/* systemctl prints a signal's number. */
static const char *signal_text(struct arena *arena, const char *signal)
{
	const char *name =
		signal && *signal >= '0' && *signal <= '9' ? sigabbrev_np(atoi(signal)) : NULL;

	return name ? arena_printf(arena, "SIG%s", name) : signal;
}

static void loaded_steps(struct arena *arena, const char *answer, struct text_list *steps)
{
	const char *value, *command;

	for (size_t i = 0; i < UNIT_COMMAND_KEYS; i++) {
		const char *rest = answer;

		while ((value = show_output_next(arena, &rest, unit_command_keys[i])))
			if ((command = show_output_command(arena, value)))
				text_list_add(arena, steps,
					      arena_printf(arena, "%s=%s", unit_command_keys[i],
							   command));
	}
	value = show_output_value(arena, answer, "KillSignal");
	if (value)
		unit_signals_add(
			arena, signal_text(arena, value),
			signal_text(arena, show_output_value(arena, answer, "RestartKillSignal")),
			steps);
}

void unit_loaded_fill(struct arena *arena, const char *answer, struct fact_service *service)
{
	const char *pid = show_output_value(arena, answer, "MainPID");
	struct text_list steps = { 0 };

	service->from = "systemctl";
	service->kill_mode = show_output_value(arena, answer, "KillMode");
	service->restart = show_output_value(arena, answer, "Restart");
	service->main_pid = pid ? (int32_t)strtol(pid, NULL, 10) : 0;
	service->send_sigkill = systemd_bool(show_output_value(arena, answer, "SendSIGKILL"));
	service->delegate = systemd_bool(show_output_value(arena, answer, "Delegate"));
	service->need_reload = systemd_bool(show_output_value(arena, answer, "NeedDaemonReload"));
	service->start_timeout = unit_span(show_output_value(arena, answer, "TimeoutStartUSec"));
	service->stop_timeout = unit_span(show_output_value(arena, answer, "TimeoutStopUSec"));
	service->restart_delay = unit_span(show_output_value(arena, answer, "RestartUSec"));
	loaded_steps(arena, answer, &steps);
	service->steps = steps.v;
	service->n_steps = steps.n;
}
