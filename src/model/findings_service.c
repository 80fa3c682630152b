/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the unit that runs the agent does when it is stopped and started again: systemd.service(5),
 * systemd.kill(5), systemd 252.
 */
#include <string.h>

#include "base/arena.h"
#include "base/cgroup_path.h"
#include "model/findings_service.h"
#include "model/judge/identity.h"

/* ---- executors in its cgroup ---- */

static size_t executors_inside(const struct service_subject *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->view->n_executors; i++) {
		const struct executor *executor = &s->view->executors[i];

		n += service_is_ours(s->view, executor) &&
		     cgroup_path_is_in(executor->process->facts.cgroup, s->service->cgroup);
	}
	return n;
}

/* ---- the loaded unit and its files ---- */

/*
 * Upgrades of packages reload: then the files count. A drop-in that spares the executors and is not
 * loaded spares nobody.
 */
static void not_reloaded(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	bool kills = service_kills_all(service->file_kill_mode) &&
		     !service_kills_all(service->kill_mode) && executors_inside(s);

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

static void steps_missing(const struct service_subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->n_missing)
		return;
	service_finding(s, FINDING_START_CANNOT_RUN, SEVERITY_CRITICAL,
			arena_printf(s->arena, "What %s runs when it starts cannot be run: %s.",
				     service->unit,
				     finding_texts(s->arena, service->missing, service->n_missing)),
			"Install the program or correct the line before the restart.");
}

static void steps_untried(const struct service_subject *s)
{
	const char *first = "";
	size_t n = service_steps_that_count(s, &first);

	if (!n || s->service->changed != EW_YES)
		return;
	service_finding(
		s, FINDING_PRE_STEP_UNTRIED, SEVERITY_WARNING,
		arena_printf(s->arena,
			     "%s is newer than the agent's process, and %s has %zu steps that "
			     "have to succeed before the agent starts: %s%s.",
			     s->service->changed_file, s->service->unit, n, first,
			     n > 1 ? ", …" : ""),
		"Run these steps by hand before the restart.");
}

/* ---- the whole ---- */

void findings_service_fill(const struct executors *view, struct report *report)
{
	const struct agent *agent = store_agent(view->store);
	const struct fact_service *service = agent ? store_service(view->store, agent) : NULL;
	struct service_subject subject = {
		.view = view, .service = service, .report = report, .arena = report->arena
	};

	command_orders_fill(view->store, report);
	if (!service || !*service->unit)
		return;
	subject.agent = agent->facts.pid;
	not_reloaded(&subject);
	service_stop_fill(&subject);
	service_clocks_fill(&subject);
	steps_missing(&subject);
	steps_untried(&subject);
	service_orders_fill(&subject);
}
