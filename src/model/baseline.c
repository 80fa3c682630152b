/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/model.h"

#include "model/verdict_table.h"

static void findings_emit(const struct report *audit, const struct fact_sink *sink)
{
	for (size_t i = 0; i < audit->n_findings; i++) {
		const struct report_finding *f = &audit->findings[i];
		struct fact fact = { .type = FACT_FORESEEN,
				     .foreseen = { f->id, severity_name(f->severity),
						   f->evidence } };

		if (f->severity != SEVERITY_OK)
			fact_emit(sink, &fact);
	}
}

void model_baseline(const struct report *audit, const struct fact_sink *sink)
{
	for (size_t i = 0; i < audit->n_executors; i++) {
		const struct report_executor *e = &audit->executors[i];
		struct fact fact = { .type = FACT_BASELINE,
				     .baseline = {
					     .framework_id = e->framework_id,
					     .executor_id = e->executor_id,
					     .container_id = e->container_id,
					     .protocol = protocol_name(e->protocol),
					     .verdict = verdict_name(e->verdict),
					     .pid = e->pid,
					     .start = e->start,
					     .recovery_timeout = e->recovery_timeout,
					     .agent_pid = audit->agent.pid,
					     .agent_start = audit->agent.start,
					     .link = e->n_links ? e->links[0].cookie : 0,
					     .taken_wall = audit->generated,
					     .disconnected_wall = e->disconnected,
					     .tasks = e->tasks,
					     .n_tasks = e->n_tasks,
					     .slave_id = audit->agent.slave_id,
				     } };

		if (verdict_is_of_agent(e->verdict))
			fact_emit(sink, &fact);
	}
	findings_emit(audit, sink);
}
