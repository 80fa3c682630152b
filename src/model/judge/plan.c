/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of a plan still holds, by a later audit. */
#include <errno.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/model_private.h"

static const struct report_executor *executor_find(const struct report *audit,
						   const struct model_target *target)
{
	for (size_t i = 0; i < audit->n_executors; i++)
		if (audit->executors[i].pid == target->pid &&
		    audit->executors[i].start == target->start)
			return &audit->executors[i];
	return NULL;
}

static bool same_link(const struct model_target *a, const struct model_target *b)
{
	return a->pid == b->pid && a->start == b->start && a->fd == b->fd && a->inode == b->inode &&
	       a->cookie == b->cookie;
}

static const struct model_target *link_find(const struct model_target *targets, size_t n,
					    const struct model_target *wanted)
{
	for (size_t i = 0; i < n; i++)
		if (same_link(&targets[i], wanted))
			return &targets[i];
	return NULL;
}

/* NULL: the same process as at the time of the plan, or none at both times. */
const char *model_agent_change(const struct report *planned, const struct report *now)
{
	const struct report_agent *was = &planned->agent, *is = &now->agent;

	if (was->pid == is->pid && was->start == is->start)
		return NULL;
	if (!is->pid)
		return arena_printf(now->arena, "the agent (pid %d) has ended", was->pid);
	if (!was->pid)
		return arena_printf(now->arena, "an agent (pid %d) has started", is->pid);
	return arena_printf(now->arena, "the agent is another process now (pid %d, it was pid %d)",
			    is->pid, was->pid);
}

static const char *target_change(const struct model_target *target, const struct report *now,
				 const struct model_target *chosen, size_t n)
{
	const struct report_executor *executor = executor_find(now, target);
	const struct model_target *link = link_find(chosen, n, target);

	if (!executor)
		return "it has ended";
	if (executor->verdict != target->verdict)
		return arena_printf(now->arena, "it is %s now, and was %s",
				    verdict_name(executor->verdict), verdict_name(target->verdict));
	if (executor->forbidden)
		return executor->forbidden;
	if (!link)
		return "its link is another one now";
	return link->forbidden;
}

int model_plan_check(const struct report *planned, const struct model_choice *choice,
		     const struct report *now, struct model_target *targets, size_t n)
{
	const char *agent = model_agent_change(planned, now);
	struct model_target *chosen;
	size_t n_chosen;
	int err = model_select(now, choice, &chosen, &n_chosen);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (!targets[i].forbidden)
			targets[i].changed =
				agent ? agent : target_change(&targets[i], now, chosen, n_chosen);
	free(chosen);
	return 0;
}
