/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Commands that end the executors: of the agent's unit, and of run. */
#include <string.h>

#include "base/arena.h"
#include "model/command_words.h"
#include "model/findings_service.h"

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
	if (strstr(step, "USR1") || strstr(step, "usr1") || text_is(step, "KillSignal=10") ||
	    text_is(step, "RestartKillSignal=10"))
		return true;
	for (const char *kill = step; (kill = strstr(kill, "kill")); kill += strlen("kill"))
		if (has_ten(kill, strcspn(kill, ";&|\n")))
			return true;
	return false;
}

static bool is_stop(const char *step)
{
	return text_begins(step, "ExecStop=") || text_begins(step, "ExecStopPost=") ||
	       text_begins(step, "ExecReload=") || text_begins(step, "KillSignal=") ||
	       text_begins(step, "RestartKillSignal=");
}

static const char *step_among(const struct service_subject *s, const char *const *steps, size_t n,
			      bool (*has)(const char *step))
{
	for (size_t i = 0; i < n; i++)
		if ((s->starts || !service_step_starts(steps[i])) && has(steps[i]))
			return steps[i];
	return NULL;
}

/* The first step for which has() is true; of what is loaded, then of the files. */
static const char *step_with(const struct service_subject *s, bool (*has)(const char *step))
{
	const struct fact_service *service = s->service;
	const char *step = step_among(s, service->steps, service->n_steps, has);

	return step ? step : step_among(s, service->file_steps, service->n_file_steps, has);
}

static bool stops_by_usr1(const char *step)
{
	return is_stop(step) && sends_usr1(step);
}

/* Also before a start: "systemctl restart mesos_executors.slice". */
static bool ends_slice(const char *step)
{
	return strstr(step, SERVICE_SLICE) &&
	       (strstr(step, "stop") || strstr(step, "kill") || strstr(step, "restart"));
}

/* The word rm, as a program's name with or without its directory. */
static const char *rm_find(const char *text)
{
	for (const char *at = text; (at = strstr(at, "rm")); at += 2)
		if ((at == text || strchr(" /=;&|('\"", at[-1])) && (at[2] == ' ' || at[2] == '\t'))
			return at;
	return NULL;
}

/* Has it the name as the end of a path, or as a directory of one? */
static bool has_path(const char *text, size_t len, const char *name)
{
	const char *end = text + len;

	for (const char *at = text; (at = memmem(at, (size_t)(end - at), name, strlen(name)));) {
		at += strlen(name);
		if (strchr("/ \t\n'\";&|)*", *at)) /* or the text's end */
			return true;
	}
	return false;
}

/* "/var/lib/mesos/meta/slaves/latest", "…/meta": not "/etc/mesos/metadata". */
static bool names_checkpoints(const char *text, size_t len)
{
	return has_path(text, len, "/meta") || has_path(text, len, "slaves/latest");
}

/*
 * "rm -f …/meta/slaves/latest", as the log of a recovery that failed advises (Mesos
 * slave/slave.cpp, __recover(), 0.28 to 1.11): the names count behind rm, in the same command.
 */
static bool removes_checkpoints(const char *step)
{
	for (const char *rm = step; (rm = rm_find(rm)); rm += 2)
		if (names_checkpoints(rm, strcspn(rm, ";&|\n")))
			return true;
	return false;
}

/* Mesos slave/slave.cpp, signaled(): SIGUSR1 is "unregister and shut down" (0.28 to 1.11). */
void service_orders_fill(const struct service_subject *s)
{
	const char *usr1 = step_with(s, stops_by_usr1);
	const char *slice = step_with(s, ends_slice);
	const char *removes = step_with(s, removes_checkpoints);

	if (usr1)
		service_finding(s, FINDING_STOP_SENDS_SIGUSR1, SEVERITY_CRITICAL,
				arena_printf(s->arena, "%s has %s.", s->name, usr1),
				"Stop the agent by SIGTERM: remove that line.");
	if (slice)
		service_finding(s, FINDING_STOP_ENDS_SLICE, SEVERITY_CRITICAL,
				arena_printf(s->arena, "%s has %s.", s->name, slice),
				"Remove that line.");
	if (removes)
		service_finding(s, FINDING_STEP_REMOVES_CHECKPOINTS, SEVERITY_CRITICAL,
				arena_printf(s->arena, "%s has %s.", s->name, removes),
				"Remove that line.");
}

/* The command of `run` or its script. Another program's SIGUSR1 is nothing to an agent. */
void command_orders_fill(const struct store *store, struct report *report)
{
	const char *usr1 = command_that(store, report->arena, sends_usr1);
	const char *slice = command_that(store, report->arena, ends_slice);
	const char *removes = command_that(store, report->arena, removes_checkpoints);

	if (report_has_outcomes(report))
		return;
	if (usr1)
		finding_add(
			store, report, FINDING_STOP_SENDS_SIGUSR1,
			strstr(usr1, "mesos") ? SEVERITY_CRITICAL : SEVERITY_WARNING,
			arena_printf(report->arena, "The command of run sends SIGUSR1: %s.", usr1),
			"Stop the agent by SIGTERM, or by systemctl.");
	if (slice)
		finding_add(store, report, FINDING_STOP_ENDS_SLICE, SEVERITY_CRITICAL,
			    arena_printf(report->arena, "The command of run has %s.", slice),
			    "Restart the agent's unit alone.");
	if (removes) /* it may be meant: no executor is to be kept */
		finding_add(store, report, FINDING_STEP_REMOVES_CHECKPOINTS, SEVERITY_WARNING,
			    arena_printf(report->arena, "The command of run has %s.", removes),
			    "Leave meta/slaves/latest where it is, unless all executors are given "
			    "up.");
}
