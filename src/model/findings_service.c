/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the unit that runs the agent does when it is stopped and started again: systemd.service(5),
 * systemd.kill(5), systemd 252.
 */
#include <string.h>

#include "base/arena.h"
#include "model/findings_service.h"

/* ---- the loaded unit and its files ---- */

/*
 * Upgrades of packages reload: then the files count. A drop-in that spares the executors and is not
 * loaded spares nobody.
 */
static void not_reloaded(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	bool kills = service_kills_all(service->file_kill_mode) &&
		     !service_kills_all(service->kill_mode) && service_executors_inside(s);

	if (service->need_reload != EW_YES)
		return;
	service_finding(
		s, FINDING_UNIT_NOT_RELOADED, kills ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		arena_printf(
			s->arena, "The files of %s have changed since systemd loaded them%s%s.%s",
			service->unit, service->n_differs ? ": " : "",
			finding_texts(s->arena, service->differs, service->n_differs),
			kills ? " With them stopping the unit kills the executors in its cgroup."
			      : ""),
		arena_printf(s->arena,
			     kills ? "Set KillMode=process in a drop-in "
				     "(systemctl edit %s), then audit again."
				   : "Look at systemctl cat %s, run systemctl "
				     "daemon-reload, then audit again.",
			     service->unit));
}

/* ---- steps before the start ---- */

static void missing_tell(const struct service_subject *s, enum severity severity,
			 const char *const *missing, size_t n)
{
	if (n)
		service_finding(s, FINDING_START_CANNOT_RUN, severity,
				arena_printf(s->arena,
					     "What %s runs when it starts cannot be run: %s.",
					     s->name, finding_texts(s->arena, missing, n)),
				"Install the program or correct the line before the restart.");
}

/* The program of a next unit's ExecStart may come with the upgrade. */
static void steps_missing(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	const char **steps = arena_array(s->arena, service->n_missing + 1, sizeof(*steps));
	const char **programs = arena_array(s->arena, service->n_missing + 1, sizeof(*programs));
	size_t n_steps = 0, n_programs = 0;

	if (!steps || !programs)
		return;
	for (size_t i = 0; i < service->n_missing; i++) {
		if (service->next && text_begins(service->missing[i], "ExecStart="))
			programs[n_programs++] = service->missing[i];
		else
			steps[n_steps++] = service->missing[i];
	}
	missing_tell(s, SEVERITY_CRITICAL, steps, n_steps);
	missing_tell(s, SEVERITY_OK, programs, n_programs);
}

static bool has_step(const struct fact_service *service, const char *step)
{
	for (size_t i = 0; service && i < service->n_file_steps; i++)
		if (text_is(service->file_steps[i], step))
			return true;
	return false;
}

/* Of a next unit: those that the running agent's unit lacks. */
static size_t new_steps(const struct service_subject *s, const char **first)
{
	size_t n = 0;

	for (size_t i = 0; i < s->service->n_file_steps; i++) {
		const char *step = s->service->file_steps[i];

		if (service_step_counts(step) && !has_step(s->before, step))
			*first = n++ ? *first : step;
	}
	return n;
}

static void steps_untried(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	const char *first = "";
	size_t n = service->next ? new_steps(s, &first) : service_steps_that_count(s, &first);

	if (!n || (!service->next && service->changed != EW_YES))
		return;
	service_finding(
		s, FINDING_PRE_STEP_UNTRIED, SEVERITY_WARNING,
		arena_printf(s->arena,
			     "%s, and %s has %zu steps that have to succeed before the agent "
			     "starts: %s%s.",
			     service->next ? "The running agent was started without them"
					   : arena_printf(s->arena,
							  "%s is newer than the agent's process",
							  service->changed_file),
			     s->name, n, first, n > 1 ? ", …" : ""),
		"Run these steps by hand before the restart.");
}

/* ---- the whole ---- */

static void judge(const struct service_subject *s)
{
	not_reloaded(s);
	service_stop_fill(s);
	service_clocks_fill(s);
	if (s->starts) {
		steps_missing(s);
		steps_untried(s);
	}
	service_orders_fill(s);
}

/* Will this next unit, once it is loaded, be the one that stops the running agent? */
static bool replaces(const struct fact_service *next, const struct fact_service *running)
{
	return running && (strchr(next->unit, '/') || text_is(next->unit, running->unit));
}

/*
 * A next unit, which is installed and loaded before the restart or after it: what it does at a
 * stop counts then, for the processes of the running agent's unit.
 */
static void judge_next(struct service_subject s, const struct fact_service *next,
		       const struct fact_service *running)
{
	struct fact_service service = *next;

	if (replaces(next, running)) {
		service.cgroup = running->cgroup;
		service.main_pid = running->main_pid;
		service.loggers = running->loggers;
		service.n_loggers = running->n_loggers;
	}
	s.service = &service;
	s.before = running;
	s.name = arena_printf(s.arena, "%s (--next-unit)", next->unit);
	s.starts = true;
	judge(&s);
}

void findings_service_fill(const struct executors *view, struct report *report)
{
	const struct agent *agent = store_agent(view->store);
	const struct fact_service *running = agent ? store_service(view->store, agent) : NULL;
	const struct fact_service *next = agent ? store_next_service(view->store, agent) : NULL;
	struct service_subject s = { .view = view, .report = report, .arena = report->arena };

	command_orders_fill(view->store, report);
	if (!agent)
		return;
	s.agent = agent->facts.pid;
	if (running && !*running->unit)
		running = NULL;
	if (running) {
		s.service = running;
		s.name = running->unit;
		s.starts = !next;
		judge(&s);
	}
	if (next)
		judge_next(s, next, running);
}
