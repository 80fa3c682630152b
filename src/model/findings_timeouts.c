/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about time and versions: will all executors be back before the agent kills the rest? */
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "mesos/duration.h"
#include "mesos/version.h"
#include "model/finding_table.h"
#include "model/judge/agent_state.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

/*
 * Measured with Mesos 1.12-dev on two cores: of 100 executors the last was back after 1.6 s; beside
 * 1,000 busy processes 69 of 120 were not back after 2 s. Fewer executors, or less load, were not
 * seen to be late.
 */
enum { EACH_MS = 32, MANY = 100, BUSY = 10 };

static size_t n_ours(const struct executors *view)
{
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n += identity_of(view->store, &view->executors[i]) == WHOSE_OURS;
	return n;
}

static void late_fill(const struct executors *view, struct report *report)
{
	const struct fact_host *host = &view->store->node;
	int64_t timeout = agent_state_reregister_timeout(view->store);
	size_t n = n_ours(view);
	double busy;

	if (!host->cpus || n < MANY || report_has_outcomes(report))
		return;
	busy = host->load / host->cpus;
	if (busy < BUSY || (double)n * EACH_MS / host->cpus * busy < (double)(timeout / NS_PER_MS))
		return;
	finding_add(view->store, report, FINDING_REREGISTER_LATE, SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "%zu executors have to register again within %.1f s on %u "
				 "processors with a load of %.0f.",
				 n, (double)timeout / NS_PER_S, host->cpus, host->load),
		    "Restart when the host is less busy, or start the agent with "
		    "--executor_reregistration_timeout=15secs.");
}

/* ---- the executors' patience and the master's ---- */

/* The shortest recovery timeout of an executor of ours; without one the agent's flag. ns; 0: none.
 */
static int64_t recovery_timeout(const struct executors *view)
{
	const struct agent *agent = store_agent(view->store);
	const struct fact_flag *flag =
		agent ? store_flag(view->store, agent, false, "recovery_timeout") : NULL;
	int64_t shortest = executors_shortest_recovery(view), ns;

	if (shortest || !flag || *flag->problem ||
	    mesos_duration_parse(mesos_span_of(flag->value), &ns) < 0)
		return shortest;
	return ns;
}

/*
 * Told where the master itself has said how long it waits: agent_ping_timeout times
 * max_agent_ping_timeouts (Mesos master/flags.cpp).
 */
static void recovery_against_master(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	int64_t recovery = recovery_timeout(view), master = store->master.removal_after;
	bool executors_first = recovery < master;

	if (!store->has_master || master <= 0 || !recovery || recovery == master ||
	    report_has_outcomes(report))
		return;
	finding_add(
		store, report, FINDING_RECOVERY_AGAINST_MASTER,
		executors_first ? SEVERITY_WARNING : SEVERITY_OK,
		arena_printf(report->arena,
			     "Executors wait %lld s for an agent, the master at %s waits %lld s "
			     "before it removes it.",
			     (long long)(recovery / NS_PER_S), store->master.url,
			     (long long)(master / NS_PER_S)),
		executors_first
			? "Be back before the executors give up; for those that are started "
			  "later set --recovery_timeout to the master's limit or more."
			: "Be back before the master gives up.");
}

/* ---- versions ---- */

static bool parse(const char *text, struct mesos_version *version)
{
	return text && *text && mesos_version_parse(mesos_span_of(text), version) == 0;
}

/*
 * Mesos promises that an agent serves executors of its own major version that are not newer, and
 * 1.0 those of 0.28 (its documentation, "Versioning" and "Upgrades").
 */
static bool is_supported(const struct mesos_version *agent, const struct mesos_version *executor)
{
	if (executor->major == agent->major)
		return executor->minor <= agent->minor;
	return executor->major == 0 && executor->minor == 28 && agent->major == 1 &&
	       agent->minor == 0;
}

static void versions_fill(const struct executors *view, struct report *report)
{
	struct mesos_version agent, executor;
	const struct executor *first = NULL;
	size_t n = 0;

	if (!view->store->has_api || !parse(view->store->api.version, &agent))
		return;
	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *e = &view->executors[i];

		if (strcmp(e->process->facts.version_from, "library") != 0 ||
		    !parse(e->process->facts.library_version, &executor) ||
		    is_supported(&agent, &executor) || identity_of(view->store, e) != WHOSE_OURS)
			continue;
		first = first ? first : e;
		n++;
	}
	if (!n)
		return;
	finding_add(view->store, report, FINDING_VERSION_MIX, SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "%zu executors have a library that Mesos does not promise to work "
				 "with an agent %s; '%s' has %s.",
				 n, view->store->api.version, first->process->facts.executor_id,
				 first->process->facts.library_version),
		    "Restart one node first, and see that its executors register again.");
}

void findings_timeouts_fill(const struct executors *view, struct report *report)
{
	late_fill(view, report);
	recovery_against_master(view, report);
	versions_fill(view, report);
}
