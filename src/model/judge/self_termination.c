/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/self_termination.h"

#include "base/now.h"
#include "model/store/acts.h"

int64_t self_termination_begins(const struct process *process, int64_t down,
				int64_t recovery_timeout)
{
	return process->history.down_twice ? process->history.down_twice : down + recovery_timeout;
}

/*
 * It kills its process group when the grace period is over (Mesos exec.cpp, ShutdownProcess). The
 * driver of 0.28 takes 5 s whatever its environment says. One second more for timers that tick
 * late.
 */
int64_t self_termination_by(const struct process *process, int64_t begins)
{
	int64_t grace = process->facts.shutdown_grace;

	return begins + (grace > 5 * NS_PER_S ? grace : 5 * NS_PER_S) + NS_PER_S;
}

int64_t self_termination_before_registering(const struct store *store,
					    const struct process *process, bool v1,
					    int64_t recovery_timeout)
{
	const struct registration *h = &process->history;
	int64_t expired = h->last_down + recovery_timeout;

	if (v1 || h->down_since || !h->last_down)
		return 0;
	if (h->last_twice > h->last_down && h->registered > h->last_twice)
		return h->last_twice;
	return h->registered >= expired && !store_held_since(store, process, h->last_down) ? expired
											   : 0;
}

bool self_termination_is_on(const struct store *store, const struct process *process,
			    size_t n_links, int64_t begins)
{
	return store->now >= begins && (!n_links || process->history.down_twice);
}

const char *self_termination_why(const struct store *store, const struct process *process,
				 int64_t begins)
{
	if (store->now >= self_termination_by(process, begins))
		return "It should have ended itself by now, and lives.";
	return process->history.down_twice
		       ? "Its link ended a second time before it had registered again: it is "
			 "ending itself."
		       : "Its recovery timeout has run out: it is ending itself.";
}

const char *self_termination_advice(const struct store *store, const struct process *process,
				    int64_t begins)
{
	return store->now >= self_termination_by(process, begins)
		       ? "See whether it is stopped or frozen, and look at the end of its stderr "
			 "in its sandbox."
		       : "An agent that comes now is too late: let its framework start its task "
			 "again.";
}
