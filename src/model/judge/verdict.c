/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/verdict.h"

/* The rules let the FIN pass before they look at state, or keep it from tracking. */
static bool needs_no_entry(const struct link_evidence *link)
{
	return link->accepted == EW_YES && (link->untracked == EW_YES || !link->full);
}

enum link_state link_state_of(const struct link_evidence *link)
{
	if (link->agent_end == EW_UNKNOWN)
		return LINK_UNKNOWN;
	if (link->agent_end == EW_NO)
		return LINK_HALF_OPEN;
	if (needs_no_entry(link))
		return LINK_SOUND;
	switch (link->conntrack) {
	case CONNTRACK_OFF: /* no table can lose the link */
		return link->accepted == EW_NO ? LINK_AT_RISK : LINK_SOUND;
	case CONNTRACK_ENTRY:
		if (link->expires < 0)
			return LINK_UNKNOWN;
		if (link->renewed == EW_YES)
			return LINK_SOUND;
		return link->expires <= link->horizon ? LINK_AT_RISK : LINK_SOUND;
	case CONNTRACK_NONE:
		return LINK_AT_RISK;
	case CONNTRACK_UNKNOWN:
		break;
	}
	return LINK_UNKNOWN;
}

static enum verdict judge_links(const struct evidence *e)
{
	if (e->taken_back != EW_YES)
		return VERDICT_UNKNOWN; /* its next disconnect may be its second (Mesos exec.cpp,
					   exited()) */
	if (e->protocol == PROTOCOL_V1 && e->n_links < V1_CONNECTIONS)
		return VERDICT_HALF_OPEN;
	switch (e->worst) {
	case LINK_SOUND:
		return VERDICT_HEALTHY;
	case LINK_HALF_OPEN:
	case LINK_AT_RISK:
		/* No agent asks a v1 executor to reconnect; only v0 relinks (Mesos
		 * exec.cpp, 1.1.2). */
		if (e->protocol == PROTOCOL_V0 && e->relinks == EW_YES)
			return VERDICT_SELF_HEALING;
		return e->worst == LINK_HALF_OPEN ? VERDICT_HALF_OPEN : VERDICT_AT_RISK;
	case LINK_UNKNOWN:
		break;
	}
	/* In any state of the link: asked to reconnect, it opens a new one. */
	return e->protocol == PROTOCOL_V0 && e->relinks == EW_YES ? VERDICT_SELF_HEALING
								  : VERDICT_UNKNOWN;
}

enum verdict verdict_of(const struct evidence *e)
{
	if (e->environment != EW_YES || e->ours == EW_UNKNOWN)
		return VERDICT_UNKNOWN;
	if (e->ours == EW_NO)
		return VERDICT_FOREIGN;
	if (e->orphaned == EW_YES || e->recoverable == EW_NO)
		return VERDICT_ORPHANED;
	if (!e->checkpoint)
		return VERDICT_NO_CHECKPOINT;
	if (e->registered == EW_NO)
		return VERDICT_UNREGISTERED;
	if (e->same_fate == EW_YES)
		return VERDICT_SAME_FATE;
	if (e->responsive == EW_NO)
		return VERDICT_UNRESPONSIVE;
	if (e->contradiction || e->registered == EW_UNKNOWN || e->recoverable != EW_YES ||
	    e->sockets != EW_YES)
		return VERDICT_UNKNOWN;
	if (e->n_links > 0)
		return judge_links(e);
	if (e->protocol == PROTOCOL_V0)
		return VERDICT_DISCONNECTED;
	if (e->protocol != PROTOCOL_V1)
		return VERDICT_UNKNOWN;
	/* The agent's end closes it, and no connection tracking is involved. */
	if (e->domain_socket)
		return VERDICT_SELF_HEALING;
	/* With an agent it is retrying, or the agent rejects it. */
	return e->agent == EW_NO ? VERDICT_DISCONNECTED : VERDICT_UNKNOWN;
}
