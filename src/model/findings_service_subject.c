/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the findings about the unit that runs the agent share. */
#include <string.h>

#include "base/arena.h"
#include "model/findings_service.h"
#include "model/judge/identity.h"

void service_finding(const struct service_subject *s, enum finding finding, enum severity severity,
		     const char *evidence, const char *cure)
{
	finding_add(s->view->store, s->report, finding, severity, evidence, cure);
}

bool service_kills_all(const char *kill_mode)
{
	return text_is(kill_mode, "control-group") || text_is(kill_mode, "mixed");
}

bool service_is_ours(const struct executors *view, const struct executor *executor)
{
	return executor->process->key.pid && identity_of(view->store, executor) == WHOSE_OURS;
}

int64_t executors_shortest_recovery(const struct executors *view)
{
	int64_t shortest = 0;

	for (size_t i = 0; i < view->n_executors; i++) {
		int64_t timeout = view->executors[i].process->facts.recovery_timeout;

		if (service_is_ours(view, &view->executors[i]) && timeout &&
		    (!shortest || timeout < shortest))
			shortest = timeout;
	}
	return shortest;
}

bool service_step_starts(const char *step)
{
	return text_begins(step, "ExecCondition=") || text_begins(step, "ExecStartPre=") ||
	       text_begins(step, "ExecStart=");
}

bool service_step_counts(const char *step)
{
	const char *value;

	if (!text_begins(step, "ExecStartPre=") && !text_begins(step, "ExecCondition="))
		return false;
	value = strchr(step, '=') + 1;
	return !memchr(value, '-', strspn(value, "@-:+!|"));
}

size_t service_steps_that_count(const struct service_subject *s, const char **first)
{
	size_t n = 0;

	for (size_t i = 0; i < s->service->n_file_steps; i++) {
		const char *step = s->service->file_steps[i];

		if (service_step_counts(step))
			*first = n++ ? *first : step;
	}
	return n;
}

const char *service_setting_cure(const struct service_subject *s, const char *settings)
{
	if (strchr(s->service->unit, '/'))
		return arena_printf(s->arena,
				    "Set %s in the [Service] section of %s, then audit again.",
				    settings, s->service->unit);
	return arena_printf(s->arena,
			    "Set %s in the [Service] section (systemctl edit %s), run systemctl "
			    "daemon-reload, then audit again.",
			    settings, s->service->unit);
}
