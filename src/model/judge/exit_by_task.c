/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/exit_by_task.h"

#include <string.h>

#include "base/arena.h"
#include "model/judge/agent_state.h"

const char *exit_source_text(enum cause cause)
{
	static const char *const names[] = { [CAUSE_NONE] = "",
					     [CAUSE_EVENT] = "its message to the agent",
					     [CAUSE_DISK] = "the agent's checkpoints",
					     [CAUSE_API] = "the agent's API",
					     [CAUSE_LOG] = "a log" };

	return names[cause];
}

/*
 * An agent also reports TASK_KILLED for a task that it cleans up (recover=cleanup) or whose
 * executor it shuts down. The framework is known to be the cause only where shutdown messages are
 * observed, or while the agent keeps running.
 */
static void task_killed(const struct store *store, const struct fact_baseline *b, bool asked,
			const struct task_end *end, struct arena *arena, struct fate *fate)
{
	bool goes_on = store_agent(store) && !agent_state_restarted(store, b);

	if (!asked && !store_sees_messages(store) && !goes_on) {
		fate->why = "Its task was killed (TASK_KILLED): whether by its framework or by the "
			    "agent's shutdown was not seen.";
		fate->advice = ADVICE_LOOK;
		return;
	}
	fate->outcome = OUTCOME_TASK_KILLED;
	fate->why = arena_printf(arena, "Its framework killed its task: TASK_KILLED in %s.",
				 exit_source_text(end->source));
}

void exit_by_task(const struct store *store, const struct fact_baseline *b,
		  const struct process *process, const struct task_fate *task, struct arena *arena,
		  struct fate *fate)
{
	const struct task_end *end = task->worst;
	bool before = end->at && end->at < store_mono(store, b->taken_wall);

	fate->cause = end->source;
	if (strcmp(end->state, "TASK_FINISHED") == 0) {
		fate->outcome = OUTCOME_FINISHED;
		fate->why = arena_printf(arena, "Its task ended well: TASK_FINISHED in %s.",
					 exit_source_text(end->source));
	} else if (strcmp(end->state, "TASK_KILLED") == 0) {
		task_killed(store, b, process && process->history.kill_asked, end, arena, fate);
	} else {
		fate->outcome = OUTCOME_TASK_FAILED;
		fate->minor = before;
		fate->why = arena_printf(arena, "Its task failed %s: %s in %s, by %s%s%s.",
					 before ? "before the window" : "in the window", end->state,
					 exit_source_text(end->source),
					 strcmp(end->by, "agent") == 0 ? "its agent"
								       : "its own executor",
					 *end->reason ? ", " : "", end->reason);
		fate->advice = ADVICE_LOOK;
	}
}
