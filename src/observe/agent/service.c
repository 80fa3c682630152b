/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/agent/service.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/bounded.h"
#include "base/cgroup_path.h"
#include "base/now.h"
#include "base/proc.h"
#include "facts.h"
#include "observe/agent/bounded_emit.h"
#include "observe/agent/next_start.h"
#include "observe/agent/service_unit.h"

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
	int dir = proc_open(pid);

	if (dir < 0)
		return false;
	proc_cgroup(dir, cgroup, sizeof(cgroup));
	close(dir);
	return cgroup_path_is_in(cgroup, unit_cgroup);
}

/*
 * Started by hand from inside of another service or container, as we are: that is not stopped when
 * the agent is restarted.
 */
static bool is_anothers(const struct fact_agent *agent, int32_t ppid, const char *unit_cgroup,
			int32_t main_pid)
{
	bool own = main_pid == agent->pid || (main_pid && main_pid == ppid);

	return !own && is_inside(getpid(), unit_cgroup) && is_inside(ppid, unit_cgroup);
}

/* ---- in a child: unit files and systemctl may hang ---- */

struct work {
	const struct fact_agent *agent;
	int32_t ppid;
	const char *unit; /* NULL: none */
	const char *cgroup;
	const struct next_start_options *next;
};

static bool is_named(const struct next_start_options *next)
{
	return next->version || next->unit || next->n_env;
}

/* Returns false when it is another program's unit. */
static bool unit_emit(const struct work *work, struct arena *arena, const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SERVICE, .mono = now_mono() };
	bool own = true;

	fact.service.pid = work->agent->pid;
	fact.service.start = work->agent->start;
	if (work->unit)
		service_unit_read(arena, work->unit, work->cgroup, &fact.service);
	if (!work->unit ||
	    is_anothers(work->agent, work->ppid, work->cgroup, fact.service.main_pid)) {
		fact.service = (struct fact_service){ .pid = work->agent->pid,
						      .start = work->agent->start };
		own = false;
	}
	fact_emit(sink, &fact);
	return own;
}

static int emit_all(void *ctx, const struct fact_sink *sink, struct error *error)
{
	const struct work *work = ctx;
	struct arena *arena = arena_new();
	bool own;

	(void)error;
	if (!arena)
		return -ENOMEM;
	own = unit_emit(work, arena, sink);
	if (own || is_named(work->next))
		next_start_emit(work->agent, own ? work->unit : NULL, work->next, sink);
	arena_free(arena);
	return 0;
}

void service_emit(const struct fact_agent *agent, int32_t ppid,
		  const struct next_start_options *next, int64_t until,
		  const struct fact_sink *sink)
{
	struct fact fact = { .type = FACT_SERVICE, .mono = now_mono() };
	char cgroup[PATH_MAX];
	struct work work = { .agent = agent, .ppid = ppid, .cgroup = cgroup, .next = next };
	const char *object;

	work.unit = service_unit_of(agent->cgroup, cgroup);
	object = work.unit ? work.unit : "what starts next";
	if ((work.unit || is_named(next)) &&
	    bounded_emit(emit_all, &work, until, object, sink, NULL) == 0)
		return;
	fact.service.pid = agent->pid;
	fact.service.start = agent->start;
	fact.service.unit = work.unit;
	fact.service.cgroup = work.unit ? cgroup : NULL;
	fact_emit(sink, &fact);
}
