/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/service.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bounded.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"

enum { ASK_MS = 2000, KILL_MODE_SIZE = 16, ANSWER_SIZE = 1024, UNIT_FILE_MAX = 64 * 1024 };

/* ---- which unit ---- */

static bool ends_in(const char *name, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len > suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

static bool is_unit(const char *name, size_t len)
{
	return ends_in(name, len, ".service") || ends_in(name, len, ".scope");
}

/* Holds whatever was started from a shell, or by whom: nothing stops it to restart an agent. */
static bool is_session(const char *cgroup, const char *unit)
{
	if (fnmatch("session-*.scope", unit, 0) == 0 || strcmp(unit, "init.scope") == 0 ||
	    fnmatch("user@*.service", unit, 0) == 0)
		return true;
	return strstr(cgroup, "/user.slice/") && ends_in(unit, strlen(unit), ".scope");
}

const char *service_unit_of(const char *cgroup, char *unit_cgroup)
{
	const char *unit = NULL;
	size_t end = 0;

	for (const char *at = cgroup; *at == '/';) {
		size_t len = strcspn(at + 1, "/");

		if (is_unit(at + 1, len)) {
			unit = at + 1;
			end = (size_t)(at + 1 + len - cgroup);
		}
		at += 1 + len;
	}
	if (!unit || end >= PATH_MAX)
		return NULL;
	snprintf(unit_cgroup, PATH_MAX, "%.*s", (int)end, cgroup);
	unit = unit_cgroup + (unit - cgroup);
	return is_session(unit_cgroup, unit) ? NULL : unit;
}

static bool is_inside(int32_t pid, const char *unit_cgroup)
{
	char cgroup[PATH_MAX] = "";
	size_t len = strlen(unit_cgroup);
	int dir = proc_open(pid);

	if (dir < 0)
		return false;
	proc_cgroup(dir, cgroup, sizeof(cgroup));
	close(dir);
	return strncmp(cgroup, unit_cgroup, len) == 0 &&
	       (cgroup[len] == '/' || cgroup[len] == '\0');
}

/* ---- how it is stopped ---- */

void service_kill_mode(const char *text, char *kill_mode)
{
	bool section = false;

	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[256], value[KILL_MODE_SIZE];

		snprintf(line, sizeof(line), "%.*s", (int)(len < 255 ? len : 255), text);
		text += len + (text[len] == '\n');
		if (line[0] == '[')
			section = strncmp(line, "[Service]", 9) == 0 ||
				  strncmp(line, "[Scope]", 7) == 0;
		else if (section && sscanf(line, " KillMode = %15s", value) == 1)
			memcpy(kill_mode, value, KILL_MODE_SIZE);
	}
}

static void file_read(const char *path, char *kill_mode)
{
	static char text[UNIT_FILE_MAX];

	if (proc_read(AT_FDCWD, path, text, sizeof(text)) > 0)
		service_kill_mode(text, kill_mode);
}

static int is_conf(const struct dirent *entry)
{
	return ends_in(entry->d_name, strlen(entry->d_name), ".conf");
}

static void drop_ins_read(const char *dir, char *kill_mode)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n = scandir(dir, &names, is_conf, alphasort);

	for (int i = 0; i < n; i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name) <
		    sizeof(path))
			file_read(path, kill_mode);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

/* systemd.unit(5), the more important ones last. Run in a child: writes the mode. */
static int files_work(void *ctx, int out)
{
	static const char *const dirs[] = { "/usr/lib/systemd/system", "/lib/systemd/system",
					    "/run/systemd/transient", "/run/systemd/system",
					    "/etc/systemd/system" };
	char kill_mode[KILL_MODE_SIZE] = "", path[PATH_MAX];
	const char *unit = ctx;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", dirs[i], unit);
		file_read(path, kill_mode);
	}
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s.d", dirs[i], unit);
		drop_ins_read(path, kill_mode);
	}
	return dprintf(out, "%s", kill_mode) < 0;
}

/* Run in a child. */
static int systemctl_work(void *ctx, int out)
{
	static char *const env[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	char *argv[] = { "systemctl", "show", "-p", "KillMode,MainPID", "--", ctx, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0)
		return 127;
	execve("/usr/bin/systemctl", argv, env);
	execve("/bin/systemctl", argv, env);
	return 127;
}

struct unit {
	char kill_mode[KILL_MODE_SIZE];
	int32_t main_pid; /* 0: not known */
};

static void answer_line(const char *line, struct unit *unit)
{
	sscanf(line, "KillMode=%15s", unit->kill_mode);
	sscanf(line, "MainPID=%d", &unit->main_pid);
}

static void unit_ask(const char *name, struct unit *unit)
{
	char answer[ANSWER_SIZE], *line, *rest = answer;

	if (access("/run/systemd/system", F_OK) == 0 &&
	    bounded_text(ASK_MS, systemctl_work, (void *)name, answer, sizeof(answer)) > 0)
		while ((line = strsep(&rest, "\n")))
			answer_line(line, unit);
	if (!unit->kill_mode[0])
		bounded_text(ASK_MS, files_work, (void *)name, unit->kill_mode,
			     sizeof(unit->kill_mode));
}

/*
 * Started by hand from inside of another service or container, as we are: that is not stopped when
 * the agent is restarted.
 */
static bool is_anothers(const struct fact_agent *agent, int32_t ppid, const char *unit_cgroup,
			const struct unit *unit)
{
	bool own = unit->main_pid == agent->pid || (unit->main_pid && unit->main_pid == ppid);

	return !own && is_inside(getpid(), unit_cgroup) && is_inside(ppid, unit_cgroup);
}

void service_emit(const struct fact_agent *agent, int32_t ppid, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SERVICE, .mono = now_mono() };
	char cgroup[PATH_MAX];
	struct unit unit = { .main_pid = 0 };
	const char *name = service_unit_of(agent->cgroup, cgroup);

	if (name)
		unit_ask(name, &unit);
	if (name && is_anothers(agent, ppid, cgroup, &unit))
		name = NULL;
	fact.service.pid = agent->pid;
	fact.service.start = agent->start;
	fact.service.unit = name ? name : "";
	fact.service.cgroup = name ? cgroup : "";
	fact.service.kill_mode = name ? unit.kill_mode : "";
	fact_emit(sink, &fact);
}
