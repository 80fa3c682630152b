/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/acting_rules.h"

#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "model/judge/agent_state.h"
#include "model/verdict_table.h"

/* ---- the rules ---- */

/* An executor that is disconnected while the agent recovers does not come back in time. */
static enum acting_rule rule_of_recovery(const struct store *store)
{
	if (!store_agent(store) || agent_state_serves(store))
		return ACTING_ALLOWED;
	if (!agent_state_serves_at(store))
		return ACTING_RECOVERING;
	return agent_state_is_late(store) ? ACTING_MAY_RECOVER : ACTING_MAY_RECOVER_YET;
}

/* What is shut down is a socket of MPTCP, with all its subflows; no descriptor leads to one alone.
 */
static const struct fact_socket *mptcp_link(const struct executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].conn->facts.mptcp)
			return &executor->links[i].conn->facts;
	return NULL;
}

enum acting_rule acting_rule_of(const struct store *store, const struct executor *executor,
				const struct report_executor *out)
{
	const struct registration *h = &executor->process->history;
	enum acting_rule recovery = rule_of_recovery(store);
	bool forbidden = verdict_touch(out->verdict) == TOUCH_NEVER;

	if (store_rival(store))
		return ACTING_RIVAL_AGENT;
	if (forbidden && out->verdict != VERDICT_UNKNOWN)
		return ACTING_VERDICT;
	if (h->down_since && out->protocol != PROTOCOL_V1)
		return ACTING_LINK_ENDED;
	if (h->asked > h->registered)
		return ACTING_ASKED;
	if (recovery != ACTING_ALLOWED)
		return recovery;
	if (forbidden)
		return ACTING_VERDICT;
	if (!out->n_links)
		return ACTING_NO_LINK;
	return mptcp_link(executor) ? ACTING_MPTCP : ACTING_ALLOWED;
}

/* ---- the sentences ---- */

static const char *cost_of_recovery(enum protocol protocol)
{
	return protocol == PROTOCOL_V1 ? "it may not subscribe again in time"
				       : "a second disconnect would end it at once";
}

static const char *mptcp_refusal(const struct fact_socket *link, struct arena *arena)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];

	return arena_printf(arena,
			    "its link %s to %s is a subflow of MPTCP, to which no descriptor "
			    "refers: move its task to another node before the restart; "
			    "started without mptcpize, or with GODEBUG=multipathtcp=0, the "
			    "next has a link of plain TCP",
			    addr_text(&link->local, local), addr_text(&link->remote, remote));
}

const char *acting_refusal(enum acting_rule rule, const struct store *store,
			   const struct executor *executor, const struct report_executor *out,
			   struct arena *arena)
{
	const char *cost = cost_of_recovery(out->protocol);
	int64_t left = agent_state_serves_at(store) - store->now;

	switch (rule) {
	case ACTING_NOT_JUDGED:
		return verdict_refusal(VERDICT_UNKNOWN);
	case ACTING_RIVAL_AGENT:
		return "several processes listen on this port and either may be the agent: name it "
		       "with --netns or --work-dir";
	case ACTING_VERDICT:
		return verdict_refusal(out->verdict);
	case ACTING_LINK_ENDED:
		return "its link ended and it has not registered again yet: a second disconnect "
		       "would end it at once";
	case ACTING_ASKED:
		return "the agent has asked it to reconnect and it has not registered again yet: a "
		       "second disconnect would end it at once";
	case ACTING_RECOVERING:
		return arena_printf(arena, "the agent is recovering: %s", cost);
	case ACTING_MAY_RECOVER:
		return arena_printf(arena,
				    "the agent may be recovering: its API does not tell, and "
				    "meta/boot_id, which it writes when its recovery is over, is "
				    "older than the agent: %s; try again when it has written it",
				    cost);
	case ACTING_MAY_RECOVER_YET:
		return arena_printf(arena,
				    "the agent may be recovering, its API does not tell: %s; try "
				    "again in %lld s",
				    cost, left > 0 ? (long long)(left / NS_PER_S + 1) : 1);
	case ACTING_NO_LINK:
		return "it has no link";
	case ACTING_MPTCP:
		return mptcp_refusal(mptcp_link(executor), arena);
	case ACTING_ALLOWED:
		break;
	}
	return NULL;
}
