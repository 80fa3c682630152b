/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/outcome.h"

#include <string.h>

#include "base/arena.h"
#include "model/judge/agent_away.h"
#include "model/judge/agent_end.h"
#include "model/judge/agent_state.h"
#include "model/judge/end_unseen.h"
#include "model/judge/evidence.h"
#include "model/judge/exit_cause.h"
#include "model/judge/identity.h"
#include "model/judge/proof.h"
#include "model/judge/self_termination.h"

/* ---- when it was cut off ---- */

int64_t outcome_treated_at(const struct store *store, int32_t pid, uint64_t start,
			   int64_t recovery_timeout)
{
	int64_t at = store_treated_at(store, pid, start);

	return at && at + recovery_timeout + AGENT_DESTROY_TIMEOUT > store->now ? at : 0;
}

/*
 * When an executor was disconnected whose disconnection was not observed, mono; 0: it was not. The
 * baseline or the audit log (an act made it drop its link) may tell when. Else only the latest
 * possible time is known: the time of the baseline that shows it disconnected already, or when the
 * agent of the baseline had ended at the latest. *latest: the time is such a bound.
 */
static int64_t down_unseen(const struct store *store, const struct fact_baseline *b,
			   const struct process *process, size_t n_links, bool *latest)
{
	int64_t treated = outcome_treated_at(store, b->pid, b->start, b->recovery_timeout);
	int64_t taken = store_mono(store, b->taken_wall);

	*latest = false;
	if (process->history.registered || n_links)
		return 0;
	if (b->disconnected_wall)
		return store_mono(store, b->disconnected_wall);
	if (treated)
		return treated;
	if (strcmp(b->verdict, "disconnected") != 0 && !b->link)
		return 0;
	*latest = true;
	return strcmp(b->verdict, "disconnected") == 0 ? taken : agent_away_gone_by(store, b);
}

int64_t outcome_proven_at(const struct store *store, const struct fact_baseline *b)
{
	const struct process *process = store_process_find(store, b->pid, b->start);

	if (!process_is_alive(process) || !process->history.last_down)
		return 0;
	return self_termination_by(process, process->history.last_down + b->recovery_timeout);
}

/* ---- the living ---- */

static const char *why_same(const struct store *store, const struct process *process)
{
	return outcome_treated_at(store, process->key.pid, process->key.start,
				  evidence_recovery_timeout(&process->facts))
		       ? "It was made to drop its link and waits for the restarted agent; "
			 "the present one does not ask it."
		       : "It lost its link and waits for a restarted agent; the present "
			 "one does not ask it.";
}

/* Holds for the latest possible deadline too: the timeout has expired by then. */
static void judge_ending(const struct store *store, const struct process *process,
			 const struct executor *executor, struct fate *fate)
{
	fate->ending = fate->disconnected &&
		       self_termination_is_on(store, process, executor ? executor->n_links : 0,
					      fate->deadline);
	if (!fate->ending)
		return;
	fate->why = self_termination_why(store, process, fate->deadline);
	fate->advice = self_termination_advice(store, process, fate->deadline);
}

/*
 * A v1 executor cancels its recovery timer when both its connections are made, before the agent has
 * answered its SUBSCRIBE (Mesos executor/executor.cpp, connected()).
 */
static bool has_stopped_its_clock(const struct store *store, const struct executor *executor)
{
	return executor && evidence_is_v1(executor) && executor->n_links >= V1_CONNECTIONS &&
	       proof_is_linked(store, executor);
}

static void judge_waiting(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, const struct executor *executor,
			  struct fate *fate)
{
	const struct agent *agent = store_agent(store);
	int64_t bound = 0;

	fate->outcome = OUTCOME_WAITING;
	fate->advice = "";
	fate->disconnected = store_held_at(store, process) ? 0
			     : process->history.down_since
				     ? process->history.down_since
				     : down_unseen(store, b, process,
						   executor ? executor->n_links : 0, &fate->latest);
	if (!agent && store_held_at(store, process)) {
		fate->why = "It is held: it waits for an agent, and its clock does not run.";
		fate->advice = "Start the agent: the executor registers again when it is asked.";
	} else if (!agent) {
		fate->why = fate->disconnected ? "It waits for an agent; none listens."
					       : "No agent is listening; the executor has not "
						 "noticed yet.";
		fate->advice = "Start the agent before the deadline.";
	} else if (!agent_state_restarted(store, b)) {
		fate->why = why_same(store, process);
		fate->advice = "Restart the agent before the deadline.";
		bound = store_mono(store, b->taken_wall) + b->recovery_timeout;
	} else if (!agent_state_serves(store)) {
		fate->why = "The agent is back and recovering; this executor has not registered "
			    "again yet.";
		bound = agent->appeared + agent_state_reregister_timeout(store);
	} else {
		fate->why = "The agent is back and has finished its recovery; nothing shows that "
			    "this executor has registered again.";
		fate->advice = "If it is not killed now, look at the agent's log for its id.";
		bound = (agent->recovered_at ? agent->recovered_at : agent_state_serves_at(store)) +
			AGENT_DESTROY_TIMEOUT;
		if (has_stopped_its_clock(store, executor))
			fate->disconnected = 0;
		if (!fate->disconnected && store->now >= bound) {
			fate->outcome = OUTCOME_UNKNOWN; /* neither killed nor seen to register */
			return;
		}
	}
	fate->deadline = fate->ends_by = bound;
	if (fate->disconnected) {
		fate->deadline =
			self_termination_begins(process, fate->disconnected, b->recovery_timeout);
		fate->ends_by = self_termination_by(process, fate->deadline);
	}
	judge_ending(store, process, executor, fate);
}

static bool has_link(const struct executor *executor, uint64_t cookie)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].conn->facts.cookie == cookie)
			return true;
	return false;
}

/* A connection over a domain socket does not get lost. */
static bool keeps_link(const struct store *store, const struct fact_baseline *b,
		       const struct executor *executor)
{
	if (executor->process->history.down_since)
		return false;
	if (b->link)
		return has_link(executor, b->link);
	return !executor->n_links && evidence_is_v1(executor) &&
	       store_unix_links(store, executor->process) >= V1_CONNECTIONS;
}

/* Of one of its links. */
static bool has_agent_end(const struct store *store, const struct executor *executor,
			  enum ew_tri end)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (agent_end_of(store, executor->links[i].conn) == end)
			return true;
	return false;
}

/* Its end may be among lost events, and no complete scan has shown it since. */
static bool may_have_ended_unseen(const struct store *store)
{
	const uint32_t needed = SCAN_SOCKETS | SCAN_PROCESSES;

	return store_events(store).lost && (store->complete & needed) != needed;
}

static void fate_set(struct fate *fate, enum outcome outcome, const char *why, const char *advice)
{
	fate->outcome = outcome;
	fate->why = why;
	fate->advice = advice;
}

/* The agent, or we, have done what makes it go; or the agent may not keep it. */
static bool judge_going(const struct store *store, const struct fact_baseline *b,
			const struct executor *executor, struct fate *fate)
{
	int64_t told = executor->process->history.shutdown_sent;

	if (told) {
		fate_set(fate, OUTCOME_WAITING,
			 "The agent has told it to shut down; it has not exited yet.", "");
		fate->deadline = fate->ends_by = told + AGENT_DESTROY_TIMEOUT;
		return true;
	}
	if (store_treated_at(store, b->pid, b->start) > store_mono(store, b->taken_wall)) {
		fate_set(fate, OUTCOME_WAITING,
			 "It was treated, and still has the link that it had: the treatment has "
			 "had no effect yet.",
			 "Run 'execwatch audit' before the agent is restarted.");
		return true;
	}
	if (agent_state_serves(store))
		return false;
	fate_set(fate, OUTCOME_WAITING,
		 "The agent has not finished its recovery: an executor that has not registered "
		 "again by then is killed.",
		 "");
	fate->deadline = fate->ends_by =
		store_agent(store)->appeared + agent_state_reregister_timeout(store);
	return true;
}

/* It has its link, and that is not enough to call it kept. */
static bool judge_doubtful(const struct store *store, const struct executor *executor,
			   struct fate *fate)
{
	static const char treat[] = "Run 'execwatch audit', and treat it before the agent is "
				    "restarted.";

	if (has_agent_end(store, executor, EW_NO))
		fate_set(fate, OUTCOME_UNKNOWN,
			 "The agent is the same process, but this link has no agent's end: whether "
			 "it comes back at the next restart cannot be told.",
			 treat);
	else if (evidence_is_v1(executor) && executor->n_links &&
		 executor->n_links < V1_CONNECTIONS)
		fate_set(fate, OUTCOME_UNKNOWN,
			 "The agent is the same process, but this executor has one of its two "
			 "connections, and each needs the other: whether it comes back at the next "
			 "restart cannot be told.",
			 treat);
	else if (has_agent_end(store, executor, EW_UNKNOWN))
		fate_set(fate, OUTCOME_UNKNOWN,
			 "The agent is the same process, and whether it has its end of this link "
			 "could not be read: whether the executor comes back at the next restart "
			 "cannot be told.",
			 treat);
	else if (may_have_ended_unseen(store))
		fate_set(fate, OUTCOME_UNKNOWN,
			 "Events were lost, and processes or sockets could not all be read since: "
			 "whether it has ended cannot be told.",
			 "Run 'execwatch verify' again.");
	else
		return false;
	return true;
}

static void judge_kept(const struct store *store, const struct fact_baseline *b,
		       const struct executor *executor, struct fate *fate)
{
	if (judge_going(store, b, executor, fate) || judge_doubtful(store, executor, fate))
		return;
	fate->minor = store->session.restart_wanted;
	if (fate->minor)
		fate_set(fate, OUTCOME_KEPT,
			 "The agent was NOT restarted: it is the same process, and so is the link.",
			 "Restart the agent, or look why the command did not.");
	else
		fate_set(fate, OUTCOME_KEPT, "The agent is the same process, and so is the link.",
			 "");
}

/* ---- refused ---- */

/* True, with fate filled, when its agent does not take it back. */
static bool judge_refused(const struct store *store, const struct executor *executor,
			  struct arena *arena, struct fate *fate)
{
	const struct registration *h = &executor->process->history;

	if (!agent_state_serves(store) || h->refused <= h->registered)
		return false;
	fate->why = arena_printf(arena,
				 "The agent answers its SUBSCRIBE with %d: it is connected, and "
				 "not registered.",
				 h->refused_with);
	fate->advice = "Look at the agent's log for its id.";
	return true;
}

/* It registered while it was ending itself, and has not outlived that yet. */
static bool judge_too_late(const struct store *store, const struct fact_baseline *b,
			   const struct executor *executor, struct fate *fate)
{
	int64_t begun = self_termination_before_registering(
		store, executor->process, evidence_is_v1(executor), b->recovery_timeout);

	if (!begun || store->now > self_termination_by(executor->process, begun))
		return false;
	fate_set(fate, OUTCOME_WAITING,
		 "It registered again when it was ending itself already, which its driver ignores.",
		 self_termination_advice(store, executor->process, begun));
	fate->disconnected = executor->process->history.last_down;
	fate->deadline = begun;
	fate->ends_by = self_termination_by(executor->process, begun);
	fate->ending = true;
	return true;
}

static void judge_living(const struct store *store, const struct fact_baseline *b,
			 const struct executor *executor, struct arena *arena, struct fate *fate)
{
	static const char *const by[] = {
		[PROOF_MESSAGE] = "Its registration and the agent's answer were seen.",
		[PROOF_API] = "The agent lists it, and each has its end of the link.",
		[PROOF_LINK] = "Its new link has outlived the agent's re-registration timeout.",
	};

	if (!store_agent(store)) {
		judge_waiting(store, b, executor->process, executor, fate);
		return;
	}
	if (judge_refused(store, executor, arena, fate) || judge_too_late(store, b, executor, fate))
		return;
	if (!agent_state_restarted(store, b) && keeps_link(store, b, executor)) {
		judge_kept(store, b, executor, fate);
		return;
	}
	fate->proof = agent_state_restarted(store, b) ? proof_of_restarted(store, executor)
						      : proof_of_same(store, executor);
	if (fate->proof == PROOF_NONE) {
		judge_waiting(store, b, executor->process, executor, fate);
		return;
	}
	fate->outcome = OUTCOME_REREGISTERED;
	fate->why = by[fate->proof];
}

/* The agent that serves has another id than the one that its executor belongs to. */
static bool is_given_up(const struct store *store, const struct fact_baseline *b,
			const struct executor *executor)
{
	return identity_is_given_up(store, executor && *identity_executor_agent(executor)
						   ? identity_executor_agent(executor)
						   : b->slave_id);
}

void outcome_judge(const struct executors *view, const struct fact_baseline *b, struct arena *arena,
		   struct fate *fate)
{
	const struct process *process = store_process_find(view->store, b->pid, b->start);
	const struct executor *executor = executors_find(view, b->pid, b->start);

	*fate = (struct fate){
		.outcome = OUTCOME_UNKNOWN, .killer_comm = "", .why = "", .advice = ""
	};
	if (process && process->ended) {
		exit_cause_judge(view->store, b, process, arena, fate);
	} else if (!process || process->vanished) {
		end_unseen_judge(view->store, b, process, arena, fate);
	} else if (is_given_up(view->store, b, executor)) {
		fate->outcome = OUTCOME_ORPHANED;
		fate->why =
			arena_printf(arena,
				     "It lives, but the agent here has the id %s now: it will not "
				     "take this executor back.",
				     identity_agent_id(view->store));
		fate->advice = "Let its framework start the task again.";
	} else if (!executor) {
		/* It runs without any socket: it waits for the next agent. */
		judge_waiting(view->store, b, process, NULL, fate);
	} else {
		judge_living(view->store, b, executor, arena, fate);
	}
}
