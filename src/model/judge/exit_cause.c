/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The cause of an executor's exit: its task, its recovery timeout, the agent, or another process.
 */
#include "model/judge/exit_cause.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/judge/agent_state.h"
#include "model/judge/end_unseen.h"
#include "model/judge/exit_by_task.h"
#include "model/judge/outcome.h"
#include "model/judge/self_termination.h"

/* Mesos' own clock ticks and the kernel's need not agree to the millisecond. */
#define TIMER_SLACK NS_PER_S

/* From its signal to its task to its own end: the task's grace period, docker stop, a status
 * update. */
#define STOP_MAX (60 * NS_PER_S)

/* When its recovery timeout began to run; at 0: it did not. */
struct countdown {
	int64_t at;
	int64_t twice; /* when a second disconnection ended it; 0: none did */
	bool seen;     /* false: at some time between the audit and the first scan after it */
};

static bool was_linked(const struct process *process, int64_t since)
{
	return process->last_link > since || process->history.registered > since;
}

/* It registered while it was ending itself, which the driver ignores: its clock is the one of
 * before. */
static bool registered_too_late(const struct store *store, const struct fact_baseline *b,
				const struct process *process)
{
	int64_t begun = self_termination_before_registering(
		store, process, strcmp(b->protocol, "v1") == 0, b->recovery_timeout);

	return begun && process->ended_at <= self_termination_by(process, begun);
}

static struct countdown countdown_of(const struct store *store, const struct fact_baseline *b,
				     const struct process *process)
{
	const struct registration *h = &process->history;
	struct countdown c = { .seen = true, .at = h->down_since, .twice = h->down_twice };

	if (registered_too_late(store, b, process)) {
		c.at = h->last_down;
		c.twice = h->last_twice > h->last_down ? h->last_twice : 0;
	}
	if (c.at || was_linked(process, 0))
		return c;
	if (b->disconnected_wall)
		c.at = store_mono(store, b->disconnected_wall);
	else
		c.at = store_treated_at(store, b->pid, b->start);
	if (c.at)
		return c;
	if (process->link_end) { /* dropped when it exited, or earlier */
		c.at = process->ended_at - process->link_end > TIMER_SLACK ? process->link_end : 0;
		return c;
	}
	c.seen = false;
	c.at = b->link || strcmp(b->verdict, "disconnected") == 0 ? store_mono(store, b->taken_wall)
								  : 0;
	return c;
}

static bool was_its_timer(const struct process *process, const struct countdown *down,
			  int64_t timeout)
{
	const struct registration *h = &process->history;

	if (!down->at)
		return false;
	return down->twice || process->ended_at >= down->at + timeout - TIMER_SLACK ||
	       (h->ended_its_task > down->at && process->ended_at - h->ended_its_task < STOP_MAX);
}

static void self_terminated(const struct fact_baseline *b, const struct process *process,
			    const struct countdown *down, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_SELF_TERMINATED;
	fate->deadline = down->twice ? down->twice : down->at + b->recovery_timeout;
	fate->advice = ADVICE_LOST;
	if (down->twice)
		fate->why = "It ended itself: its link ended a second time before it had "
			    "registered again.";
	else
		fate->why = arena_printf(
			arena, "It ended itself %lld s after %s; its recovery timeout is %lld s.",
			(long long)((process->ended_at - down->at) / NS_PER_S),
			down->seen ? "it lost the agent"
				   : "the audit, and it had lost the agent since",
			(long long)(b->recovery_timeout / NS_PER_S));
}

static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS || sig == SIGFPE ||
	       sig == SIGILL || sig == SIGTRAP || sig == SIGSYS;
}

/* A sentence: the agent ordered the shutdown; and the signal that made it, if seen. */
static const char *order(const struct store *store, struct arena *arena)
{
	return store->agent_signalled.at
		       ? arena_printf(
				 arena,
				 "The agent told it to shut down, after signal SIGUSR1 from pid "
				 "%d (%s) to the agent.",
				 store->agent_signalled.sender, store->agent_signalled.comm)
		       : "The agent told it to shut down.";
}

static void ended_on_shutdown(const struct store *store, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_KILLED_BY_AGENT;
	fate->why = order(store, arena);
	fate->advice = ADVICE_LOST;
}

/*
 * A late registration is only claimed when the agent had come back, its re-registration timeout had
 * passed, and no registration was seen.
 */
static bool was_late(const struct store *store, const struct fact_baseline *b,
		     const struct process *process)
{
	const struct agent *agent = store_agent(store);

	return agent && agent_state_restarted(store, b) &&
	       process->history.registered <= agent->appeared &&
	       process->ended_at >=
		       agent->appeared + agent_state_reregister_timeout(store) - TIMER_SLACK;
}

static void killed_by_agent(const struct store *store, const struct fact_baseline *b,
			    const struct process *process, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_KILLED_BY_AGENT;
	fate->why = arena_printf(
		arena, "The agent (pid %d) killed it with signal %d%s.", fate->killer,
		WTERMSIG(process->exit.status),
		was_late(store, b, process) ? ": it had not registered again in time" : "");
}

/*
 * Executors that speak v1 end by killing their own process group: on a shutdown message, and when
 * their recovery timeout expires (Mesos executor.cpp, ShutdownProcess).
 */
static void killed_itself(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, const struct countdown *down,
			  struct arena *arena, struct fate *fate)
{
	fate->killer = 0;
	fate->killer_comm = "";
	if (process->history.shutdown_sent) {
		ended_on_shutdown(store, arena, fate);
	} else if (was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else {
		fate->outcome = OUTCOME_SELF_TERMINATED;
		fate->why = "It killed its own process group, as an executor does that was told to "
			    "shut down or whose recovery timeout has run out: which of them was "
			    "not seen.";
	}
}

/*
 * No hook tells the sender. An executor that speaks v1 and whose recovery timeout has run out kills
 * itself.
 */
static void killed_by_unseen(const struct store *store, const struct fact_baseline *b,
			     const struct process *process, const struct countdown *down,
			     struct arena *arena, struct fate *fate)
{
	int sig = WTERMSIG(process->exit.status);

	if (end_by_recorded_sender(store, b, arena, fate))
		return;
	if (sig == SIGKILL && strcmp(b->protocol, "v1") == 0 &&
	    was_its_timer(process, down, b->recovery_timeout))
		self_terminated(b, process, down, arena, fate);
	else
		fate->why = arena_printf(arena,
					 "Signal %d killed it; who sent it was not seen (the "
					 "kernel itself, when memory is short).",
					 sig);
}

static void ended_by_signal(const struct store *store, const struct fact_baseline *b,
			    const struct process *process, const struct countdown *down,
			    struct arena *arena, struct fate *fate)
{
	int sig = WTERMSIG(process->exit.status);
	bool sender_known = process->exit.killer && process->exit.signal == sig;
	bool by_itself = sender_known && process->exit.killer == process->key.pid;

	fate->outcome = OUTCOME_KILLED;
	fate->advice = ADVICE_LOST;
	if (sender_known) {
		fate->killer = process->exit.killer;
		fate->killer_comm = process->exit.killer_comm;
	}
	/* The sender may have become known as the agent after the exit. */
	if (sender_known &&
	    (process->killed_by_agents ||
	     store_is_agent(store, process->exit.killer, process->exit.killer_start))) {
		killed_by_agent(store, b, process, arena, fate);
	} else if (is_fault(sig) && (by_itself || !sender_known)) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It crashed with signal %d (%s).", sig,
					 sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	} else if (by_itself) {
		killed_itself(store, b, process, down, arena, fate);
	} else if (sender_known) {
		fate->why = arena_printf(arena, "Signal %d from pid %d (%s) killed it.", sig,
					 fate->killer, fate->killer_comm);
	} else {
		killed_by_unseen(store, b, process, down, arena, fate);
	}
}

/*
 * An executor without checkpointing exits when its link ends (Mesos exec.cpp, exited(): no
 * checkpoint, or never registered). True with fate filled.
 */
static bool ended_with_its_agent(const struct fact_baseline *b, const struct process *process,
				 const struct countdown *down, struct fate *fate)
{
	bool bound = strcmp(b->verdict, "no-checkpoint") == 0;

	if (!bound && (strcmp(b->verdict, "unregistered") != 0 || process->history.registered))
		return false;
	if (!down->at || !down->seen)
		return false;
	fate->outcome = OUTCOME_SELF_TERMINATED;
	fate->why =
		bound ? "It ended with its agent, as it must: its framework does not checkpoint."
		      : "It ended with its agent, as it must: it had not registered yet.";
	fate->advice = ADVICE_LOST;
	return true;
}

/* ---- exit status 0, which does not tell the task's state ---- */

#define ZERO "It ended with exit status 0"

/* No agent listened that could have received the task's final state. */
static bool was_alone(const struct store *store, const struct process *process)
{
	int64_t gone = 0;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct agent *agent = &store->agents.v[i];

		if (agent->appeared <= process->ended_at &&
		    (!agent->gone_at || agent->gone_at > process->ended_at))
			return false;
		if (agent->gone_at && agent->gone_at > gone)
			gone = agent->gone_at;
	}
	return gone != 0;
}

/* The agent's record of a task whose executor it found gone. */
static void told_by_agent(const struct task_end *end, const struct store *store,
			  const struct process *process, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_TASK_FAILED;
	fate->cause = end->source;
	fate->why = arena_printf(
		arena,
		ZERO "%s, and its framework was told %s%s%s%s: how its task ended got to "
		     "nobody.",
		was_alone(store, process) ? " while no agent was there" : "", end->state,
		*end->reason ? " (" : "", end->reason, *end->reason ? ")" : "");
	fate->advice = ADVICE_LOST;
}

/* Older recordings have no tasks' states: this is all they tell. */
static bool task_is_over(const struct store *store, const struct fact_baseline *b)
{
	struct run_key key = { b->framework_id, b->executor_id, b->container_id };
	const struct checkpoint *checkpoint = store_checkpoint_of_run(store, &key);

	return checkpoint && b->n_tasks && !checkpoint->facts.n_tasks;
}

/* A sentence on evidence that is missing; NULL: none is. */
static const char *unseen(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, const struct countdown *down)
{
	const struct agent *agent = store_agent(store);

	if (store_events(store).lost)
		return ZERO ", and events were lost in the kernel: whether it had been told to was "
			    "not seen.";
	if (down->at && !down->seen)
		return ZERO ", and was disconnected before: whether its task had ended or its "
			    "recovery timeout had run out was not seen.";
	if (agent && agent_state_restarted(store, b) && process->ended_at > agent->appeared &&
	    !was_linked(process, agent->appeared))
		return ZERO " after the agent had come back and before it had registered again: "
			    "whether its task had ended or the agent had stopped it was not seen.";
	if (task_is_over(store, b))
		return ZERO
			", and its task is over by the agent's checkpoints: how that ended is not "
			"known.";
	if (store->checkpoints_read <= process->ended_at || store->work_dir.readable != EW_YES)
		return ZERO ": whether its task ended well was not seen.";
	return NULL;
}

static void ended_with_0(const struct store *store, const struct fact_baseline *b,
			 const struct process *process, const struct countdown *down,
			 const struct task_fate *task, struct arena *arena, struct fate *fate)
{
	fate->advice = ADVICE_LOOK;
	if (task->worst && !task->own) {
		told_by_agent(task->worst, store, process, arena, fate);
	} else if (was_alone(store, process)) {
		fate->outcome = OUTCOME_LOST;
		fate->cause = CAUSE_EVENT;
		fate->why = ZERO " while no agent was there: even if its task ended well, its "
				 "framework is told TASK_FAILED or TASK_LOST.";
	} else if (!(fate->why = unseen(store, b, process, down))) {
		fate->outcome = OUTCOME_LOST;
		fate->why = ZERO ", and neither a message nor the agent's checkpoints show that "
				 "its task ended well.";
	}
}

static void ended_by_exit(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, const struct countdown *down,
			  const struct task_fate *task, struct arena *arena, struct fate *fate)
{
	int code = WEXITSTATUS(process->exit.status);

	if (process->history.shutdown_sent) {
		ended_on_shutdown(store, arena, fate);
	} else if (ended_with_its_agent(b, process, down, fate)) {
		return;
	} else if (was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else if (code) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It ended with exit status %d.", code);
		fate->advice = ADVICE_LOOK;
	} else {
		ended_with_0(store, b, process, down, task, arena, fate);
	}
}

/* ---- the task's own end ---- */

/* True when the executor was shutting down already: by message, or by its recovery timeout. */
static bool was_ending(const struct fact_baseline *b, const struct process *process,
		       const struct countdown *down, int64_t at)
{
	const struct registration *h = &process->history;

	if (h->shutdown_sent && h->shutdown_sent <= at)
		return true;
	if (!down->at)
		return false;
	return (down->twice && down->twice <= at) ||
	       at >= down->at + b->recovery_timeout - TIMER_SLACK ||
	       (h->ended_its_task > down->at && h->ended_its_task <= at);
}

/* True when each of its tasks has a known final state that came before anything else. */
static bool task_was_first(const struct store *store, const struct fact_baseline *b,
			   const struct process *process, const struct countdown *down,
			   const struct task_fate *task)
{
	/* The absence of a shutdown message proves nothing when events were lost. */
	if (task->worst && task->worst->source == CAUSE_EVENT && store_events(store).lost)
		return false;
	return task->complete && task->own && task->arrived && task->at &&
	       task->at <= process->ended_at && !was_ending(b, process, down, task->at);
}

void exit_cause_judge(const struct store *store, const struct fact_baseline *b,
		      const struct process *process, struct arena *arena, struct fate *fate)
{
	struct task_fate task = task_fate_of(store, b, process->ended_at);
	struct countdown down = countdown_of(store, b, process);

	fate->ended = process->ended_at;
	if (task_was_first(store, b, process, &down, &task)) {
		exit_by_task(store, b, process, &task, arena, fate);
	} else if (process->exit.status < 0) {
		end_unseen_judge(store, b, process, arena, fate);
	} else {
		fate->cause = CAUSE_EVENT;
		if (WIFSIGNALED(process->exit.status) && !process->exit.killer &&
		    end_by_agents_reason(&task, arena, fate))
			return; /* the record names the sender, and the events do not */
		if (WIFSIGNALED(process->exit.status))
			ended_by_signal(store, b, process, &down, arena, fate);
		else
			ended_by_exit(store, b, process, &down, &task, arena, fate);
	}
	if (fate->outcome == OUTCOME_UNKNOWN)
		fate->cause = CAUSE_NONE;
}
