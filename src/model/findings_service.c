/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the unit that runs the agent does when it is stopped and started again: systemd.service(5),
 * systemd.kill(5), systemd 252.
 */
#include <string.h>

#include "base/arena.h"
#include "base/cgroup_path.h"
#include "base/now.h"
#include "model/judge/condition.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

#define SLICE "mesos_executors.slice"

struct subject {
	const struct executors *view;
	const struct fact_service *service;
	int32_t agent; /* pid */
	struct report *report;
	struct arena *arena;
};

static void add(const struct subject *s, enum finding finding, enum severity severity,
		const char *evidence, const char *cure)
{
	finding_add(s->view->store, s->report, finding, severity, evidence, cure);
}

static bool is(const char *text, const char *word)
{
	return strcmp(text, word) == 0;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* True when stopping the unit ends all that is in its cgroup. */
static bool kills_all(const char *kill_mode)
{
	return is(kill_mode, "control-group") || is(kill_mode, "mixed");
}

/* ---- executors in and outside of its cgroup ---- */

static bool is_ours(const struct executors *view, const struct executor *executor)
{
	return executor->process->key.pid && identity_of(view->store, executor) == WHOSE_OURS;
}

static size_t executors_inside(const struct subject *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->view->n_executors; i++) {
		const struct executor *executor = &s->view->executors[i];

		n += is_ours(s->view, executor) &&
		     cgroup_path_is_in(executor->process->facts.cgroup, s->service->cgroup);
	}
	return n;
}

/* ---- the loaded unit and its files ---- */

/*
 * Upgrades of packages reload: then the files count. A drop-in that spares the executors and is not
 * loaded spares nobody.
 */
static void not_reloaded(const struct subject *s)
{
	const struct fact_service *service = s->service;
	bool kills = kills_all(service->file_kill_mode) && !kills_all(service->kill_mode) &&
		     executors_inside(s);

	if (service->need_reload != EW_YES)
		return;
	add(s, FINDING_UNIT_NOT_RELOADED, kills ? SEVERITY_CRITICAL : SEVERITY_WARNING,
	    arena_printf(s->arena, "The files of %s have changed since systemd loaded them%s%s.%s",
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

/* ---- what dies with the unit ---- */

/*
 * A logger reads the executor's output from a pipe; Mesos keeps it alive by the slice (Mesos
 * slave/container_loggers/lib_logrotate.cpp, extendLifetime).
 */
static void loggers_die(const struct subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->n_loggers || is(service->kill_mode, "process") ||
	    is(service->kill_mode, "none"))
		return;
	add(s, FINDING_LOGGER_SAME_FATE, SEVERITY_CRITICAL,
	    arena_printf(s->arena,
			 "%zu container loggers are in the cgroup of %s, whose KillMode "
			 "is %s: %s.",
			 service->n_loggers, service->unit,
			 *service->kill_mode ? service->kill_mode : "not known",
			 finding_texts(s->arena, service->loggers, service->n_loggers)),
	    arena_printf(s->arena,
			 "Set KillMode=process in the [Service] section "
			 "(systemctl edit %s), run systemctl "
			 "daemon-reload, then audit again.",
			 service->unit));
}

/* An agent in a container has its executors there, which no slice of the host holds. */
static bool counts_for_slice(const struct subject *s, const struct executor *executor)
{
	const char *cgroup = executor->process->facts.cgroup;

	return is_ours(s->view, executor) && *cgroup && !strstr(cgroup, "docker") &&
	       /* in there: it has the verdict same-fate, or KillMode spares it */
	       !cgroup_path_is_in(cgroup, s->service->cgroup);
}

/*
 * With systemd support on, Mesos moves each executor to its slice and warns at recovery of a pid
 * that is not there (Mesos slave/containerizer/mesos/linux_launcher.cpp, recover()).
 */
static void outside_slice(const struct subject *s)
{
	size_t inside = 0, outside = 0;
	const char *where = "";
	int32_t pid = 0;

	for (size_t i = 0; i < s->view->n_executors; i++) {
		const struct executor *executor = &s->view->executors[i];

		if (!counts_for_slice(s, executor))
			continue;
		if (strstr(executor->process->facts.cgroup, "/" SLICE)) {
			inside++;
			continue;
		}
		outside++;
		pid = executor->process->key.pid;
		where = executor->process->facts.cgroup;
	}
	if (!inside || !outside)
		return;
	add(s, FINDING_EXECUTOR_OUTSIDE_SLICE, SEVERITY_WARNING,
	    arena_printf(s->arena,
			 "%zu of %zu executors are not in " SLICE ": process %d is in %s.", outside,
			 inside + outside, pid, where),
	    "Do not stop that unit or session before their tasks have moved "
	    "away.");
}

/*
 * KillMode=process ends the main process alone. Where that is a shell with the agent as its child,
 * the agent lives on and keeps its port.
 */
static void wrapper_is_main(const struct subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->main_pid || service->main_pid == s->agent || kills_all(service->kill_mode) ||
	    !*service->kill_mode)
		return;
	add(s, FINDING_MAIN_PID_IS_A_WRAPPER, SEVERITY_CRITICAL,
	    arena_printf(s->arena,
			 "The main process of %s is %d, not the agent (%d), and its "
			 "KillMode is %s.",
			 service->unit, service->main_pid, s->agent, service->kill_mode),
	    "Let the wrapper exec the agent, and stop this agent by "
	    "SIGTERM to its pid.");
}

/* ---- clocks ---- */

static void stop_unbounded(const struct subject *s)
{
	const struct fact_service *service = s->service;
	const char *why =
		service->stop_timeout < 0 ? "TimeoutStopSec is infinity" : "SendSIGKILL is no";

	if (service->stop_timeout >= 0 && service->send_sigkill != EW_NO)
		return;
	add(s, FINDING_STOP_UNBOUNDED, SEVERITY_WARNING,
	    arena_printf(s->arena, "%s of %s.", why, service->unit),
	    arena_printf(s->arena,
			 "Set SendSIGKILL=yes and TimeoutStopSec=30 "
			 "(systemctl edit %s), run systemctl "
			 "daemon-reload.",
			 service->unit));
}

/* The shortest recovery timeout of an executor of ours, ns; 0: none is known. */
static int64_t shortest_recovery(const struct executors *view)
{
	int64_t shortest = 0;

	for (size_t i = 0; i < view->n_executors; i++) {
		int64_t timeout = view->executors[i].process->facts.recovery_timeout;

		if (is_ours(view, &view->executors[i]) && timeout &&
		    (!shortest || timeout < shortest))
			shortest = timeout;
	}
	return shortest;
}

/* Only a start that fails waits for RestartSec; `systemctl restart` itself does not. */
static void restart_delay(const struct subject *s)
{
	int64_t recovery = shortest_recovery(s->view), delay = s->service->restart_delay;
	int64_t master = store_master_timeout(s->view->store);
	bool after_executors = recovery && delay >= recovery;

	if (!after_executors && (!master || delay < master))
		return;
	add(s, FINDING_RESTART_DELAY, SEVERITY_WARNING,
	    arena_printf(s->arena, "RestartSec of %s is %lld s, %s (%lld s).", s->service->unit,
			 (long long)(delay / NS_PER_S),
			 after_executors ? "not less than the shortest recovery "
					   "timeout of its executors"
					 : "not less than the master's patience",
			 (long long)((after_executors ? recovery : master) / NS_PER_S)),
	    arena_printf(s->arena,
			 "Set RestartSec=5 (systemctl edit %s), run "
			 "systemctl daemon-reload.",
			 s->service->unit));
}

/* ---- steps before the start ---- */

static void steps_missing(const struct subject *s)
{
	const struct fact_service *service = s->service;

	if (!service->n_missing)
		return;
	add(s, FINDING_START_CANNOT_RUN, SEVERITY_CRITICAL,
	    arena_printf(s->arena, "What %s runs when it starts cannot be run: %s.", service->unit,
			 finding_texts(s->arena, service->missing, service->n_missing)),
	    "Install the program or correct the line before the restart.");
}

/* Steps whose failure keeps the agent from starting: "ExecStartPre=" without "-". */
static size_t steps_that_count(const struct subject *s, const char **first)
{
	size_t n = 0;

	for (size_t i = 0; i < s->service->n_file_steps; i++) {
		const char *step = s->service->file_steps[i], *value;

		if (!begins(step, "ExecStartPre="))
			continue;
		value = step + strlen("ExecStartPre=");
		if (memchr(value, '-', strspn(value, "@-:+!|")))
			continue;
		*first = n++ ? *first : step;
	}
	return n;
}

static void steps_untried(const struct subject *s)
{
	const char *first = "";
	size_t n = steps_that_count(s, &first);

	if (!n || s->service->changed != EW_YES)
		return;
	add(s, FINDING_PRE_STEP_UNTRIED, SEVERITY_WARNING,
	    arena_printf(s->arena,
			 "%s is newer than the agent's process, and %s has %zu steps that "
			 "have to succeed before the agent starts: %s%s.",
			 s->service->changed_file, s->service->unit, n, first, n > 1 ? ", …" : ""),
	    "Run these steps by hand before the restart.");
}

/* ---- orders to the agent or its executors ---- */

/* Of SIGUSR1 by its number, as kill, pkill, killall, systemctl and docker take it. */
static bool has_ten(const char *text, size_t len)
{
	static const char *const forms[] = { " -10", " -s 10", " -s10", "--signal 10",
					     "--signal=10" };

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const char *at = memmem(text, len, forms[i], strlen(forms[i]));

		if (at && !strchr("0123456789", at[strlen(forms[i])] ?: ' '))
			return true;
	}
	return false;
}

/* Does a command line send SIGUSR1? The number counts behind a "kill", in the same command. */
static bool sends_usr1(const char *step)
{
	if (strstr(step, "USR1") || strstr(step, "usr1") || is(step, "KillSignal=10"))
		return true;
	for (const char *kill = step; (kill = strstr(kill, "kill")); kill += strlen("kill"))
		if (has_ten(kill, strcspn(kill, ";&|\n")))
			return true;
	return false;
}

static bool is_stop(const char *step)
{
	return begins(step, "ExecStop=") || begins(step, "ExecStopPost=") ||
	       begins(step, "ExecReload=") || begins(step, "KillSignal=");
}

/* The first step that has is(); of what is loaded, then of the files. */
static const char *step_with(const struct fact_service *service, bool (*has)(const char *step))
{
	for (size_t i = 0; i < service->n_steps; i++)
		if (has(service->steps[i]))
			return service->steps[i];
	for (size_t i = 0; i < service->n_file_steps; i++)
		if (has(service->file_steps[i]))
			return service->file_steps[i];
	return NULL;
}

static bool stops_by_usr1(const char *step)
{
	return is_stop(step) && sends_usr1(step);
}

/* Also before a start: "systemctl restart mesos_executors.slice". */
static bool ends_slice(const char *step)
{
	return strstr(step, SLICE) &&
	       (strstr(step, "stop") || strstr(step, "kill") || strstr(step, "restart"));
}

/* Mesos slave/slave.cpp, signaled(): SIGUSR1 is "unregister and shut down" (0.28 to 1.11). */
static void stops_executors(const struct subject *s)
{
	const char *usr1 = step_with(s->service, stops_by_usr1);
	const char *slice = step_with(s->service, ends_slice);

	if (usr1)
		add(s, FINDING_STOP_SENDS_SIGUSR1, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "%s has %s.", s->service->unit, usr1),
		    "Stop the agent by SIGTERM: remove that line.");
	if (slice)
		add(s, FINDING_STOP_ENDS_SLICE, SEVERITY_CRITICAL,
		    arena_printf(s->arena, "%s has %s.", s->service->unit, slice),
		    "Remove that line.");
}

/* The command of `run`. Another program's SIGUSR1 is nothing to an agent. */
static void command_orders(const struct store *store, struct report *report)
{
	const char *command = store->session.command;
	bool agents;

	if (!command || report_has_outcomes(report))
		return;
	agents = strstr(command, "mesos") != NULL;
	if (sends_usr1(command))
		finding_add(store, report, FINDING_STOP_SENDS_SIGUSR1,
			    agents ? SEVERITY_CRITICAL : SEVERITY_WARNING,
			    arena_printf(report->arena, "The command of run sends SIGUSR1: %s.",
					 command),
			    "Stop the agent by SIGTERM, or by systemctl.");
	if (ends_slice(command))
		finding_add(store, report, FINDING_STOP_ENDS_SLICE, SEVERITY_CRITICAL,
			    arena_printf(report->arena, "The command of run is %s.", command),
			    "Restart the agent's unit alone.");
}

void findings_service_fill(const struct executors *view, struct report *report)
{
	const struct agent *agent = store_agent(view->store);
	const struct fact_service *service = agent ? store_service(view->store, agent) : NULL;
	struct subject subject = {
		.view = view, .service = service, .report = report, .arena = report->arena
	};

	command_orders(view->store, report);
	if (!service || !*service->unit)
		return;
	subject.agent = agent->facts.pid;
	not_reloaded(&subject);
	loggers_die(&subject);
	outside_slice(&subject);
	wrapper_is_main(&subject);
	stop_unbounded(&subject);
	restart_delay(&subject);
	steps_missing(&subject);
	steps_untried(&subject);
	stops_executors(&subject);
}
