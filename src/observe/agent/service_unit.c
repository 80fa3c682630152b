/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/service_unit.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bounded.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/agent/unit_load.h"
#include "systemd/exec_line.h"
#include "systemd/show_output.h"
#include "systemd/unit_file.h"
#include "systemd/values.h"

enum { ASK_MS = 2000, ANSWER_SIZE = 256 * 1024, TEXTS_MAX = 256, CGROUP_DEPTH_MAX = 16 };

/* A list of texts under construction. */
struct texts {
	const char **v;
	size_t n;
};

static void texts_add(struct arena *arena, struct texts *texts, const char *text)
{
	if (!texts->v)
		texts->v = arena_array(arena, TEXTS_MAX, sizeof(*texts->v));
	if (texts->v && texts->n < TEXTS_MAX)
		texts->v[texts->n++] = text;
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

/* ---- what systemd has loaded ---- */

#define COMMANDS "ExecStartPre,ExecStart,ExecReload,ExecStop,ExecStopPost"

static const char *const command_keys[] = { "ExecStartPre", "ExecStart", "ExecReload", "ExecStop",
					    "ExecStopPost" };

enum { COMMAND_KEYS = sizeof(command_keys) / sizeof(*command_keys) };

/* Run in a child. */
static int systemctl_work(void *ctx, int out)
{
	char *argv[] = {
		"systemctl",
		"show",
		"-p",
		"LoadState,KillMode,KillSignal,MainPID,SendSIGKILL,TimeoutStopUSec,Delegate,"
		"NeedDaemonReload,FragmentPath,DropInPaths,Restart,RestartUSec," COMMANDS,
		"--",
		ctx,
		NULL
	};

	return bounded_exec(argv, out);
}

/* NULL: systemd does not run here, or does not know the unit. */
static const char *systemctl_ask(struct arena *arena, const char *unit)
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
	const char *name = *signal >= '0' && *signal <= '9' ? sigabbrev_np(atoi(signal)) : NULL;

	return name ? arena_printf(arena, "SIG%s", name) : signal;
}

static void loaded_steps(struct arena *arena, const char *answer, struct texts *steps)
{
	const char *signal = show_output_value(arena, answer, "KillSignal"), *value, *command;

	for (size_t i = 0; i < COMMAND_KEYS; i++) {
		const char *rest = answer;

		while ((value = show_output_next(arena, &rest, command_keys[i])))
			if ((command = show_output_command(arena, value)))
				texts_add(arena, steps,
					  arena_printf(arena, "%s=%s", command_keys[i], command));
	}
	if (signal)
		texts_add(arena, steps,
			  arena_printf(arena, "KillSignal=%s", signal_text(arena, signal)));
}

static int64_t span_of(const char *text)
{
	int64_t ns;

	return systemd_span_parse(text, &ns) == 0 ? ns : 0;
}

static void loaded_fill(struct arena *arena, const char *answer, struct fact_service *service)
{
	const char *pid = show_output_value(arena, answer, "MainPID");
	struct texts steps = { 0 };

	service->from = "systemctl";
	service->kill_mode = show_output_value(arena, answer, "KillMode");
	service->restart = show_output_value(arena, answer, "Restart");
	service->main_pid = pid ? (int32_t)strtol(pid, NULL, 10) : 0;
	service->send_sigkill = systemd_bool(show_output_value(arena, answer, "SendSIGKILL"));
	service->delegate = systemd_bool(show_output_value(arena, answer, "Delegate"));
	service->need_reload = systemd_bool(show_output_value(arena, answer, "NeedDaemonReload"));
	service->stop_timeout = span_of(show_output_value(arena, answer, "TimeoutStopUSec"));
	service->restart_delay = span_of(show_output_value(arena, answer, "RestartUSec"));
	loaded_steps(arena, answer, &steps);
	service->steps = steps.v;
	service->n_steps = steps.n;
}

/* ---- what the files say ---- */

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

static void file_steps(struct arena *arena, const struct loaded_unit *unit, struct texts *steps)
{
	for (size_t i = 0; i < COMMAND_KEYS; i++) {
		const struct unit_line *lines;
		size_t n;

		lines = unit_setting_list(unit->settings, section_of(unit->name), command_keys[i],
					  &n);
		for (size_t at = 0; lines && at < n; at++)
			texts_add(arena, steps,
				  arena_printf(arena, "%s=%s", command_keys[i], lines[at].value));
	}
	texts_add(arena, steps,
		  arena_printf(arena, "KillSignal=%s", setting(unit, "KillSignal", "SIGTERM")));
}

/*
 * Where systemd cannot be asked. Settings that systemd's own configuration may preset stay unknown
 * when the files lack them (systemd-system.conf(5), DefaultTimeoutStopSec=).
 */
static void files_as_loaded(const struct loaded_unit *unit, struct fact_service *service)
{
	const char *stop = setting(unit, "TimeoutStopSec", NULL);

	service->from = "files";
	service->kill_mode = service->file_kill_mode;
	service->restart = setting(unit, "Restart", "no");
	service->send_sigkill = systemd_bool(setting(unit, "SendSIGKILL", "yes"));
	service->delegate = systemd_bool(setting(unit, "Delegate", "no"));
	if (service->delegate == EW_UNKNOWN)
		service->delegate = EW_YES; /* a list of controllers */
	service->stop_timeout = span_of(stop ? stop : setting(unit, "TimeoutSec", NULL));
	service->restart_delay = span_of(setting(unit, "RestartSec", NULL));
	service->steps = service->file_steps;
	service->n_steps = service->n_file_steps;
}

/* ---- files that systemd has not loaded ---- */

/* /lib is /usr/lib. */
static const char *without_usr(const char *path)
{
	return strncmp(path, "/usr/lib/", 9) == 0 ? path + 4 : path;
}

static bool is_among(const struct texts *texts, const char *path)
{
	for (size_t i = 0; i < texts->n; i++)
		if (strcmp(without_usr(texts->v[i]), without_usr(path)) == 0)
			return true;
	return false;
}

static void loaded_paths(struct arena *arena, const char *answer, struct texts *paths)
{
	const char *fragment = show_output_value(arena, answer, "FragmentPath");
	const char *rest = show_output_value(arena, answer, "DropInPaths");

	if (fragment)
		texts_add(arena, paths, fragment);
	while (rest && *rest) {
		size_t len = strcspn(rest, " ");

		if (len)
			texts_add(arena, paths, arena_span(arena, rest, len));
		rest += len + (rest[len] == ' ');
	}
}

/*
 * NeedDaemonReload says no of a drop-in whose directory is new: systemd looks for drop-ins in the
 * directories that it knew when it loaded the unit (basic/unit-file.c, unit_path_cache; 252).
 */
static bool has_other_files(struct arena *arena, const char *answer,
			    const struct loaded_unit *files)
{
	struct texts loaded = { 0 };

	loaded_paths(arena, answer, &loaded);
	for (size_t i = 0; i < files->n; i++)
		if (!is_among(&loaded, files->paths[i]))
			return true;
	for (size_t i = 0; i < loaded.n; i++)
		if (access(loaded.v[i], F_OK) < 0 && errno == ENOENT)
			return true;
	return false;
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
static int program_check(const char *program)
{
	static const char *const path[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
					    "/usr/bin",	       "/sbin",		 "/bin" };
	char full[PATH_MAX];

	if (*program == '/')
		return file_check(program);
	for (size_t i = 0; i < sizeof(path) / sizeof(*path); i++) {
		snprintf(full, sizeof(full), "%s/%s", path[i], program);
		if (file_check(full) == 0)
			return 0;
	}
	return -ENOENT;
}

/* Only what a failure of keeps the service from starting. */
static void step_check(struct arena *arena, const char *unit, const char *step,
		       struct texts *missing)
{
	const char *value = strchr(step, '=') + 1;
	bool pre = strncmp(step, "ExecStartPre=", 13) == 0;
	struct exec_line line;
	int err;

	if (!pre && strncmp(step, "ExecStart=", 10) != 0)
		return;
	if (exec_line_parse(arena, value, unit, &line) < 0)
		texts_add(arena, missing, arena_printf(arena, "%s: Invalid argument", step));
	else if (!line.unknown && !(pre && line.ignores_failure) && !strchr(line.program, '$') &&
		 (err = program_check(line.program)) < 0)
		texts_add(arena, missing,
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

static void files_fill(struct arena *arena, const struct loaded_unit *unit,
		       struct fact_service *service)
{
	struct texts steps = { 0 }, missing = { 0 };

	service->file_kill_mode = setting(unit, "KillMode", "control-group");
	file_steps(arena, unit, &steps);
	for (size_t i = 0; i < steps.n; i++)
		step_check(arena, unit->name, steps.v[i], &missing);
	service->file_steps = steps.v;
	service->n_file_steps = steps.n;
	service->missing = missing.v;
	service->n_missing = missing.n;
	service->files = unit->paths;
	service->n_files = unit->n;
	service->changed = unit->changed > wall_of_start(service->start) ? EW_YES : EW_NO;
	service->changed_file = service->changed == EW_YES ? unit->changed_path : "";
}

/* ---- how the two differ ---- */

static void differ(struct arena *arena, struct texts *differs, const char *name, const char *loaded,
		   const char *files)
{
	if (strcmp(or_empty(loaded), or_empty(files)) != 0)
		texts_add(arena, differs,
			  arena_printf(arena, "%s: %s is loaded, the files say %s", name,
				       or_empty(loaded), or_empty(files)));
}

/* Quotes and blanks are not kept by systemctl. */
static bool same_command(const char *a, const char *b)
{
	static const char skipped[] = " \t\"'@+!:|\\";

	for (;; a++, b++) {
		a += strspn(a, skipped);
		b += strspn(b, skipped);
		if (*a != *b || !*a)
			return *a == *b;
	}
}

static bool has_step(const char *const *steps, size_t n, const char *step)
{
	for (size_t i = 0; i < n; i++)
		if (same_command(steps[i], step))
			return true;
	return false;
}

static void steps_differ(struct arena *arena, const struct fact_service *service,
			 struct texts *differs)
{
	for (size_t i = 0; i < service->n_steps; i++)
		if (!has_step(service->file_steps, service->n_file_steps, service->steps[i]))
			texts_add(arena, differs,
				  arena_printf(arena, "%s is loaded, and not in the files",
					       service->steps[i]));
	for (size_t i = 0; i < service->n_file_steps; i++)
		if (!has_step(service->steps, service->n_steps, service->file_steps[i]))
			texts_add(arena, differs,
				  arena_printf(arena, "%s is in the files, and not loaded",
					       service->file_steps[i]));
}

static void differs_fill(struct arena *arena, struct fact_service *service)
{
	struct texts differs = { 0 };

	differ(arena, &differs, "KillMode", service->kill_mode, service->file_kill_mode);
	steps_differ(arena, service, &differs);
	service->differs = differs.v;
	service->n_differs = differs.n;
}

/* ---- container loggers in the unit's cgroup ---- */

/* comm is cut at 15 bytes: mesos-logrotate-logger, mesos-journald-logger. */
static void logger_add(struct arena *arena, struct texts *loggers, int32_t pid)
{
	struct proc_stat stat;

	if (proc_stat_of(pid, &stat) == 0 && (strncmp(stat.comm, "mesos-logrotate", 15) == 0 ||
					      strncmp(stat.comm, "mesos-journald-", 15) == 0))
		texts_add(arena, loggers, arena_printf(arena, "%d %s", pid, stat.comm));
}

static void cgroup_read(struct arena *arena, const char *path, struct texts *loggers, int depth)
{
	FILE *procs = fopen(arena_printf(arena, "%s/cgroup.procs", path), "re");
	DIR *dir = depth < CGROUP_DEPTH_MAX ? opendir(path) : NULL;
	struct dirent *entry;
	int32_t pid;

	while (procs && fscanf(procs, "%d", &pid) == 1)
		logger_add(arena, loggers, pid);
	if (procs)
		fclose(procs);
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			cgroup_read(arena, arena_printf(arena, "%s/%s", path, entry->d_name),
				    loggers, depth + 1);
	if (dir)
		closedir(dir);
}

static void loggers_fill(struct arena *arena, const char *cgroup, struct fact_service *service)
{
	static const char *const roots[] = { "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup" };
	struct texts loggers = { 0 };

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		const char *path = arena_printf(arena, "%s%s", roots[i], cgroup);

		if (access(path, F_OK) < 0)
			continue;
		cgroup_read(arena, path, &loggers, 0);
		break;
	}
	service->loggers = loggers.v;
	service->n_loggers = loggers.n;
}

/* ---- the whole ---- */

static const char *load_problem(int err)
{
	return err == -ENOLINK ? "the unit is masked" : strerror(-err);
}

void service_unit_read(struct arena *arena, const char *unit, const char *cgroup,
		       struct fact_service *service)
{
	const char *answer = systemctl_ask(arena, unit);
	struct loaded_unit files;
	int err = unit_load(arena, "", unit, NULL, &files);

	service->unit = unit;
	service->cgroup = cgroup;
	if (err < 0)
		service->problem = load_problem(err);
	else
		files_fill(arena, &files, service);
	if (answer)
		loaded_fill(arena, answer, service);
	else if (!err)
		files_as_loaded(&files, service);
	if (answer && !err && has_other_files(arena, answer, &files))
		service->need_reload = EW_YES;
	if (answer && !err && service->need_reload == EW_YES)
		differs_fill(arena, service);
	loggers_fill(arena, cgroup, service);
}
