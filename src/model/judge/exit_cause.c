/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an executor's end was: its task's, its timer's, the agent's or somebody else's doing. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/judge/self_termination.h"
#include "model/judge/outcome.h"

/* Mesos' own clock ticks and the kernel's need not agree to the millisecond. */
#define TIMER_SLACK NS_PER_S

/* From its signal to its task to its own end: the task's grace period, docker stop, a status
 * update. */
#define STOP_MAX (60 * NS_PER_S)

#define LOST "The task is lost: let its framework start it again."
#define LOOK "Look at the end of its stderr in its sandbox, and at the agent's log."

/* When its clock began to run; at 0: it did not. */
struct countdown {
	int64_t at;
	bool seen; /* or else some time between the audit and the first look after it */
};

static bool was_linked(const struct process *process, int64_t since)
{
	return process->last_link > since || process->history.registered > since;
}

static struct countdown countdown_of(const struct store *store, const struct fact_baseline *b,
				     const struct process *process)
{
	struct countdown c = { .seen = true };

	c.at = process->history.down_since;
	if (c.at || was_linked(process, 0))
		return c;
	c.at = outcome_mono(store, b->disconnected_wall);
	if (c.at)
		return c;
	if (process->link_end) { /* dropped with all else as it ended, or before that */
		c.at = process->ended_at - process->link_end > TIMER_SLACK ? process->link_end : 0;
		return c;
	}
	c.seen = false;
	c.at = b->link || strcmp(b->verdict, "disconnected") == 0
		       ? outcome_mono(store, b->taken_wall)
		       : 0;
	return c;
}

static bool was_its_timer(const struct process *process, const struct countdown *down,
			  int64_t timeout)
{
	const struct registration *h = &process->history;

	if (!down->at)
		return false;
	return h->down_twice || process->ended_at >= down->at + timeout - TIMER_SLACK ||
	       (h->ended_its_task > down->at && process->ended_at - h->ended_its_task < STOP_MAX);
}

static void self_terminated(const struct fact_baseline *b, const struct process *process,
			    const struct countdown *down, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_SELF_TERMINATED;
	fate->deadline = self_termination_begins(process, down->at, b->recovery_timeout);
	fate->advice = LOST;
	if (process->history.down_twice)
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

static void told_to_end(struct fate *fate)
{
	fate->outcome = OUTCOME_KILLED_BY_AGENT;
	fate->why = "The agent told it to shut down.";
	fate->advice = LOST;
}

static void ended_by_signal(const struct store *store, const struct fact_baseline *b,
			    const struct process *process, const struct countdown *down,
			    struct arena *arena, struct fate *fate)
{
	int sig = WTERMSIG(process->exit.status);
	bool sender_known = process->exit.killer && process->exit.signal == sig;
	bool by_itself = sender_known && process->exit.killer == process->key.pid;

	fate->outcome = OUTCOME_KILLED;
	fate->advice = LOST;
	if (sender_known) {
		fate->killer = process->exit.killer;
		fate->killer_comm = process->exit.killer_comm;
	}
	/* Who the agent is may have been told after the end. */
	if (sender_known &&
	    (process->killed_by_agents ||
	     store_is_agent(store, process->exit.killer, process->exit.killer_start))) {
		fate->outcome = OUTCOME_KILLED_BY_AGENT;
		fate->why = arena_printf(arena,
					 "The agent (pid %d) killed it with signal %d: it had not "
					 "registered again in time.",
					 fate->killer, sig);
	} else if (is_fault(sig) && (by_itself || !sender_known)) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It crashed with signal %d (%s).", sig,
					 sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	} else if (by_itself && process->history.told_to_end) {
		told_to_end(fate);
	} else if (by_itself && was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else if (sender_known) {
		fate->why = arena_printf(arena, "Signal %d from pid %d (%s) killed it.", sig,
					 fate->killer, fate->killer_comm);
	} else {
		fate->why = arena_printf(arena,
					 "Signal %d killed it; who sent it was not seen (the "
					 "kernel itself, when memory is short).",
					 sig);
	}
}

/*
 * An executor of the docker containerizer ends with 0 as well when the agent stops its container,
 * and a timer may have run that nobody saw begin: only a task's own end is good news.
 */
static const char *doubt(const struct store *store, const struct fact_baseline *b,
			 const struct process *process, const struct countdown *down)
{
	const struct agent *agent = store_agent(store);

	if (down->at && !down->seen)
		return "It ended with exit status 0, and was disconnected before: whether its task "
		       "had ended or its recovery timeout had run out was not seen.";
	if (outcome_restarted(store, b) && process->ended_at > agent->appeared &&
	    !was_linked(process, agent->appeared))
		return "It ended with exit status 0 after the agent had come back and before it "
		       "had registered again: whether its task had ended or the agent had stopped "
		       "it was not seen.";
	if (store_events(store).lost)
		return "It ended with exit status 0, and events were lost in the kernel: whether "
		       "it had been told to was not seen.";
	return NULL;
}

/*
 * By design it ends when its link does (Mesos exec.cpp, exited(): no checkpoint, or never
 * registered). True with fate filled.
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
	fate->advice = LOST;
	return true;
}

static void ended_by_exit(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, const struct countdown *down,
			  struct arena *arena, struct fate *fate)
{
	int code = WEXITSTATUS(process->exit.status);

	if (process->history.told_to_end) {
		told_to_end(fate);
	} else if (ended_with_its_agent(b, process, down, fate)) {
		return;
	} else if (was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else if (code) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It ended with exit status %d.", code);
		fate->advice = LOOK;
	} else if ((fate->why = doubt(store, b, process, down))) {
		fate->advice = LOOK;
	} else {
		fate->outcome = OUTCOME_FINISHED;
		fate->why = !store_agent(store) || down->at
				    ? "Its task ended by itself (exit status 0) while no agent was "
				      "there: its framework will be told TASK_FAILED all the same."
				    : "Its task ended by itself (exit status 0).";
	}
}

void exit_cause_judge(const struct store *store, const struct fact_baseline *b,
		      const struct process *process, struct arena *arena, struct fate *fate)
{
	struct countdown down = countdown_of(store, b, process);

	fate->ended = process->ended_at;
	if (process->exit.status < 0) {
		fate->why = "It has ended; how was not seen.";
		fate->advice = LOOK;
	} else if (WIFSIGNALED(process->exit.status)) {
		ended_by_signal(store, b, process, &down, arena, fate);
	} else {
		ended_by_exit(store, b, process, &down, arena, fate);
	}
}
