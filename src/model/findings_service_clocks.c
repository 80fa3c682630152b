/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The times of the agent's unit against the clocks of a window: systemd.service(5). */
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/findings_service.h"

static void stop_unbounded(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	const char *why =
		service->stop_timeout < 0 ? "TimeoutStopSec is infinity" : "SendSIGKILL is no";

	if (service->stop_timeout >= 0 && service->send_sigkill != EW_NO)
		return;
	service_finding(s, FINDING_STOP_UNBOUNDED, SEVERITY_WARNING,
			arena_printf(s->arena, "%s of %s.", why, s->name),
			service_setting_cure(s, "SendSIGKILL=yes and TimeoutStopSec=30"));
}

/* Only a start that fails waits for RestartSec; `systemctl restart` itself does not. */
static void restart_delay(const struct service_subject *s)
{
	int64_t recovery = executors_shortest_recovery(s->view), delay = s->service->restart_delay;
	int64_t master = store_master_timeout(s->view->store);
	bool after_executors = recovery && delay >= recovery;

	if (!after_executors && (!master || delay < master))
		return;
	service_finding(s, FINDING_RESTART_DELAY, SEVERITY_WARNING,
			arena_printf(s->arena, "RestartSec of %s is %lld s, %s (%lld s).", s->name,
				     (long long)(delay / NS_PER_S),
				     after_executors ? "not less than the shortest recovery "
						       "timeout of its executors"
						     : "not less than the master's patience",
				     (long long)((after_executors ? recovery : master) / NS_PER_S)),
			service_setting_cure(s, "RestartSec=5"));
}

/* The first clock of a window that runs out: an executor's, or the master's. ns; 0: none is known.
 */
static int64_t first_clock(const struct service_subject *s)
{
	int64_t recovery = executors_shortest_recovery(s->view);
	int64_t master = store_master_timeout(s->view->store);

	if (!recovery || (master && master < recovery))
		return master;
	return recovery;
}

/*
 * TimeoutStartSec bounds the steps before the start too (systemd.service(5)); after it RestartSec
 * passes, and they begin again.
 */
static void pre_step_unbounded(const struct service_subject *s)
{
	const struct fact_service *service = s->service;
	int64_t clock = first_clock(s), timeout = service->start_timeout;
	const char *first = "", *bound;

	if (!service_steps_that_count(s, &first) || !timeout ||
	    (timeout > 0 && (!clock || timeout + service->restart_delay < clock)))
		return;
	bound = timeout < 0 ? "infinity"
			    : arena_printf(s->arena, "%lld s", (long long)(timeout / NS_PER_S));
	service_finding(
		s, FINDING_PRE_STEP_UNBOUNDED, timeout < 0 ? SEVERITY_WARNING : SEVERITY_OK,
		arena_printf(s->arena,
			     "%s has steps before the start (%s), and its TimeoutStartSec is "
			     "%s; the first clock of the window is %lld s.",
			     s->name, first, bound, (long long)(clock / NS_PER_S)),
		service_setting_cure(s, "TimeoutStartSec=30"));
}

void service_clocks_fill(const struct service_subject *s)
{
	stop_unbounded(s);
	if (!s->starts)
		return;
	pre_step_unbounded(s);
	restart_delay(s);
}
