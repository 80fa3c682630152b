/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/report_row.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/appeared.h"
#include "model/judge/agent_end.h"
#include "model/judge/evidence.h"
#include "model/judge/explain.h"
#include "model/judge/guard.h"
#include "model/judge/link_evidence.h"
#include "model/judge/outcome.h"
#include "model/judge/self_termination.h"
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
		const struct firewall *firewall = link_evidence_firewall(store, conn);
		struct link_evidence evidence =
			link_evidence_of(store, conn, evidence_recovery_timeout(p));

		links[i] = (struct report_link){
			.fd = executor->links[i].fd,
			.inode = s->inode,
			.cookie = s->cookie,
			.local = s->local,
			.remote = s->remote,
			.netns = s->netns,
			.state = s->state,
			.agent_end = evidence.agent_end,
			.agent_silent = agent_end_is_silent(store, conn),
			.conntrack = evidence.conntrack,
			.expires = evidence.conntrack == CONNTRACK_ENTRY ? evidence.expires : -1,
			.accepted = evidence.accepted,
			.rule = arena_text(arena, firewall ? firewall->rule : ""),
			.cure = arena_text(arena, firewall ? firewall->cure : ""),
			.not_judged = arena_text(arena, firewall ? firewall->not_judged : ""),
			.at_risk = link_state_of(&evidence) == LINK_AT_RISK,
			.idle = s->idle,
			.keepalive = link_evidence_keepalive(store, conn),
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

void report_row_fill(const struct store *store, const struct executor *executor,
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

void report_row_compare(const struct executors *view, const struct fact_baseline *b, bool outcomes,
			struct report_executor *out, struct arena *arena)
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

void report_row_of_appeared(const struct executors *view, const struct process *process,
			    struct report_executor *out, struct arena *arena)
{
	struct fact_baseline b = appeared_baseline(view->store, process);

	*out = (struct report_executor){ 0 };
	report_row_compare(view, &b, true, out, arena);
	out->appeared = true;
}

static int executor_order(const void *a, const void *b)
{
	const struct report_executor *x = a, *y = b;
	int order = severity_rank(x->severity) - severity_rank(y->severity);

	order = order ? order : strcmp(x->executor_id, y->executor_id);
	order = order ? order : strcmp(x->framework_id, y->framework_id);
	return order ? order : x->pid - y->pid;
}

void report_rows_sort(struct report_executor *rows, size_t n)
{
	if (n)
		qsort(rows, n, sizeof(*rows), executor_order);
}
