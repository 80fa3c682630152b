/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/explain_links.h"

#include "base/addr.h"
#include "base/arena.h"

/* A sentence: whether a FIN without an entry arrives. */
static const char *firewall_text(const struct report_link *link, struct arena *arena)
{
	if (link->accepted == EW_NO)
		return arena_printf(arena, "the firewall then drops the agent's FIN (%s)",
				    link->rule);
	if (*link->rule)
		return arena_printf(arena, "the agent's FIN may then be dropped (by %s)",
				    link->rule);
	if (*link->not_judged)
		return arena_printf(arena, "the agent's FIN may then be dropped (%s)",
				    link->not_judged);
	return "the agent's FIN may then be dropped";
}

static void say_at_risk(struct sentences *s, const struct report_link *link, const char *name,
			struct arena *arena)
{
	const char *firewall = firewall_text(link, arena);

	if (link->conntrack == CONNTRACK_ENTRY)
		say(s, arena_printf(arena,
				    "The connection tracking entry of link %s expires in %s: %s.",
				    name, text_of_duration(link->expires, arena), firewall));
	else if (link->conntrack == CONNTRACK_NONE)
		say(s, arena_printf(arena,
				    "Connection tracking is in force and has no entry for link %s: "
				    "%s.",
				    name, firewall));
	else
		say(s, arena_printf(arena, "The firewall drops the agent's FIN on link %s (%s).",
				    name, link->rule));
}

/* Keepalive without an entry: the probes are not answered, and in the end the connection breaks. */
static void say_unanswered(struct sentences *s, const struct report_link *link, struct arena *arena)
{
	const struct link_keepalive *k = &link->keepalive;

	if (k->on && link->conntrack == CONNTRACK_NONE)
		say(s, arena_printf(arena,
				    "Its keepalive probes may be dropped too: after %u without an "
				    "answer, one every %u s, the executor disconnects by itself "
				    "('execwatch protect --undo' stops them).",
				    k->count, k->interval));
}

static void say_link(struct sentences *s, const struct report_link *link, struct arena *arena)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];
	const char *name = arena_printf(arena, "%s to %s", addr_text(&link->local, local),
					addr_text(&link->remote, remote));

	if (link->agent_end == EW_NO)
		say(s, arena_printf(arena,
				    "Link %s has no agent's end: this executor does not learn that "
				    "the agent is gone.",
				    name));
	else if (link->agent_end == EW_UNKNOWN && link->agent_silent)
		say(s, arena_printf(arena,
				    "The other end of link %s is held by an agent's process that "
				    "lives and listens no more: it is about to end, or hangs.",
				    name));
	else if (link->agent_end == EW_UNKNOWN)
		say(s, arena_printf(arena,
				    "Link %s may be translated, or leaves its network namespace: "
				    "whether the agent has the other end is not known.",
				    name));
	else if (link->at_risk)
		say_at_risk(s, link, name, arena), say_unanswered(s, link, arena);
	else if (link->accepted == EW_YES)
		return;
	else if (link->conntrack == CONNTRACK_ENTRY && link->expires < 0)
		say(s, arena_printf(arena,
				    "When the connection tracking entry of link %s expires is not "
				    "known.",
				    name));
	else if (link->conntrack == CONNTRACK_UNKNOWN)
		say(s, arena_printf(arena,
				    "Whether connection tracking knows link %s could not be read.",
				    name));
}

void explain_links(struct sentences *s, const struct report_executor *out, struct arena *arena)
{
	for (size_t i = 0; i < out->n_links; i++)
		say_link(s, &out->links[i], arena);
}

void explain_sound_link(struct sentences *s, const struct report_link *link, struct arena *arena)
{
	if (link->conntrack == CONNTRACK_OFF)
		say(s, "Both ends of its link exist; no connection tracking is in force.");
	else if (link->accepted == EW_YES && *link->rule)
		say(s,
		    arena_printf(arena,
				 "Both ends of its link exist; the firewall lets the agent's FIN "
				 "pass without an entry of connection tracking (%s).",
				 link->rule));
	else if (link->accepted == EW_YES)
		say(s, "Both ends of its link exist; no rule of the firewall drops the agent's "
		       "FIN.");
	else if (link->keepalive.renewed == EW_YES)
		say(s, arena_printf(arena,
				    "Both ends of its link exist; it is protected: keepalive "
				    "renews its entry of connection tracking every %u s.",
				    link->keepalive.idle));
	else
		say(s, arena_printf(arena,
				    "Both ends of its link exist; connection tracking has its "
				    "entry, which expires in %s.",
				    text_of_duration(link->expires, arena)));
}

void explain_relink(struct sentences *s, const struct process_facts *p, const struct evidence *e,
		    struct arena *arena)
{
	if (e->protocol == PROTOCOL_V1)
		say(s, "It speaks the v1 HTTP API: the agent never calls it, so it must notice by "
		       "itself.");
	else if (e->relinks == EW_YES)
		say(s,
		    arena_printf(arena,
				 "Its library is Mesos %s (from its %s): it opens a new connection "
				 "when asked to reconnect.",
				 p->library_version, p->version_from));
	else if (e->relinks == EW_NO)
		say(s, arena_printf(arena,
				    "Its library is Mesos %s (from its %s): it replies on the old "
				    "connection when asked to reconnect (no relink before 1.1.2).",
				    p->library_version, p->version_from));
	else
		say(s,
		    "The version of its library is not known: it may be one that does not open a "
		    "new connection when asked to reconnect.");
}
