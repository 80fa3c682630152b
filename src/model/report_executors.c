/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The executors of a report: their verdicts or, compared with a baseline, their outcomes. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/appeared.h"
#include "model/judge/evidence.h"
#include "model/judge/explain.h"
#include "model/judge/guard.h"
#include "model/judge/outcome.h"
#include "model/judge/self_termination.h"
#include "model/model_private.h"
#include "model/verdict_table.h"

/* The report outlives the model: every text is copied. */
static const char *const *copy_texts(struct arena *arena, const char *const *texts, size_t n)
{
	const char **copy = arena_array(arena, n, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = arena_text(arena, texts[i]);
	return copy;
}

static void links_fill(const struct store *store, const struct executor *executor,
		       struct report_executor *out, struct arena *arena)
{
	struct report_link *links = arena_array(arena, executor->n_links, sizeof(*links));
	const struct process_facts *p = &executor->process->facts;

	for (size_t i = 0; links && i < executor->n_links; i++) {
		const struct connection *conn = executor->links[i].conn;
		const struct fact_socket *s = &conn->facts;
		const struct firewall *firewall = evidence_firewall(store, conn);
		struct link_evidence evidence =
			evidence_of_link(store, conn, evidence_recovery_timeout(p));

		links[i] = (struct report_link){
			.fd = executor->links[i].fd,
			.inode = s->inode,
			.cookie = s->cookie,
			.local = s->local,
			.remote = s->remote,
			.netns = s->netns,
			.state = s->state,
			.agent_end = evidence.agent_end,
			.agent_silent = evidence_agent_is_silent(store, conn),
			.conntrack = evidence.conntrack,
			.expires = evidence.conntrack == CONNTRACK_ENTRY ? evidence.expires : -1,
			.accepted = evidence.accepted,
			.rule = arena_text(arena, firewall ? firewall->rule : ""),
			.cure = arena_text(arena, firewall ? firewall->cure : ""),
			.not_judged = arena_text(arena, firewall ? firewall->not_judged : ""),
			.at_risk = link_state_of(&evidence) == LINK_AT_RISK,
			.idle = s->idle,
			.keepalive = evidence_keepalive(store, conn),
		};
	}
	out->links = links;
	out->n_links = links ? executor->n_links : 0;
}

static void process_fill(const struct process *process, struct report_executor *out,
			 struct arena *arena)
{
	const struct process_facts *p = &process->facts;

	out->comm = arena_text(arena, p->comm);
	out->checkpoint = p->checkpoint;
	out->recovery_timeout = evidence_recovery_timeout(p);
	out->library_version = *p->library_version ? arena_text(arena, p->library_version) : NULL;
}

static void tasks_fill(struct report_executor *out, const char *const *tasks, size_t n,
		       struct arena *arena)
{
	out->tasks = copy_texts(arena, tasks, n);
	out->n_tasks = out->tasks ? n : 0;
}

/* Its clock runs, or has run out. */
static void cut_off_fill(const struct store *store, const struct process *process, int64_t down,
			 struct report_executor *out, struct arena *arena)
{
	int64_t begins = self_termination_begins(process, down, out->recovery_timeout);
	const char **why;

	out->deadline = store_wall(store, begins);
	if (!self_termination_is_on(store, process, out->n_links, begins))
		return;
	out->ends_by = store_wall(store, self_termination_by(process, begins));
	out->severity = SEVERITY_CRITICAL;
	out->advice = self_termination_advice(store, process, begins);
	why = arena_array(arena, 1, sizeof(*why));
	if (why)
		why[0] = self_termination_why(store, process, begins);
	out->why = why;
	out->n_why = why ? 1 : 0;
}

/*
 * When it lost its link was seen, or an act of ours made it, or is not known: then it was before
 * this session, and its deadline is no later than that of now.
 */
static void clock_fill(const struct store *store, const struct process *process,
		       struct report_executor *out, struct arena *arena)
{
	int64_t down = process->history.down_since, held = store_held_at(store, process);
	int64_t treated = outcome_treated_at(store, process->key.pid, process->key.start,
					     out->recovery_timeout);

	out->held = store_wall(store, held);
	if (held) {
		out->severity = SEVERITY_WARNING; /* its clock was stopped */
		return;
	}

	out->treated = treated && out->verdict == VERDICT_DISCONNECTED;
	if (!down && out->treated)
		down = treated;
	out->disconnected = store_wall(store, down);
	out->deadline_latest = !down && out->verdict == VERDICT_DISCONNECTED;
	if (out->deadline_latest)
		down = store->session_began;
	if (down)
		cut_off_fill(store, process, down, out, arena);
}

static void executor_fill(const struct store *store, const struct executor *executor,
			  struct report_executor *out, struct arena *arena)
{
	const struct process_facts *p = &executor->process->facts;
	struct evidence evidence = evidence_of_executor(store, executor, arena);

	out->executor_id = arena_text(arena, p->executor_id);
	out->framework_id = arena_text(arena, p->framework_id);
	out->container_id = arena_text(arena, p->container_id);
	out->pid = executor->process->key.pid;
	out->start = executor->process->key.start;
	out->protocol = evidence.protocol;
	out->killer_comm = "";
	process_fill(executor->process, out, arena);
	links_fill(store, executor, out, arena);
	if (executor->checkpoint)
		tasks_fill(out, executor->checkpoint->facts.tasks,
			   executor->checkpoint->facts.n_tasks, arena);
	out->asked = executor->process->history.asked > executor->process->history.registered;
	out->upid = arena_text(arena, executor->checkpoint ? executor->checkpoint->facts.upid : "");
	out->slave_pid = arena_text(arena, p->slave_pid);
	out->slave_id = arena_text(arena, p->slave_id);
	out->verdict = verdict_of(&evidence);
	out->severity = verdict_severity(out->verdict);
	out->guardable =
		guard_reaches_all(executor) && guard_would_treat(store, executor, &evidence);
	explain_fill(store, executor, &evidence, out, arena);
	clock_fill(store, executor->process, out, arena);
}

static enum protocol protocol_parse(const char *text)
{
	return strcmp(text, "v0") == 0	 ? PROTOCOL_V0
	       : strcmp(text, "v1") == 0 ? PROTOCOL_V1
					 : PROTOCOL_UNKNOWN;
}

static void fate_fill(const struct executors *view, const struct fact_baseline *b,
		      struct report_executor *out, struct arena *arena)
{
	const struct store *store = view->store;
	const char **why = arena_array(arena, 2, sizeof(*why));
	struct fate fate;

	outcome_judge(view, b, arena, &fate);
	out->outcome = fate.outcome;
	out->proof = fate.proof;
	out->cause = fate.cause;
	out->severity = fate.ending  ? SEVERITY_CRITICAL
			: fate.minor ? SEVERITY_WARNING
				     : outcome_severity(fate.outcome);
	out->deadline_latest = fate.deadline && fate.latest;
	out->disconnected = fate.latest ? 0 : store_wall(store, fate.disconnected);
	out->deadline = store_wall(store, fate.deadline);
	out->ends_by = fate.ending ? store_wall(store, fate.ends_by) : 0;
	out->ended = store_wall(store, fate.ended);
	out->killer = fate.killer;
	out->killer_comm = arena_text(arena, fate.killer_comm);
	out->advice = fate.advice;
	if (why)
		why[0] = fate.why;
	out->why = why;
	out->n_why = why ? 1 : 0;
	if (why && out->deadline_latest)
		why[out->n_why++] = "When it lost its link was not seen: it ends itself at the "
				    "deadline at the latest.";
}

/* For `shutdown`: the verdict of the audit before the acts, and the deadline as of now. */
static void treated_fill(const struct store *store, const struct process *process,
			 struct report_executor *out, struct arena *arena)
{
	out->severity = verdict_severity(out->verdict);
	out->forbidden = verdict_refusal(out->verdict);
	out->advice = "";
	if (process)
		clock_fill(store, process, out, arena);
	if (out->deadline && !out->ends_by)
		out->advice = "Restart the agent before the deadline.";
}

static void baseline_fill(const struct executors *view, const struct fact_baseline *b,
			  bool outcomes, struct report_executor *out, struct arena *arena)
{
	const struct process *process = store_process_find(view->store, b->pid, b->start);
	const struct executor *executor = executors_find(view, b->pid, b->start);

	out->executor_id = arena_text(arena, b->executor_id);
	out->framework_id = arena_text(arena, b->framework_id);
	out->container_id = arena_text(arena, b->container_id);
	out->pid = b->pid;
	out->start = b->start;
	out->comm = "";
	out->checkpoint = true;
	out->recovery_timeout = b->recovery_timeout;
	out->protocol = protocol_parse(b->protocol);
	tasks_fill(out, b->tasks, b->n_tasks, arena);
	if (!verdict_parse(b->verdict, &out->verdict))
		out->verdict = VERDICT_UNKNOWN;
	if (process && process->known)
		process_fill(process, out, arena);
	if (executor)
		links_fill(view->store, executor, out, arena);
	if (outcomes)
		fate_fill(view, b, out, arena);
	else
		treated_fill(view->store, process, out, arena);
}

static int executor_order(const void *a, const void *b)
{
	const struct report_executor *x = a, *y = b;
	int order = severity_rank(x->severity) - severity_rank(y->severity);

	order = order ? order : strcmp(x->executor_id, y->executor_id);
	order = order ? order : strcmp(x->framework_id, y->framework_id);
	return order ? order : x->pid - y->pid;
}

/* An executor that came after the baseline, compared as if that had it. */
static void came_fill(const struct executors *view, const struct process *process,
		      struct report_executor *out, struct arena *arena)
{
	struct fact_baseline b = appeared_baseline(view->store, process);

	*out = (struct report_executor){ 0 };
	baseline_fill(view, &b, true, out, arena);
	out->appeared = true;
}

/* Living ones by their verdict, those that have ended by what is known of that. */
static void appeared_processes_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;

	for (size_t i = 0; i < view->n_executors; i++) {
		struct report_executor *out = &report->executors[report->n_executors];
		const char **why;

		if (!appeared_is_living(store, &view->executors[i]))
			continue;
		if (appeared_came_back(store, &view->executors[i])) {
			came_fill(view, view->executors[i].process, out, report->arena);
			report->n_executors++;
			continue;
		}
		executor_fill(store, &view->executors[i], out, report->arena);
		why = arena_array(report->arena, 1, sizeof(*why));
		/* Of another agent id: not launched by this one, so it is none that came. */
		if (out->verdict == VERDICT_FOREIGN || out->verdict == VERDICT_ORPHANED || !why)
			continue;
		why[0] = appeared_outcome(out, &out->outcome);
		out->why = why;
		out->n_why = 1;
		out->severity = outcome_severity(out->outcome);
		out->appeared = true;
		report->n_executors++;
	}
	HASH_ITER(hh, store->processes, process, next)
	{
		if (appeared_is_dead(store, process))
			came_fill(view, process, &report->executors[report->n_executors++],
				  report->arena);
	}
}

/* Of a process that ended before it was read only the executor's id and the pid are known. */
static bool is_row_of_run(const struct report_executor *row, const struct run_key *key,
			  const struct checkpoint *checkpoint)
{
	if (strcmp(row->executor_id, key->executor_id) != 0 ||
	    strcmp(row->framework_id, key->framework_id) != 0)
		return false;
	if (*row->container_id)
		return strcmp(row->container_id, key->container_id) == 0;
	return !checkpoint || !checkpoint->facts.forked_pid ||
	       checkpoint->facts.forked_pid == row->pid;
}

/* A completed run that no process was seen of, or none that was seen to act as an executor. */
static void appeared_run_fill(const struct executors *view, const struct run_key *key,
			      const struct checkpoint *checkpoint, const char *slave_id,
			      struct report *report)
{
	static const char *const unseen[] = {
		"Its run came after the audit and is completed, and no process of it was seen: "
		"what became of it is not known."
	};
	struct report_executor *out = &report->executors[report->n_executors];
	struct process process = appeared_process_of_run(key, slave_id);

	if (!appeared_is_run_over(view->store, key, checkpoint))
		return;
	for (size_t i = 0; i < report->n_executors; i++)
		if (is_row_of_run(&report->executors[i], key, checkpoint))
			return;
	came_fill(view, &process, out, report->arena);
	if (out->outcome == OUTCOME_UNKNOWN) {
		out->why = unseen;
		out->n_why = 1;
	}
	report->n_executors++;
}

static void appeared_runs_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct checkpoint *checkpoint, *next_checkpoint;
	const struct listing *listing, *next_listing;

	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint)
	{
		if (checkpoint->facts.completed && store->has_work_dir &&
		    store->work_dir.same_boot != EW_NO &&
		    strcmp(checkpoint->facts.slave_id, store->work_dir.slave_id) == 0)
			appeared_run_fill(view, &checkpoint->key, checkpoint,
					  checkpoint->facts.slave_id, report);
	}
	HASH_ITER(hh, store->listings, listing, next_listing)
	{
		if (listing->completed && listing->answer_nr == store->listed_answer_nr &&
		    store->session.elsewhere != EW_UNKNOWN)
			appeared_run_fill(view, &listing->key, NULL, store->api.slave_id, report);
	}
}

static void appeared_fill(const struct executors *view, struct report *report)
{
	appeared_processes_fill(view, report);
	appeared_runs_fill(view, report);
}

/*
 * A recording that lacks lines may lack the one that tells of a loss: what it says of a loss
 * counts, and nobody is well, or can be treated, by it.
 */
static void incomplete_judge(struct report *report)
{
	static const char *const why[] = {
		"The recording lacks lines: what they said of this executor is not known."
	};

	for (size_t i = 0; i < report->n_executors; i++) {
		struct report_executor *executor = &report->executors[i];

		if (executor->severity != SEVERITY_OK && executor->severity != SEVERITY_WARNING)
			continue;
		if (report_has_outcomes(report)) {
			executor->outcome = OUTCOME_UNKNOWN;
			executor->proof = PROOF_NONE;
			executor->cause = CAUSE_NONE;
		} else {
			executor->verdict = VERDICT_UNKNOWN;
		}
		executor->severity = SEVERITY_UNKNOWN;
		executor->why = why;
		executor->n_why = 1;
		executor->advice = "";
	}
}

static void executors_count(struct report *report)
{
	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];

		report->verdicts[executor->verdict]++;
		report->outcomes[executor->outcome] += report_has_outcomes(report);
		report->ending += executor->ends_by != 0;
	}
	qsort(report->executors, report->n_executors, sizeof(*report->executors), executor_order);
}

static void ended_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;
	size_t max = store->baselines.n + HASH_COUNT(store->processes);

	report->ended = arena_array(report->arena, max, sizeof(*report->ended));
	if (!report->ended)
		return;
	for (size_t i = 0; i < store->baselines.n; i++) {
		const struct fact_baseline *b = &store->baselines.v[i];

		if (!process_is_alive(store_process_find(store, b->pid, b->start)))
			baseline_fill(view, b, true, &report->ended[report->n_ended++],
				      report->arena);
	}
	HASH_ITER(hh, store->processes, process, next)
	{
		if (appeared_is_dead(store, process))
			came_fill(view, process, &report->ended[report->n_ended++], report->arena);
	}
	if (report->n_ended)
		qsort(report->ended, report->n_ended, sizeof(*report->ended), executor_order);
}

static bool is_same(const struct report_executor *a, const struct report_executor *b)
{
	return strcmp(a->executor_id, b->executor_id) == 0 &&
	       strcmp(a->framework_id, b->framework_id) == 0 &&
	       strcmp(a->container_id, b->container_id) == 0;
}

/* Checkpoints and the agent's API may list an executor for a while after its process has ended. */
static void ended_remove(struct report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];
		bool ended = false;

		for (size_t j = 0; executor->pid <= 0 && j < report->n_ended; j++)
			ended |= is_same(executor, &report->ended[j]);
		if (!ended)
			report->executors[kept++] = *executor;
	}
	report->n_executors = kept;
}

void report_executors_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	bool outcomes = report_has_outcomes(report),
	     compared = outcomes || report->kind == REPORT_SHUTDOWN;
	size_t n = compared ? store->baselines.n : view->n_executors;
	size_t max = n;

	if (outcomes)
		max += view->n_executors + HASH_COUNT(store->processes) +
		       HASH_COUNT(store->checkpoints) + HASH_COUNT(store->listings);
	report->executors = arena_array(report->arena, max, sizeof(*report->executors));
	if (!report->executors)
		return;
	report->n_executors = n;
	for (size_t i = 0; i < n; i++) {
		struct report_executor *out = &report->executors[i];

		if (compared)
			baseline_fill(view, &store->baselines.v[i], outcomes, out, report->arena);
		else
			executor_fill(store, &view->executors[i], out, report->arena);
	}
	if (outcomes)
		appeared_fill(view, report);
	if (report->kind == REPORT_WATCH) {
		ended_fill(view, report);
		ended_remove(report);
	}
	if (store->incomplete)
		incomplete_judge(report);
	executors_count(report);
}
