/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What was found out about the node, beside its executors. */
#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "model/judge/deadlines.h"
#include "model/model_private.h"

static bool is_there(const struct store *store, const struct agent *agent)
{
	return !agent->gone_at && agent_is_impostor(store, agent) &&
	       (!store->session.netns || agent->facts.netns == store->session.netns);
}

/* Any user may listen on another address of this host under the agent's port and name. */
static void impostors_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct fact_agent *a = &store->agents.v[i].facts;
		char text[ADDR_TEXT_MAX];

		if (!is_there(store, &store->agents.v[i]))
			continue;
		report->findings[report->n_findings++] = (struct report_finding){
			.id = "impostor-agent",
			.severity = SEVERITY_WARNING,
			.evidence = arena_printf(
				arena,
				"Process %d (%s) of user %u listens on %s as an agent "
				"would, but the agent's work directory belongs to user "
				"%u: it is not asked and not believed.",
				a->pid, a->comm, a->uid, addr_text(&a->listen, text),
				store->work_dir.uid),
			.cure = "Find out what this process is, and end it if it is not meant to "
				"be there.",
		};
	}
}

/*
 * The master removes an agent that does not answer for so long, and its tasks are lost then however
 * healthy the executors are (Mesos master/master.cpp, agent_ping_timeout and
 * max_agent_ping_timeouts). It stays a finding after the agent's return.
 */
static void master_timeout_fill(const struct store *store, struct report *report)
{
	int64_t away = deadline_agent_away(store), limit = store->session.master_timeout;

	if (!limit || away <= limit)
		return;
	report->findings[report->n_findings++] = (struct report_finding){
		.id = "master-timeout",
		.severity = SEVERITY_WARNING,
		.evidence =
			arena_printf(report->arena,
				     "The agent was away for %lld s; its master removes an "
				     "agent that is silent for %lld s.",
				     (long long)(away / NS_PER_S), (long long)(limit / NS_PER_S)),
		.cure = "See on the master whether the agent was removed and which of its tasks "
			"were reported lost.",
	};
}

void report_findings_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	report->findings =
		arena_array(report->arena, store->agents.n + 1, sizeof(*report->findings));
	if (!report->findings)
		return;
	if (report_has_outcomes(report))
		master_timeout_fill(store, report);
	impostors_fill(store, report);
}
