/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/outcome.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "model/gather.h"

#define SECOND 1000000000LL

/* Mesos' own clock ticks and the kernel's need not agree to the millisecond. */
#define TIMER_SLACK SECOND

/* After its verdict an agent stops a container for up to so long (DESTROY_TIMEOUT, Mesos constants.hpp). */
#define DESTROY_TIMEOUT (60 * SECOND)

static int64_t to_mono(const struct store *store, int64_t wall)
{
	return wall ? wall - store->window.wall_offset : 0;
}

/* ---- the agent ---- */

bool outcome_agent_serves(const struct store *store)
{
	const struct agent *agent = store_agent(store);

	if (!agent)
		return false;
	if (store->recovered_at >= agent->appeared && store->recovered_at)
		return true;
	/* Its API cannot be asked (401, TLS, …): after its recovery's longest time it has ended one way or the other. */
	return store->has_api && *store->api.problem && store->api.http_status != 503 &&
	       store->now - agent->appeared > 15 * SECOND + gather_reregister_timeout(store);
}

static bool restarted_since(const struct store *store, const struct fact_baseline *b)
{
	const struct agent *agent = store_agent(store);

	return agent && (agent->facts.pid != b->agent_pid || agent->facts.start != b->agent_start);
}

/* ---- when it was cut off ---- */

/* Its clock began before anybody watched: the baseline may know when, else it was after the audit. */
static int64_t down_unseen(const struct view *view, const struct fact_baseline *b,
			   const struct process *process)
{
	const struct view_executor *executor = view_find(view, b->pid, b->start);

	if (process->history.registered || (executor && executor->n_links))
		return 0;
	if (b->disconnected_wall)
		return to_mono(view->store, b->disconnected_wall);
	return b->link ? to_mono(view->store, b->taken_wall) : 0;
}

static int64_t down_since(const struct view *view, const struct fact_baseline *b,
			  const struct process *process)
{
	return process->history.down_since ? process->history.down_since
					   : down_unseen(view, b, process);
}

int64_t outcome_proven_at(const struct store *store, const struct fact_baseline *b)
{
	const struct process *process = store_process_find(store, b->pid, b->start);

	if (!process || process->ended || process->vanished || !process->history.last_down)
		return 0;
	return process->history.last_down + b->recovery_timeout;
}

/* ---- the dead ---- */

static bool is_fault(int sig)
{
	return sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
	       sig == SIGTRAP || sig == SIGSYS;
}

static bool was_its_timer(const struct process *process, int64_t down, int64_t timeout)
{
	if (!down)
		return false;
	return process->history.down_twice || process->history.ended_its_task > down ||
	       process->ended_at >= down + timeout - TIMER_SLACK;
}

static void self_terminated(const struct fact_baseline *b, const struct process *process,
			    int64_t down, struct arena *arena, struct fate *fate)
{
	fate->outcome = OUTCOME_SELF_TERMINATED;
	fate->deadline = down + b->recovery_timeout;
	fate->advice = "The task is lost: let its framework start it again.";
	if (process->history.down_twice)
		fate->why = "It ended itself: its link ended a second time before it had registered again.";
	else
		fate->why = arena_printf(arena, "It ended itself %lld s after it lost the agent; its recovery timeout is %lld s.",
					 (long long)((process->ended_at - down) / SECOND),
					 (long long)(b->recovery_timeout / SECOND));
}

static void ended_by_signal(const struct store *store, const struct fact_baseline *b,
			    const struct process *process, int64_t down, struct arena *arena,
			    struct fate *fate)
{
	int sig = WTERMSIG(process->exit.status);
	bool sender_known = process->exit.killer && process->exit.signal == sig;

	fate->outcome = OUTCOME_KILLED;
	fate->advice = "The task is lost: let its framework start it again.";
	if (sender_known) {
		fate->killer = process->exit.killer;
		fate->killer_comm = process->exit.killer_comm;
	}
	if (sender_known && store_is_agent(store, process->exit.killer, process->exit.killer_start)) {
		fate->outcome = OUTCOME_KILLED_BY_AGENT;
		fate->why = arena_printf(arena, "The agent (pid %d) killed it with signal %d: it had not registered again in time.",
					 fate->killer, sig);
	} else if (is_fault(sig)) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It crashed with signal %d (%s).", sig, sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
	} else if (sender_known && fate->killer == b->pid && was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else if (sender_known) {
		fate->why = arena_printf(arena, "Signal %d from pid %d (%s) killed it.", sig, fate->killer,
					 fate->killer_comm);
	} else {
		fate->why = arena_printf(arena, "Signal %d killed it; who sent it was not seen (the kernel itself, when memory is short).", sig);
	}
}

static void ended_by_exit(const struct store *store, const struct fact_baseline *b,
			  const struct process *process, int64_t down, struct arena *arena,
			  struct fate *fate)
{
	int code = WEXITSTATUS(process->exit.status);
	bool agent_away = !store_agent(store) || down;

	if (process->history.told_to_end) {
		fate->outcome = OUTCOME_KILLED_BY_AGENT;
		fate->why = "The agent told it to shut down.";
		fate->advice = "The task is lost: let its framework start it again.";
	} else if (was_its_timer(process, down, b->recovery_timeout)) {
		self_terminated(b, process, down, arena, fate);
	} else if (code) {
		fate->outcome = OUTCOME_CRASHED;
		fate->why = arena_printf(arena, "It ended with exit status %d.", code);
		fate->advice = "Look at the end of its stderr in its sandbox.";
	} else {
		fate->outcome = OUTCOME_FINISHED;
		fate->why = agent_away
			? "Its task ended by itself (exit status 0) while no agent was there: its framework will be told TASK_FAILED all the same."
			: "Its task ended by itself (exit status 0).";
	}
}

static void judge_dead(const struct view *view, const struct fact_baseline *b,
		       const struct process *process, struct arena *arena, struct fate *fate)
{
	int64_t down = process->history.down_since ? process->history.down_since
						   : to_mono(view->store, b->disconnected_wall);

	fate->ended = process->ended_at;
	if (process->exit.status < 0) {
		fate->why = "It has ended; how was not seen.";
		fate->advice = "Look at the end of its stderr in its sandbox, and at the agent's log.";
	} else if (WIFSIGNALED(process->exit.status)) {
		ended_by_signal(view->store, b, process, down, arena, fate);
	} else {
		ended_by_exit(view->store, b, process, down, arena, fate);
	}
}

/* ---- the living ---- */

static bool agent_has_its_end(const struct store *store, const struct view_executor *executor)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (gather_link(store, executor->links[i].conn).agent_end != TRI_YES)
			return false;
	return executor->n_links > 0;
}

/* A run that the agent lists after its recovery: those that had not come back it has thrown out by then. */
static bool is_listed(const struct store *store, const struct fact_process *p, int64_t since)
{
	struct run_key key;
	struct listing *listing;

	memset(&key, 0, sizeof(key));
	key.framework_id = p->framework_id;
	key.executor_id = p->executor_id;
	key.container_id = p->container_id;
	HASH_FIND(hh, store->listings, &key, sizeof(key), listing);
	return listing && !listing->completed && listing->round == store->listed_round &&
	       store->listed_at > since;
}

static bool has_newer_link(const struct view_executor *executor, int64_t since)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].conn->established_at <= since)
			return false;
	return executor->n_links > 0;
}

static enum proof proof_of(const struct store *store, const struct view_executor *executor,
			   int64_t since)
{
	const struct history *h = &executor->process->history;
	bool linked = agent_has_its_end(store, executor);
	int64_t settled = store->recovered_at + gather_reregister_timeout(store);

	if (h->registered > since && h->register_sent > since && h->registered >= h->register_sent &&
	    !h->down_since)
		return PROOF_MESSAGE;
	if (!outcome_agent_serves(store))
		return PROOF_NONE;
	if (is_listed(store, &executor->process->facts, since) &&
	    (linked || *executor->process->facts.domain_socket))
		return PROOF_API;
	if (linked && store->now > settled && has_newer_link(executor, since))
		return PROOF_LINK;
	return PROOF_NONE;
}

static bool treated(const struct store *store, const struct fact_baseline *b)
{
	for (size_t i = 0; i < store->acts.n; i++)
		if (store->acts.v[i].facts.pid == b->pid && store->acts.v[i].facts.start == b->start &&
		    strcmp(store->acts.v[i].facts.result, "done") == 0)
			return true;
	return false;
}

static void judge_waiting(const struct view *view, const struct fact_baseline *b,
			  const struct process *process, struct fate *fate)
{
	const struct store *store = view->store;
	const struct agent *agent = store_agent(store);

	fate->outcome = OUTCOME_WAITING;
	fate->disconnected = down_since(view, b, process);
	if (fate->disconnected)
		fate->deadline = fate->disconnected + b->recovery_timeout;
	if (!agent) {
		fate->why = "It waits for an agent; none listens.";
		fate->advice = "Start the agent before the deadline.";
	} else if (!restarted_since(store, b)) {
		fate->why = treated(store, b)
			? "It was made to drop its link and waits for the restarted agent; the present one does not ask it."
			: "It lost its link and waits for a restarted agent; the present one does not ask it.";
		fate->advice = "Restart the agent before the deadline.";
	} else if (!outcome_agent_serves(store)) {
		fate->why = "The agent is back and recovering; this executor has not registered again yet.";
		fate->advice = "";
		if (!fate->deadline)
			fate->deadline = agent->appeared + gather_reregister_timeout(store);
	} else {
		fate->why = "The agent is back and has finished its recovery; nothing shows that this executor has registered again.";
		fate->advice = "If it is not killed now, look at the agent's log for its id.";
		if (!fate->deadline)
			fate->deadline = store->recovered_at + DESTROY_TIMEOUT;
	}
}

static bool has_link(const struct view_executor *executor, uint64_t cookie)
{
	for (size_t i = 0; i < executor->n_links; i++)
		if (executor->links[i].conn->cookie == cookie)
			return true;
	return false;
}

/* Over a domain socket there is no link to lose. */
static bool keeps_link(const struct fact_baseline *b, const struct view_executor *executor)
{
	if (executor->process->history.down_since)
		return false;
	return b->link ? has_link(executor, b->link)
		       : !executor->n_links && *executor->process->facts.domain_socket;
}

static void judge_living(const struct view *view, const struct fact_baseline *b,
			 const struct view_executor *executor, struct fate *fate)
{
	static const char *const by[] = {
		[PROOF_MESSAGE] = "Its registration and the agent's answer were seen.",
		[PROOF_API] = "The restarted agent lists it, and each has its end of the link.",
		[PROOF_LINK] = "Its new link has outlived the agent's re-registration timeout.",
	};
	const struct store *store = view->store;
	const struct process *process = executor->process;
	const struct agent *agent = store_agent(store);
	bool restarted = restarted_since(store, b);
	int64_t since = restarted && agent ? agent->appeared : process->history.last_down;

	if (restarted || process->history.last_down)
		fate->proof = proof_of(store, executor, since);
	if (fate->proof != PROOF_NONE) {
		fate->outcome = OUTCOME_REREGISTERED;
		fate->why = by[fate->proof];
		return;
	}
	if (agent && !restarted && keeps_link(b, executor)) {
		fate->outcome = OUTCOME_KEPT;
		fate->why = "The agent is the same process, and so is the link.";
		return;
	}
	judge_waiting(view, b, process, fate);
}

void outcome_judge(const struct view *view, const struct fact_baseline *b, struct arena *arena,
		   struct fate *fate)
{
	const struct process *process = store_process_find(view->store, b->pid, b->start);
	const struct view_executor *executor = view_find(view, b->pid, b->start);

	*fate = (struct fate){ .outcome = OUTCOME_UNKNOWN, .killer_comm = "", .why = "", .advice = "" };
	if (process && process->ended) {
		judge_dead(view, b, process, arena, fate);
	} else if (!process || process->vanished) {
		fate->ended = process ? process->ended_at : 0;
		fate->why = "It has ended; its end was not seen, so how is not known.";
		fate->advice = "Look at the end of its stderr in its sandbox, and at the agent's log.";
	} else if (!executor) {
		/* Lives, and has no socket at all: it waits with nothing in its hands. */
		judge_waiting(view, b, process, fate);
	} else {
		judge_living(view, b, executor, fate);
	}
}
