/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What dies, or lives on, when the unit that runs the agent is stopped: systemd.kill(5). */
#include <string.h>

#include "base/arena.h"
#include "base/cgroup_path.h"
#include "model/findings_service.h"

/*
 * A logger reads the executor's output from a pipe; Mesos keeps it alive by the slice (Mesos
 * slave/container_loggers/lib_logrotate.cpp, extendLifetime).
 */
static void loggers_die(const struct service_subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->n_loggers || text_is(service->kill_mode, "process") ||
	    text_is(service->kill_mode, "none"))
		return;
	service_finding(
		s, FINDING_LOGGER_SAME_FATE, SEVERITY_CRITICAL,
		arena_printf(s->arena,
			     "%zu container loggers are in the cgroup of %s, whose KillMode "
			     "is %s: %s.",
			     service->n_loggers, s->name,
			     *service->kill_mode ? service->kill_mode : "not known",
			     finding_texts(s->arena, service->loggers, service->n_loggers)),
		service_setting_cure(s, "KillMode=process"));
}

size_t service_executors_inside(const struct service_subject *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->view->n_executors; i++) {
		const struct executor *executor = &s->view->executors[i];

		n += service_is_ours(s->view, executor) &&
		     cgroup_path_is_in(executor->process->facts.cgroup, s->service->cgroup);
	}
	return n;
}

/* Under the running agent's unit as it is loaded they have the verdict same-fate. */
static void executors_die(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	size_t n = service->next && *service->cgroup ? service_executors_inside(s) : 0;

	if (!n || !service_kills_all(service->kill_mode))
		return;
	service_finding(s, FINDING_EXECUTOR_SAME_FATE, SEVERITY_CRITICAL,
			arena_printf(s->arena,
				     "%zu executors are in the cgroup %s of the agent's unit, and "
				     "the KillMode of %s, which counts once it is loaded, is %s.",
				     n, service->cgroup, s->name, service->kill_mode),
			service_setting_cure(s, "KillMode=process"));
}

/* An agent in a container has its executors there, which no slice of the host holds. */
static bool counts_for_slice(const struct service_subject *s, const struct executor *executor)
{
	const char *cgroup = executor->process->facts.cgroup;

	return service_is_ours(s->view, executor) && *cgroup && !strstr(cgroup, "docker") &&
	       /* in there: it has the verdict same-fate, or KillMode spares it */
	       !cgroup_path_is_in(cgroup, s->service->cgroup);
}

/*
 * With systemd support on, Mesos moves each executor to its slice and warns at recovery of a pid
 * that is not there (Mesos slave/containerizer/mesos/linux_launcher.cpp, recover()).
 */
static void outside_slice(const struct service_subject *s)
{
	size_t inside = 0, outside = 0;
	const char *where = "";
	int32_t pid = 0;

	for (size_t i = 0; i < s->view->n_executors; i++) {
		const struct executor *executor = &s->view->executors[i];

		if (!counts_for_slice(s, executor))
			continue;
		if (strstr(executor->process->facts.cgroup, "/" SERVICE_SLICE)) {
			inside++;
			continue;
		}
		outside++;
		pid = executor->process->key.pid;
		where = executor->process->facts.cgroup;
	}
	if (!inside || !outside)
		return;
	service_finding(s, FINDING_EXECUTOR_OUTSIDE_SLICE, SEVERITY_WARNING,
			arena_printf(s->arena,
				     "%zu of %zu executors are not in " SERVICE_SLICE
				     ": process %d is in %s.",
				     outside, inside + outside, pid, where),
			"Do not stop that unit or session before their tasks have moved "
			"away.");
}

/*
 * KillMode=process ends the main process alone. Where that is a shell with the agent as its child,
 * the agent lives on and keeps its port.
 */
static void wrapper_is_main(const struct service_subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->main_pid || service->main_pid == s->agent ||
	    service_kills_all(service->kill_mode) || !*service->kill_mode)
		return;
	service_finding(s, FINDING_MAIN_PID_IS_A_WRAPPER, SEVERITY_CRITICAL,
			arena_printf(s->arena,
				     "The main process of %s is %d, not the agent (%d), and its "
				     "KillMode is %s.",
				     s->name, service->main_pid, s->agent, service->kill_mode),
			"Let the wrapper exec the agent, and stop this agent by "
			"SIGTERM to its pid.");
}

void service_stop_fill(const struct service_subject *s)
{
	executors_die(s);
	loggers_die(s);
	if (!s->service->next)
		outside_slice(s);
	wrapper_is_main(s);
}
