/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An agent that ends within its recovery, and is started again to end again. */
#include <string.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/finding_table.h"
#include "model/model_private.h"

/* What the log says, and what saves the executors then; the first that fits. */
static const struct {
	const char *says;
	const char *cure;
} cures[] = {
	{ "Incompatible",
	  "Start it with the attributes, resources, hostname, port and domain of before, or from "
	  "1.5 "
	  "on with --reconfiguration_policy=additive where something was only added." },
	{ "duplicate pid",
	  "See which of the two executors with that pid still runs; the run directory of the other "
	  "needs an empty file executor.sentinel." },
	{ "ocker", "Get docker to answer; do not restart it: that ends the tasks in it." },
	{ "No space left", "Make room on the agent's disk; remove nothing below meta/." },
	{ "Address already in use", "End the process that holds the agent's port." },
};

static const char *cure_of(const char *text)
{
	for (size_t i = 0; i < sizeof(cures) / sizeof(*cures); i++)
		if (strstr(text, cures[i].says))
			return cures[i].cure;
	return "Correct what its log names.";
}

/* The last word of an agent; "" where nothing was found. */
static const char *word_of(const struct store *store, const struct agent *agent)
{
	const struct fact_agent_log *log = &store->agent_log;

	return log->text && log->pid == agent->facts.pid && log->start == agent->facts.start
		       ? log->text
		       : "";
}

/*
 * "Failed to perform recovery", EXIT(1), and a service manager that starts it again (Mesos
 * slave/slave.cpp, __recover()).
 */
void findings_recovery_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	size_t n;
	const struct agent *agent = store_failed_start(store, &n);
	const char *word;
	int status;

	if (!agent)
		return;
	status = agent->status;
	word = word_of(store, agent);
	finding_add(
		store, report, FINDING_RECOVERY_FAILED, SEVERITY_CRITICAL,
		arena_printf(report->arena,
			     "The agent has ended within its recovery %zu time%s, the last time "
			     "(pid %d) %.1f s after it began to listen, with %s %d%s%s%s.",
			     n, n == 1 ? "" : "s", agent->facts.pid,
			     (double)(agent->gone_at - agent->appeared) / NS_PER_S,
			     WIFEXITED(status) ? "exit status" : "signal",
			     WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status),
			     *word ? "; its log says: '" : "", word, *word ? "'" : ""),
		arena_printf(report->arena,
			     "Do not remove meta/slaves/latest, as its log may advise: that "
			     "gives up every executor. %s It has to serve before the first "
			     "recovery timeout runs out.",
			     cure_of(word)));
}
