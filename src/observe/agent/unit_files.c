/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of a unit say, and whether what they name can be run. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/now.h"
#include "base/text_list.h"
#include "facts.h"
#include "observe/agent/unit_host.h"
#include "observe/agent/unit_load.h"
#include "observe/agent/unit_parts.h"
#include "systemd/exec_line.h"
#include "systemd/specifiers.h"
#include "systemd/unit_file.h"
#include "systemd/values.h"

static const char *section_of(const char *unit)
{
	const char *dot = strrchr(unit, '.');

	return dot && strcmp(dot, ".scope") == 0 ? "Scope" : "Service";
}

static const char *setting(const struct loaded_unit *unit, const char *key, const char *preset)
{
	const char *value = unit_setting(unit->settings, section_of(unit->name), key);

	return value ? value : preset;
}

/* As systemctl shows them: with their specifiers expanded. */
static void file_steps(struct arena *arena, const struct loaded_unit *unit,
		       const struct specifiers *specifiers, struct text_list *steps)
{
	bool unknown = false;

	for (size_t i = 0; i < UNIT_COMMAND_KEYS; i++) {
		const struct unit_line *lines;
		size_t n;

		lines = unit_setting_list(unit->settings, section_of(unit->name),
					  unit_command_keys[i], &n);
		for (size_t at = 0; lines && at < n; at++)
			text_list_add(arena, steps,
				      arena_printf(arena, "%s=%s", unit_command_keys[i],
						   specifiers_expand(arena, specifiers,
								     lines[at].value, &unknown)));
	}
	unit_signals_add(arena, setting(unit, "KillSignal", "SIGTERM"),
			 setting(unit, "RestartKillSignal", NULL), steps);
}

/*
 * Where systemd cannot be asked. Settings that systemd's own configuration may preset stay unknown
 * when the files lack them (systemd-system.conf(5), DefaultTimeoutStopSec=).
 */
void unit_files_as_loaded(const struct loaded_unit *unit, struct fact_service *service)
{
	const char *start = setting(unit, "TimeoutStartSec", NULL);
	const char *stop = setting(unit, "TimeoutStopSec", NULL);

	service->from = "files";
	service->kill_mode = service->file_kill_mode;
	service->restart = setting(unit, "Restart", "no");
	service->send_sigkill = systemd_bool(setting(unit, "SendSIGKILL", "yes"));
	service->delegate = systemd_bool(setting(unit, "Delegate", "no"));
	if (service->delegate == EW_UNKNOWN)
		service->delegate = EW_YES; /* a list of controllers */
	service->start_timeout = unit_span(start ? start : setting(unit, "TimeoutSec", NULL));
	service->stop_timeout = unit_span(stop ? stop : setting(unit, "TimeoutSec", NULL));
	service->restart_delay = unit_span(setting(unit, "RestartSec", NULL));
	service->steps = service->file_steps;
	service->n_steps = service->n_file_steps;
}

/* ---- programs that cannot be run ---- */

/*
 * What execve(2) would say of the file. Where it lies behind a directory that may not be searched
 * here (execwatch has dropped its capabilities), nothing is wrong as far as is known.
 */
static int file_check(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return errno == EACCES ? 0 : -errno;
	return S_ISREG(st.st_mode) && st.st_mode & 0111 ? 0 : -EACCES;
}

/* 0, or why the program cannot be run (systemd.service(5), Command lines). */
static int program_check(struct arena *arena, const char *root, const char *program)
{
	static const char *const path[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					    "/usr/bin",	       "/sbin",		 "/bin" };

	if (*program == '/')
		return file_check(arena_printf(arena, "%s%s", root, program));
	for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++)
		if (file_check(arena_printf(arena, "%s%s/%s", root, path[i], program)) == 0)
			return 0;
	return -ENOENT;
}

/* A program that cannot be run gives status 203: an ExecCondition= that does not hold. */
static bool is_before_start(const char *step)
{
	return strncmp(step, "ExecStartPre=", 13) == 0 || strncmp(step, "ExecCondition=", 14) == 0;
}

/* Only what a failure of keeps the service from starting. */
static void step_check(struct arena *arena, const char *root, const char *step,
		       struct text_list *missing)
{
	const char *value = strchr(step, '=') + 1;
	bool pre = is_before_start(step);
	const struct specifiers none = { 0 }; /* they have been expanded */
	struct exec_line line;
	int err;

	if (!pre && strncmp(step, "ExecStart=", 10) != 0)
		return;
	if (exec_line_parse(arena, value, &none, &line) < 0)
		text_list_add(arena, missing, arena_printf(arena, "%s: Invalid argument", step));
	else if (!(pre && line.ignores_failure) && !strpbrk(line.program, "$%") &&
		 (err = program_check(arena, root, line.program)) < 0)
		text_list_add(arena, missing,
			      arena_printf(arena, "%.*s=%s: %s", (int)(value - 1 - step), step,
					   line.program, strerror(-err)));
}

/* ---- newer than the agent ---- */

/* When the process was started, CLOCK_REALTIME: ticks since boot count suspended time too. */
static int64_t wall_of_start(uint64_t start)
{
	struct timespec boot;
	/* start is cut to a tick */
	int64_t since_boot = (int64_t)(start + 1) * (NS_PER_S / sysconf(_SC_CLK_TCK));

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return now_wall() - (boot.tv_sec * NS_PER_S + boot.tv_nsec) + since_boot;
}

void unit_files_fill(struct arena *arena, const char *root, const struct loaded_unit *unit,
		     struct fact_service *service)
{
	struct text_list steps = { 0 }, missing = { 0 };
	struct specifiers specifiers;

	unit_host_fill(arena, root, unit->name, &specifiers);
	service->file_kill_mode = setting(unit, "KillMode", "control-group");
	file_steps(arena, unit, &specifiers, &steps);
	for (size_t i = 0; i < steps.n; i++)
		step_check(arena, root, steps.v[i], &missing);
	service->file_steps = steps.v;
	service->n_file_steps = steps.n;
	service->missing = missing.v;
	service->n_missing = missing.n;
	service->files = unit->paths;
	service->n_files = unit->n;
	service->changed = unit->changed > wall_of_start(service->start) ? EW_YES : EW_NO;
	service->changed_file = service->changed == EW_YES ? unit->changed_path : "";
}
