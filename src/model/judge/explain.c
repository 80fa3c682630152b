/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/agent_state.h"
#include "model/judge/explain.h"

#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "model/judge/condition.h"
#include "model/judge/evidence.h"
#include "model/judge/identity.h"
#include "model/judge/outcome.h"
#include "model/verdict_table.h"

#define WHY_MAX 8

struct sentences {
	const char **v;
	size_t n;
};

static void say(struct sentences *s, const char *sentence)
{
	if (s->v && s->n < WHY_MAX)
		s->v[s->n++] = sentence;
}

static const char *minutes(int64_t ns, struct arena *arena)
{
	int64_t s = ns / NS_PER_S;

	if (s >= 120 * 60 && s % 3600 == 0)
		return arena_printf(arena, "%lld h", (long long)(s / 3600));
	if (s >= 120 && s % 60 == 0)
		return arena_printf(arena, "%lld min", (long long)(s / 60));
	return arena_printf(arena, "%lld s", (long long)s);
}

/* A duration in whole units, rounded down. */
static const char *about(int64_t ns, struct arena *arena)
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { 86400, "days" }, { 3600, "hours" }, { 60, "min" }, { 1, "s" } };
	int64_t s = ns / NS_PER_S;
	size_t i = 0;

	while (units[i].s > 1 && s < 2 * units[i].s)
		i++;
	return arena_printf(arena, "%lld %s", (long long)(s / units[i].s), units[i].name);
}

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
				    name, about(link->expires, arena), firewall));
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

/* Sentences: why the agent's FIN will arrive. */
static void say_sound(struct sentences *s, const struct report_link *link, struct arena *arena)
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
				    about(link->expires, arena)));
}

static void say_relink(struct sentences *s, const struct process_facts *p, const struct evidence *e,
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

static void say_links(struct sentences *s, const struct report_executor *out, struct arena *arena)
{
	for (size_t i = 0; i < out->n_links; i++)
		say_link(s, &out->links[i], arena);
}

static void say_unknown(const struct store *store, const struct executor *executor,
			struct sentences *s, const struct evidence *e,
			const struct report_executor *out, struct arena *arena)
{
	if (e->contradiction)
		say(s, e->contradiction);
	else if (e->environment != EW_YES)
		say(s,
		    "Its environment could not be read, so whose executor it is cannot be told.");
	else if (e->ours == EW_UNKNOWN && !executor->process->agent_known)
		say(s, "Its MESOS_SLAVE_PID is damaged, so whose executor it is cannot be told.");
	else if (e->ours == EW_UNKNOWN)
		say(s,
		    arena_printf(arena,
				 "Its agent is %s (%s): neither the agent here nor another that is "
				 "known.",
				 executor->process->facts.slave_pid,
				 identity_executor_agent(executor)));
	else if (e->recoverable != EW_YES)
		say(s, arena_printf(arena,
				    "In its checkpoints %s: whether an agent that starts takes it "
				    "back is not known.",
				    evidence_obstacle(executor)));
	else if (e->registered == EW_UNKNOWN && store->work_dir.readable != EW_YES)
		say(s, "The agent's work dir could not be read: whether it ever registered is not "
		       "known.");
	else if (e->registered == EW_UNKNOWN)
		say(s, arena_printf(arena,
				    "Work dir %s is another agent's: whether this executor ever "
				    "registered is not known.",
				    store->work_dir.path));
	else if (e->sockets != EW_YES && !evidence_port_known(store, executor->process))
		say(s, arena_printf(arena,
				    "Its agent is %s, and neither the agent nor its slave.info "
				    "names that port: connections to it were not looked for.",
				    executor->process->facts.slave_pid));
	else if (e->sockets != EW_YES)
		say(s, "Which sockets it has could not be read.");
	else if (!out->n_links && e->protocol == PROTOCOL_V1)
		say(s, "It speaks the v1 HTTP API and has no connection just now: it is "
		       "retrying, or the agent rejects it and its recovery timeout is running.");
	else if (e->taken_back != EW_YES)
		say(s, "As far as is known the agent has not finished its recovery: an executor "
		       "that has "
		       "not registered again yet exits when its link ends now.");
	say_links(s, out, arena);
}

static const char *former_cause(const struct store *store)
{
	if (store->has_work_dir && store->work_dir.same_boot == EW_NO)
		return "and the agent's checkpoints are of another boot";
	if (store->has_work_dir && store->work_dir.latest == EW_NO)
		return "and meta/slaves/latest is missing, so that a restarted agent takes a new "
		       "id";
	return "and the agent here has another id";
}

static void say_orphaned(const struct store *store, const struct executor *executor,
			 const struct evidence *e, struct sentences *s, struct arena *arena)
{
	if (e->orphaned == EW_YES)
		say(s,
		    arena_printf(arena, "It belongs to agent id %s, %s: it will not be taken back.",
				 identity_executor_agent(executor), former_cause(store)));
	else
		say(s, arena_printf(arena,
				    "In its checkpoints %s: an agent that starts does not take it "
				    "or its task back.",
				    evidence_obstacle(executor)));
}

static void say_self_healing(struct sentences *s, const struct process_facts *p,
			     const struct evidence *e, const struct report_executor *out,
			     struct arena *arena)
{
	say_links(s, out, arena);
	if (out->n_links)
		say_relink(s, p, e, arena);
	else
		say(s, "Both its connections go over a domain socket to the agent: no "
		       "connection tracking can forget them.");
}

static void fill_why(const struct store *store, const struct executor *executor,
		     const struct evidence *e, const struct report_executor *out,
		     struct sentences *s, struct arena *arena)
{
	const struct process_facts *p = &executor->process->facts;

	switch (out->verdict) {
	case VERDICT_FOREIGN:
		say(s, arena_printf(arena, "Its agent is %s (%s), another than the one on port %u.",
				    p->slave_pid, p->slave_id, store->session.agent_port));
		break;
	case VERDICT_ORPHANED:
		say_orphaned(store, executor, e, s, arena);
		break;
	case VERDICT_SAME_FATE:
		say(s, condition_same_fate_why(store, executor->process, arena));
		break;
	case VERDICT_UNRESPONSIVE:
		say(s, condition_unresponsive_why(p, arena));
		break;
	case VERDICT_NO_CHECKPOINT:
		say(s, "Its framework does not checkpoint (MESOS_CHECKPOINT is not 1): it ends "
		       "with the agent, by design.");
		break;
	case VERDICT_UNREGISTERED:
		say(s,
		    executor->checkpoint && !executor->checkpoint->facts.forked_pid
			    ? "Its run on disk has no pids/forked.pid: the agent will not recover "
			      "it."
			    : "The agent has no registration of it on disk: it ends when the agent "
			      "does.");
		break;
	case VERDICT_DISCONNECTED:
		if (store_held_at(store, executor->process)) {
			say(s, "It is held: it takes itself for registered with an agent that is "
			       "not there, and its clock does not run until it loses a link "
			       "again.");
			break;
		}
		if (store_held_before(store, executor->process))
			say(s, "It was held before: unless it has registered since, its clock does "
			       "not run.");
		say(s, arena_printf(arena,
				    "It registered once and has no link: it waits for %s "
				    "agent and shuts down %s after it lost the old one.",
				    out->protocol == PROTOCOL_V1 ? "an" : "a restarted",
				    minutes(out->recovery_timeout, arena)));
		break;
	case VERDICT_SELF_HEALING:
		say_self_healing(s, p, e, out, arena);
		break;
	case VERDICT_HALF_OPEN:
	case VERDICT_AT_RISK:
		if (out->protocol == PROTOCOL_V1 && out->n_links < V1_CONNECTIONS)
			say(s, "It has one of its two connections to the agent, and each "
			       "needs the other.");
		say_links(s, out, arena);
		say_relink(s, p, e, arena);
		break;
	case VERDICT_HEALTHY:
		say_sound(s, &out->links[0], arena);
		break;
	case VERDICT_UNKNOWN:
	case VERDICT_COUNT:
		say_unknown(store, executor, s, e, out, arena);
		break;
	}
}

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

/* Debuggers and strace let a process run most of the time. */
static void say_tracer(struct sentences *s, const struct process_facts *p, const struct evidence *e,
		       struct arena *arena)
{
	if (p->tracer && e->responsive == EW_YES)
		say(s, arena_printf(arena,
				    "Process %d traces it and lets it run: what it does takes "
				    "longer.",
				    p->tracer));
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
			    minutes(out->recovery_timeout, arena), cure);
}

static const char *advice_for(const struct store *store, const struct executor *executor,
			      const struct evidence *e, const struct report_executor *out,
			      struct arena *arena)
{
	switch (out->verdict) {
	case VERDICT_NO_CHECKPOINT:
		return "Its task is lost when the agent restarts: move it away first, or accept "
		       "that.";
	case VERDICT_UNREGISTERED:
		return "Wait until it has registered, then audit again; a restart now loses it.";
	case VERDICT_DISCONNECTED:
		if (store_held_at(store, executor->process))
			return "Start the agent: the executor registers again when it is asked. "
			       "Never treat it.";
		if (out->protocol == PROTOCOL_V1)
			return "Start the agent within its recovery timeout.";
		return "Restart the agent soon. Never treat it: a second disconnect ends it at "
		       "once.";
	case VERDICT_HALF_OPEN:
	case VERDICT_AT_RISK:
		return advice_treat(store, out, arena);
	case VERDICT_ORPHANED:
		if (e->orphaned != EW_YES)
			return "Bring the file back from a copy before the agent ends, or let the "
			       "framework start the task again.";
		return "Bring the agent's old work dir and id back before it starts, or let the "
		       "framework start the task again.";
	case VERDICT_SAME_FATE:
		return condition_same_fate_advice(store, executor->process, arena);
	case VERDICT_UNRESPONSIVE:
		return condition_unresponsive_advice(&executor->process->facts, arena);
	case VERDICT_SELF_HEALING:
		return "";
	case VERDICT_UNKNOWN:
		if (e->environment != EW_YES)
			return "Run as root.";
		if (e->contradiction)
			return "Find out which of the sources is right before the restart.";
		if (e->recoverable != EW_YES)
			return "Find out why the file cannot be read before the restart.";
		if (e->registered == EW_UNKNOWN)
			return "Give the agent's work dir with --work-dir.";
		if (e->taken_back != EW_YES)
			return "Wait until the agent has recovered, then audit again; a restart "
			       "now may lose it.";
		if (!out->n_links)
			return "Audit again in some seconds; if it stays so, look at its stderr in "
			       "its sandbox.";
		return "Look at its connections by hand before the restart.";
	default:
		return "";
	}
}

/* NULL: the agent has recovered, or there is none. */
static const char *forbidden_by_recovery(const struct store *store, enum protocol protocol,
					 struct arena *arena)
{
	int64_t serves_at = agent_state_serves_at(store);
	const char *cost = protocol == PROTOCOL_V1 ? "it may not subscribe again in time"
						   : "a second disconnect would end it at once";

	if (!store_agent(store) || agent_state_serves(store))
		return NULL;
	if (!serves_at)
		return arena_printf(arena, "the agent is recovering: %s", cost);
	if (agent_state_is_late(store))
		return arena_printf(arena,
				    "the agent may be recovering: its API does not tell, and "
				    "meta/boot_id, which it writes when its recovery is over, is "
				    "older than the agent: %s; try again when it has written it",
				    cost);
	return arena_printf(
		arena,
		"the agent may be recovering, its API does not tell: %s; try again in %lld s", cost,
		(long long)((serves_at - store->now) / NS_PER_S + 1));
}

/* What is shut down is a socket of MPTCP, with all its subflows; no descriptor leads to one alone.
 */
static const char *forbidden_by_mptcp(const struct executor *executor, struct arena *arena)
{
	char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];

	for (size_t i = 0; i < executor->n_links; i++) {
		const struct fact_socket *s = &executor->links[i].conn->facts;

		if (s->mptcp)
			return arena_printf(
				arena,
				"its link %s to %s is a subflow of MPTCP, to which no descriptor "
				"refers: move its task to another node before the restart; "
				"started without mptcpize, or with GODEBUG=multipathtcp=0, the "
				"next has a link of plain TCP",
				addr_text(&s->local, local), addr_text(&s->remote, remote));
	}
	return NULL;
}

/* Reasons never to touch an executor; no option lifts them. */
static const char *forbidden_for(const struct store *store, const struct executor *executor,
				 const struct report_executor *out, struct arena *arena)
{
	const struct registration *h = &executor->process->history;
	const char *recovery;

	if (store_rival(store))
		return "several processes listen on this port and either may be the agent: name it "
		       "with --netns or --work-dir";
	if (out->verdict != VERDICT_UNKNOWN && verdict_refusal(out->verdict))
		return verdict_refusal(out->verdict);
	if (h->down_since && out->protocol != PROTOCOL_V1)
		return "its link ended and it has not registered again yet: a second disconnect "
		       "would end it at once";
	if (h->asked > h->registered)
		return "the agent has asked it to reconnect and it has not registered again yet: a "
		       "second disconnect would end it at once";
	recovery = forbidden_by_recovery(store, out->protocol, arena);
	if (recovery)
		return recovery;
	if (out->verdict == VERDICT_UNKNOWN)
		return verdict_refusal(out->verdict);
	if (!out->n_links)
		return "it has no link";
	return forbidden_by_mptcp(executor, arena);
}

void explain_fill(const struct store *store, const struct executor *executor,
		  const struct evidence *evidence, struct report_executor *out, struct arena *arena)
{
	struct sentences s = { arena_array(arena, WHY_MAX, sizeof(*s.v)), 0 };

	fill_why(store, executor, evidence, out, &s, arena);
	say_tracer(&s, &executor->process->facts, evidence, arena);
	out->why = s.v;
	out->n_why = s.n;
	out->advice = advice_for(store, executor, evidence, out, arena);
	out->forbidden = forbidden_for(store, executor, out, arena);
}
