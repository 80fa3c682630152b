/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/task_fate.h"

#include <string.h>

/* Order of trust: the agent's checkpoints, its API, observed messages. */
static bool outweighs(const struct task_end *a, const struct task_end *b)
{
	static const int weight[] = {
		[CAUSE_DISK] = 3, [CAUSE_API] = 2, [CAUSE_EVENT] = 1, [CAUSE_LOG] = 0
	};

	return weight[a->source] > weight[b->source];
}

/* A message counts only when the executor itself sent it: its tasks share its environment. */
static bool counts(const struct task_end *end, const struct fact_baseline *b, int64_t since)
{
	if (end->source == CAUSE_EVENT && (end->pid != b->pid || end->start != b->start))
		return false;
	/* For an executor with tasks at the baseline only later ends count. */
	return !b->n_tasks || (end->at && end->at >= since);
}

/* True when another entry for the same task says more, or the same at a later time. */
static bool is_superseded(const struct run_end *run, const struct task_end *end,
			  const struct fact_baseline *b, int64_t since)
{
	bool later = false;

	for (const struct task_end *other = run->tasks; other; other = other->next) {
		if (other != end && other->task_id == end->task_id && counts(other, b, since) &&
		    (outweighs(other, end) || (later && !outweighs(end, other))))
			return true;
		later |= other == end;
	}
	return false;
}

static int badness(const struct task_end *end)
{
	return strcmp(end->state, "TASK_FINISHED") == 0 ? 1
	       : strcmp(end->state, "TASK_KILLED") == 0 ? 2
							: 3;
}

/* The run's tasks as last read from the disk, after the executor's end: some are not over. */
static bool some_go_on(const struct store *store, const struct run_key *key, int64_t ended)
{
	const struct checkpoint *checkpoint = store_checkpoint_of_run(store, key);

	return checkpoint && checkpoint->facts.n_tasks && ended && store->checkpoints_read > ended;
}

static bool is_arrived(const struct store *store, const struct fact_baseline *b,
		       const struct task_end *end)
{
	const struct process *process = store_process_find(store, b->pid, b->start);

	return end->source != CAUSE_EVENT || (process && process->history.answered >= end->at);
}

/* Only an agent or a master states these, or gives these reasons. */
static bool is_agents(const struct task_end *end)
{
	static const char *const states[] = { "TASK_LOST", "TASK_GONE", "TASK_DROPPED",
					      "TASK_GONE_BY_OPERATOR" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(end->state, states[i]) == 0)
			return true;
	return *end->reason && strcmp(end->reason, "REASON_COMMAND_EXECUTOR_FAILED") != 0;
}

/* Stated by the executor; where it is not said by whom, before its end. */
static bool is_own(const struct task_end *end, int64_t ended)
{
	if (is_agents(end))
		return false;
	if (*end->by)
		return strcmp(end->by, "executor") == 0;
	return badness(end) < 3 || (end->at && ended && end->at <= ended);
}

struct task_fate task_fate_of(const struct store *store, const struct fact_baseline *b,
			      int64_t ended)
{
	struct run_key key = { b->framework_id, b->executor_id, b->container_id };
	const struct run_end *run = store_run_end(store, &key);
	int64_t since = store_mono(store, b->taken_wall);
	struct task_fate fate = { .arrived = true };
	size_t n = 0;

	for (const struct task_end *end = run ? run->tasks : NULL; end; end = end->next) {
		if (!counts(end, b, since) || is_superseded(run, end, b, since))
			continue;
		n++;
		fate.arrived &= is_arrived(store, b, end);
		if (end->at > fate.at)
			fate.at = end->at;
		if (!fate.worst || badness(end) > badness(fate.worst))
			fate.worst = end;
	}
	fate.own = fate.worst && is_own(fate.worst, ended);
	fate.complete = n >= (b->n_tasks ? b->n_tasks : 1) && !some_go_on(store, &key, ended);
	return fate;
}
