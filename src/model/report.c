/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/now.h"
#include "model/judge/agent_state.h"
#include "model/appeared.h"
#include "model/exit_code.h"
#include "model/judge/deadlines.h"
#include "model/judge/self_termination.h"
#include "model/judge/evidence.h"
#include "model/model_private.h"
#include "model/judge/outcome.h"
#include "model/judge/explain.h"
#include "model/verdict_table.h"

bool report_has_outcomes(const struct report *report)
{
	return report->kind == REPORT_VERIFY || report->kind == REPORT_RUN;
}

struct report report_ended(const struct report *report)
{
	struct report ended = *report;

	ended.kind = REPORT_VERIFY;
	ended.executors = report->ended;
	ended.n_executors = report->n_ended;
	memset(ended.verdicts, 0, sizeof(ended.verdicts));
	memset(ended.outcomes, 0, sizeof(ended.outcomes));
	for (size_t i = 0; i < report->n_ended; i++)
		ended.outcomes[report->ended[i].outcome]++;
	return ended;
}

void report_free(struct report *report)
{
	if (report)
		arena_free(report->arena);
}

static int64_t to_wall(const struct store *store, int64_t mono)
{
	return mono ? mono + store->session.wall_offset : 0;
}

/* The report outlives the model: every text is copied. */
static const char *const *copy_texts(struct arena *arena, const char *const *texts, size_t n)
{
	const char **copy = arena_array(arena, n, sizeof(*copy));

	for (size_t i = 0; copy && i < n; i++)
		copy[i] = arena_text(arena, texts[i]);
	return copy;
}

/* ---- executors ---- */

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
			.conntrack = evidence.conntrack,
			.expires = evidence.conntrack == CONNTRACK_ENTRY ? evidence.expires : -1,
			.accepted = evidence.accepted,
			.rule = arena_text(arena, firewall ? firewall->rule : ""),
			.cure = arena_text(arena, firewall ? firewall->cure : ""),
			.not_judged = arena_text(arena, firewall ? firewall->not_judged : ""),
			.at_risk = link_state_of(&evidence) == LINK_AT_RISK,
			.idle = s->idle,
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

	out->deadline = to_wall(store, begins);
	if (!self_termination_is_on(store, process, out->n_links, begins))
		return;
	out->ends_by = to_wall(store, self_termination_by(process, begins));
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
	int64_t down = process->history.down_since;
	int64_t treated = outcome_treated_at(store, process->key.pid, process->key.start,
					     out->recovery_timeout);

	out->treated = treated && out->verdict == VERDICT_DISCONNECTED;
	if (!down && out->treated)
		down = treated;
	out->disconnected = to_wall(store, down);
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
	out->verdict = verdict_of(&evidence);
	out->severity = verdict_severity(out->verdict);
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
	out->disconnected = fate.latest ? 0 : to_wall(store, fate.disconnected);
	out->deadline = to_wall(store, fate.deadline);
	out->ends_by = fate.ending ? to_wall(store, fate.ends_by) : 0;
	out->ended = to_wall(store, fate.ended);
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

/* What a treated executor waits for now; its verdict stays what it was treated for. */
static void treated_fill(const struct executors *view, struct report_executor *out)
{
	const struct process *process = store_process_find(view->store, out->pid, out->start);
	int64_t down = process ? process->history.down_since : 0;
	int64_t treated =
		outcome_treated_at(view->store, out->pid, out->start, out->recovery_timeout);

	out->severity = verdict_severity(out->verdict);
	out->forbidden = verdict_refusal(out->verdict);
	out->advice = "";
	out->treated = treated && out->verdict == VERDICT_DISCONNECTED;
	if (!down && out->treated)
		down = treated;
	if (!down)
		return;
	out->disconnected = to_wall(view->store, down);
	out->deadline = out->disconnected + out->recovery_timeout;
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
		treated_fill(view, out);
}

int severity_rank(enum severity severity)
{
	static const int rank[] = { [SEVERITY_CRITICAL] = 0,
				    [SEVERITY_UNKNOWN] = 1,
				    [SEVERITY_WARNING] = 2,
				    [SEVERITY_OK] = 3 };

	return rank[severity];
}

static int executor_order(const void *a, const void *b)
{
	const struct report_executor *x = a, *y = b;
	int order = severity_rank(x->severity) - severity_rank(y->severity);

	order = order ? order : strcmp(x->executor_id, y->executor_id);
	order = order ? order : strcmp(x->framework_id, y->framework_id);
	return order ? order : x->pid - y->pid;
}

/* Living ones by their verdict, those that have ended by what is known of that. */
static void appeared_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;

	for (size_t i = 0; i < view->n_executors; i++) {
		struct report_executor *out = &report->executors[report->n_executors];
		const char **why;

		if (!appeared_is_living(store, &view->executors[i]))
			continue;
		if (appeared_came_back(store, &view->executors[i])) {
			struct fact_baseline b =
				appeared_baseline(store, view->executors[i].process);

			*out = (struct report_executor){ 0 };
			baseline_fill(view, &b, true, out, report->arena);
			out->appeared = true;
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
		struct report_executor *out = &report->executors[report->n_executors];
		struct fact_baseline b;

		if (!appeared_is_dead(store, process))
			continue;
		b = appeared_baseline(store, process);
		*out = (struct report_executor){ 0 };
		baseline_fill(view, &b, true, out, report->arena);
		out->appeared = true;
		report->n_executors++;
	}
}

/*
 * A recording that lacks lines may lack the one that tells of a loss: what it says of a loss
 * counts, and nobody is well by it.
 */
static void incomplete_judge(struct report *report)
{
	static const char *const why[] = {
		"The recording lacks lines: what they said of this executor is not known."
	};

	for (size_t i = 0; i < report->n_executors; i++) {
		struct report_executor *executor = &report->executors[i];

		if (executor->severity != SEVERITY_OK)
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

static bool has_ended(const struct store *store, const struct fact_baseline *b)
{
	const struct process *process = store_process_find(store, b->pid, b->start);

	return !process || process->ended || process->vanished;
}

static void ended_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	const struct process *process, *next;
	size_t room = store->baselines.n + HASH_COUNT(store->processes);

	report->ended = arena_array(report->arena, room, sizeof(*report->ended));
	if (!report->ended)
		return;
	for (size_t i = 0; i < store->baselines.n; i++)
		if (has_ended(store, &store->baselines.v[i]))
			baseline_fill(view, &store->baselines.v[i], true,
				      &report->ended[report->n_ended++], report->arena);
	HASH_ITER(hh, store->processes, process, next)
	{
		struct report_executor *out = &report->ended[report->n_ended];
		struct fact_baseline b;

		if (!appeared_is_dead(store, process))
			continue;
		b = appeared_baseline(store, process);
		baseline_fill(view, &b, true, out, report->arena);
		out->appeared = true;
		report->n_ended++;
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

static void executors_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;
	bool outcomes = report_has_outcomes(report),
	     compared = outcomes || report->kind == REPORT_SHUTDOWN;
	size_t n = compared ? store->baselines.n : view->n_executors;
	size_t room = n + (outcomes ? view->n_executors + HASH_COUNT(store->processes) : 0);

	report->executors = arena_array(report->arena, room, sizeof(*report->executors));
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

/* ---- what else talks to the agent port ---- */

static void other_add(const struct store *store, const struct connection *conn,
		      struct report *report)
{
	int32_t pid = conn->n_holders ? conn->holders[0].pid : conn->owner;
	uint64_t start = conn->n_holders ? conn->holders[0].start : conn->owner_start;
	const struct process *process = pid ? store_process_find(store, pid, start) : NULL;
	struct report_other *other;

	for (size_t i = 0; i < report->n_others; i++) {
		if (report->others[i].pid == pid) {
			report->others[i].connections++;
			return;
		}
	}
	other = &report->others[report->n_others++];
	other->pid = pid;
	other->comm =
		arena_text(report->arena, process && process->known ? process->facts.comm : "");
	other->connections = 1;
}

static int other_order(const void *a, const void *b)
{
	const struct report_other *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool is_other(const struct executors *view, const struct connection *conn)
{
	return conn->facts.state == TCP_ESTABLISHED && connection_is_link(view->store, conn) &&
	       !executors_have_link(view, conn);
}

static void others_fill(const struct executors *view, struct report *report)
{
	const struct connection *conn, *next;
	size_t n = 0;

	HASH_ITER(hh, view->store->connections, conn, next)
	n += is_other(view, conn);
	report->others = arena_array(report->arena, n, sizeof(*report->others));
	if (!report->others)
		return;
	HASH_ITER(hh, view->store->connections, conn, next)
	{
		if (is_other(view, conn))
			other_add(view->store, conn, report);
	}
	qsort(report->others, report->n_others, sizeof(*report->others), other_order);
}

/* ---- the agent, the clocks, what was done ---- */

static const char *api_word(const struct store *store, const struct agent *agent)
{
	if (!agent)
		return store->agent_hidden ? "of a process that could not be read" : "down";
	if (!store->has_api)
		return "not asked";
	if (store->api.recovering)
		return "recovering";
	return *store->api.problem ? store->api.problem : "serving";
}

/* An agent that answers tells itself when its recovery is over; here is when it has to be. */
static int64_t recovered_by(const struct store *store, const struct agent *agent)
{
	int64_t at = agent_state_serves_at(store);

	return at ? at : agent->appeared + 15 * NS_PER_S + agent_state_reregister_timeout(store);
}

static void agent_fill(const struct store *store, struct report *report)
{
	const struct agent *agent = store_agent(store);
	struct report_agent *out = &report->agent;
	struct arena *arena = report->arena;

	out->comm = "";
	if (agent) {
		out->pid = agent->facts.pid;
		out->start = agent->facts.start;
		out->comm = arena_text(arena, agent->facts.comm);
		out->listen = agent->facts.listen;
	}
	out->version = arena_text(arena, store->has_api ? store->api.version : "");
	out->slave_id =
		arena_text(arena, store->has_api && *store->api.slave_id ? store->api.slave_id
				  : store->has_work_dir			 ? store->work_dir.slave_id
									 : "");
	out->work_dir = arena_text(arena, store->has_work_dir && store->work_dir.readable == EW_YES
						  ? store->work_dir.path
						  : "");
	out->api = arena_text(arena, api_word(store, agent));
	out->serving = agent_state_serves(store);
	out->recovered_by = agent && !out->serving ? to_wall(store, recovered_by(store, agent)) : 0;
	out->restarted = agent_state_is_another(store);
}

static void baseline_head_fill(const struct store *store, struct report *report)
{
	const struct fact_baseline *b = store->baselines.v;

	if (report_has_outcomes(report) && store->baselines.n)
		report->baseline =
			(struct report_baseline){ b->taken_wall, b->agent_pid, b->agent_start };
}

static void acts_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	report->acts = arena_array(arena, store->acts.n, sizeof(*report->acts));
	if (!report->acts)
		return;
	report->n_acts = store->acts.n;
	for (size_t i = 0; i < store->acts.n; i++) {
		const struct fact_act *a = &store->acts.v[i].facts;

		report->acts[i] = (struct report_act){
			.executor_id = arena_text(arena, a->executor_id),
			.framework_id = arena_text(arena, a->framework_id),
			.pid = a->pid,
			.fd = a->fd,
			.method = arena_text(arena, a->method),
			.result = arena_text(arena, a->result),
			.reason = arena_text(arena, a->reason),
			.reason_id = arena_text(arena, a->reason_id),
			.stopped = a->stopped,
			.effect = a->effect,
			.at = to_wall(store, store->acts.v[i].at),
		};
	}
}

/* The reason of an act that was refused says more than the verdict does. */
static void refusals_fill(struct report *report)
{
	if (report->kind != REPORT_SHUTDOWN)
		return;
	for (size_t i = 0; i < report->n_executors; i++)
		for (size_t j = 0; j < report->n_acts; j++)
			if (report->acts[j].pid == report->executors[i].pid &&
			    strcmp(report->acts[j].reason_id, "forbidden") == 0)
				report->executors[i].forbidden = report->acts[j].reason;
}

static void clocks_fill(const struct executors *view, struct report *report)
{
	report->clocks[0] = (struct report_clock){
		"executors", to_wall(view->store, deadline_executors(view, report->arena))
	};
	report->clocks[1] =
		(struct report_clock){ "master",
				       to_wall(view->store, deadline_master(view->store)) };
	report->clocks[2] =
		(struct report_clock){ "agent", to_wall(view->store, deadline_agent(view->store)) };
}

static void events_fill(const struct store *store, struct report *report)
{
	struct events events = store_events(store);

	report->messages = "";
	report->events_lost = events.lost;
	report->events_seen = events.seen;
	for (size_t i = 0; i < store->hooks.n; i++) {
		if (strcmp(store->hooks.v[i].hook, "messages") == 0) {
			report->messages = arena_text(report->arena, store->hooks.v[i].program);
			report->messages_best_effort = store->hooks.v[i].best_effort;
		}
	}
}

static bool act_is(const struct report_act *act, const char *result)
{
	return strcmp(act->result, result) == 0;
}

/* Nothing can be said of anybody, or nobody was found and something could not be read. */
static bool is_unknown(const struct store *store, const struct report *report)
{
	static const uint32_t needed = SCAN_SOCKETS | SCAN_PROCESSES;

	return store->incomplete || (store->complete & needed) != needed ||
	       (!report->n_executors && store->unread.n);
}

static void severity_note(struct exit_facts *facts, enum severity severity)
{
	facts->critical |= severity == SEVERITY_CRITICAL;
	facts->unknown |= severity == SEVERITY_UNKNOWN;
	facts->warning |= severity == SEVERITY_WARNING;
}

/*
 * An acting verb ends with what is left untreated. A treated executor's verdict is that of before
 * the act; one that an earlier act has cut off needs none.
 */
static bool was_treated(const struct report *report, const struct report_executor *executor)
{
	bool done = executor->treated && !executor->ends_by;

	for (size_t i = 0; i < report->n_acts; i++) {
		if (report->acts[i].pid != executor->pid)
			continue;
		if (!act_is(&report->acts[i], "done"))
			return false;
		done = true;
	}
	return done;
}

bool report_has_nobody(const struct report *report)
{
	size_t foreign = report_has_outcomes(report) ? 0 : report->verdicts[VERDICT_FOREIGN];
	bool is_agent = report->agent.pid > 0 && *report->agent.slave_id;

	return !is_agent && report->n_executors == foreign;
}

static int exit_code(const struct store *store, const struct report *report)
{
	struct exit_facts facts = {
		.interrupted = store->interrupted,
		.unknown = is_unknown(store, report),
		.nobody = report_has_nobody(report),
		.not_restarted =
			report->restart_wanted && !report->agent.restarted && !report->dry_run,
	};

	for (size_t i = 0; i < report->n_executors; i++) {
		const struct report_executor *executor = &report->executors[i];

		if (report->kind != REPORT_SHUTDOWN || !was_treated(report, executor))
			severity_note(&facts, executor->severity);
	}
	for (size_t i = 0; i < report->n_ended; i++)
		severity_note(&facts, report->ended[i].severity);
	for (size_t i = 0; i < report->n_findings; i++)
		severity_note(&facts, report->findings[i].severity);
	for (size_t i = 0; i < report->n_acts; i++)
		facts.undone |=
			act_is(&report->acts[i], "failed") || act_is(&report->acts[i], "refused");
	return exit_code_of(&facts);
}

static void head_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	report->tool = arena_text(arena, store->session.tool);
	report->host = arena_text(arena, store->session.host);
	report->boot_id = arena_text(arena, store->session.boot_id);
	report->generated = to_wall(store, store->now);
	report->agent_port = store->session.agent_port;
	report->interrupted = store->interrupted;
	report->restart_wanted = store->session.restart_wanted && report->kind == REPORT_RUN;
	report->blind = (store->complete & (SCAN_SOCKETS | SCAN_PROCESSES)) !=
			(SCAN_SOCKETS | SCAN_PROCESSES);
	if (*(store->command.text ? store->command.text : "")) {
		report->command = arena_text(arena, store->command.text);
		report->command_ended = store->command_ended != 0;
		report->command_status = store->command.status;
	}
}

struct report *model_report(const struct model *model, enum report_kind kind)
{
	const struct store *store = model_store(model);
	struct arena *arena = arena_new();
	struct report *report = arena ? arena_array(arena, 1, sizeof(*report)) : NULL;
	struct executors view;

	if (!report)
		goto broken;
	report->arena = arena;
	report->kind = kind;
	executors_build(&view, store, arena);
	head_fill(store, report);
	executors_fill(&view, report);
	others_fill(&view, report);
	agent_fill(store, report);
	baseline_head_fill(store, report);
	acts_fill(store, report);
	refusals_fill(report);
	clocks_fill(&view, report);
	events_fill(store, report);
	report_findings_fill(&view, report);
	report_notes_fill(&view, report);
	report->exit_code = exit_code(store, report);
	if (!arena_broken(arena) && !store->broken)
		return report;
broken:
	arena_free(arena);
	return NULL;
}
