/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/explain.h"

#include "base/arena.h"
#include "model/judge/acting_rules.h"
#include "model/judge/advice.h"
#include "model/judge/condition.h"
#include "model/judge/evidence.h"
#include "model/judge/explain_links.h"
#include "model/judge/identity.h"
#include "model/judge/sentences.h"

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
	explain_links(s, out, arena);
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
	explain_links(s, out, arena);
	if (out->n_links)
		explain_relink(s, p, e, arena);
	else
		say(s, "Both its connections go over a domain socket to the agent: no "
		       "connection tracking can forget them.");
}

static void say_unregistered(const struct executor *executor, struct sentences *s)
{
	say(s,
	    executor->checkpoint && !executor->checkpoint->facts.forked_pid
		    ? "Its run on disk has no pids/forked.pid: the agent will not recover it."
		    : "The agent has no registration of it on disk: it ends when the agent does.");
}

static void say_disconnected(const struct store *store, const struct process *process,
			     const struct report_executor *out, struct sentences *s,
			     struct arena *arena)
{
	if (store_held_at(store, process)) {
		say(s, "It is held: it takes itself for registered with an agent that is not "
		       "there, and its clock does not run until it loses a link again.");
		return;
	}
	if (store_held_before(store, process))
		say(s, "It was held before: unless it has registered since, its clock does not "
		       "run.");
	say(s,
	    arena_printf(arena,
			 "It registered once and has no link: it waits for %s agent and shuts down "
			 "%s after it lost the old one.",
			 out->protocol == PROTOCOL_V1 ? "an" : "a restarted",
			 text_of_timeout(out->recovery_timeout, arena)));
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
		say_unregistered(executor, s);
		break;
	case VERDICT_DISCONNECTED:
		say_disconnected(store, executor->process, out, s, arena);
		break;
	case VERDICT_SELF_HEALING:
		say_self_healing(s, p, e, out, arena);
		break;
	case VERDICT_HALF_OPEN:
	case VERDICT_AT_RISK:
		if (out->protocol == PROTOCOL_V1 && out->n_links < V1_CONNECTIONS)
			say(s, "It has one of its two connections to the agent, and each "
			       "needs the other.");
		explain_links(s, out, arena);
		explain_relink(s, p, e, arena);
		break;
	case VERDICT_HEALTHY:
		explain_sound_link(s, &out->links[0], arena);
		break;
	case VERDICT_UNKNOWN:
	case VERDICT_COUNT:
		say_unknown(store, executor, s, e, out, arena);
		break;
	}
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

void explain_fill(const struct store *store, const struct executor *executor,
		  const struct evidence *evidence, struct report_executor *out, struct arena *arena)
{
	struct sentences s = sentences_new(arena);
	enum acting_rule rule;

	fill_why(store, executor, evidence, out, &s, arena);
	say_tracer(&s, &executor->process->facts, evidence, arena);
	out->why = s.v;
	out->n_why = s.n;
	out->advice = advice_for(store, executor, evidence, out, arena);
	rule = acting_rule_of(store, executor, out);
	out->forbidden = acting_refusal(rule, store, executor, out, arena);
}
