/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/advice.h"

#include "base/arena.h"
#include "model/judge/condition.h"
#include "model/judge/sentences.h"
#include "model/verdict_table.h"

/* The firewall's permanent cure; "" where none is known. */
static const char *advice_cure(const struct report_executor *out, struct arena *arena)
{
	for (size_t i = 0; i < out->n_links; i++)
		if (out->links[i].at_risk && *out->links[i].cure)
			return arena_printf(arena,
					    " To prevent it for good, accept loopback traffic, and "
					    "add that to what loads the firewall at boot:\n\t%s",
					    out->links[i].cure);
	return "";
}

static const char *advice_treat(const struct store *store, const struct report_executor *out,
				struct arena *arena)
{
	const char *cure = advice_cure(out, arena);

	if (out->protocol == PROTOCOL_V1 && store_agent(store))
		return arena_printf(arena,
				    "Run 'execwatch shutdown': it subscribes again at once, and no "
				    "clock is started.%s",
				    cure);
	return arena_printf(arena, "Run 'execwatch shutdown', then restart the agent within %s.%s",
			    text_of_timeout(out->recovery_timeout, arena), cure);
}

static const char *advice_disconnected(const struct store *store, const struct process *process,
				       enum protocol protocol)
{
	if (store_held_at(store, process))
		return "Start the agent: the executor registers again when it is asked. Never "
		       "treat it.";
	if (protocol == PROTOCOL_V1)
		return "Start the agent within its recovery timeout.";
	return "Restart the agent soon. Never treat it: a second disconnect ends it at once.";
}

static const char *advice_orphaned(const struct evidence *e)
{
	if (e->orphaned != EW_YES)
		return "Bring the file back from a copy before the agent ends, or let the "
		       "framework start the task again.";
	return "Bring the agent's old work dir and id back before it starts, or let the "
	       "framework start the task again.";
}

static const char *advice_unknown(const struct evidence *e, const struct report_executor *out)
{
	if (e->environment != EW_YES)
		return "Run as root.";
	if (e->contradiction)
		return "Find out which of the sources is right before the restart.";
	if (e->recoverable != EW_YES)
		return "Find out why the file cannot be read before the restart.";
	if (e->registered == EW_UNKNOWN)
		return "Give the agent's work dir with --work-dir.";
	if (e->taken_back != EW_YES)
		return "Wait until the agent has recovered, then audit again; a restart now may "
		       "lose it.";
	if (!out->n_links)
		return "Audit again in some seconds; if it stays so, look at its stderr in its "
		       "sandbox.";
	if (out->guardable)
		return "Restart the agent by 'execwatch run' only: its guard treats a link that "
		       "does not notice the agent's end.";
	return "Look at its connections by hand before the restart.";
}

const char *advice_for(const struct store *store, const struct executor *executor,
		       const struct evidence *e, const struct report_executor *out,
		       struct arena *arena)
{
	switch (out->verdict) {
	case VERDICT_UNKNOWN:
		return advice_unknown(e, out);
	case VERDICT_ORPHANED:
		return advice_orphaned(e);
	case VERDICT_SAME_FATE:
		return condition_same_fate_advice(store, executor->process, arena);
	case VERDICT_UNRESPONSIVE:
		return condition_unresponsive_advice(&executor->process->facts, arena);
	case VERDICT_DISCONNECTED:
		return advice_disconnected(store, executor->process, out->protocol);
	case VERDICT_HALF_OPEN:
	case VERDICT_AT_RISK:
		return advice_treat(store, out, arena);
	case VERDICT_FOREIGN:
	case VERDICT_NO_CHECKPOINT:
	case VERDICT_UNREGISTERED:
	case VERDICT_SELF_HEALING:
	case VERDICT_HEALTHY:
	case VERDICT_COUNT:
		break;
	}
	return verdict_advice(out->verdict);
}
