/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/executors.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/judge/absent.h"
#include "model/judge/holdings.h"
#include "model/judge/identity.h"
#include "model/judge/run_process.h"

static void links_fill(const struct store *store, struct executor *executor,
		       const struct holdings *held, struct arena *arena)
{
	struct executor_link *links = arena_array(arena, held->n, sizeof(*links));
	size_t n = 0;

	for (size_t i = 0; links && i < held->n; i++) {
		const struct holding *h = &held->v[i];

		if (h->conn->facts.state != TCP_ESTABLISHED ||
		    !connection_is_link_of(store, h->conn, executor->process))
			continue;
		/* Two descriptors of one socket are one link. */
		if (n && links[n - 1].conn == h->conn)
			continue;
		links[n++] = (struct executor_link){ h->conn, h->fd };
	}
	executor->links = links;
	executor->n_links = links ? n : 0;
}

static bool is_candidate(const struct process *process)
{
	const struct process_facts *p = &process->facts;

	return process->known && process_is_alive(process) && *p->executor_id && *p->framework_id &&
	       (*p->slave_pid || process->adopted);
}

/* A process with an unreadable environment and a connection to the agent may be an executor. */
static bool is_dark(const struct process *process)
{
	return process->known && process_is_alive(process) && process->facts.environ_read == EW_NO;
}

static int same_run(const struct executor *a, const struct executor *b)
{
	const struct process_facts *x = &a->process->facts, *y = &b->process->facts;

	return x->framework_id == y->framework_id && x->executor_id == y->executor_id &&
	       x->container_id == y->container_id &&
	       (*x->executor_id || (x->environ_read != EW_NO && y->environ_read != EW_NO));
}

static int text_order(const char *a, const char *b)
{
	return a == b ? 0 : strcmp(a, b);
}

static int candidate_order(const void *a, const void *b)
{
	const struct executor *x = a, *y = b;
	const struct process_facts *p = &x->process->facts, *q = &y->process->facts;
	int order = text_order(p->executor_id, q->executor_id);

	order = order ? order : text_order(p->framework_id, q->framework_id);
	order = order ? order : text_order(p->container_id, q->container_id);
	order = order ? order : y->score - x->score;
	if (order)
		return order;
	if (p->start != q->start)
		return p->start < q->start ? -1 : 1;
	return p->pid < q->pid ? -1 : p->pid > q->pid;
}

/* A forked copy of an executor holds the same descriptors: the parent is the executor. */
static size_t run_winner(const struct executor *run, size_t n)
{
	size_t winner = 0;

	for (size_t i = 1; i < n && run[i].score == run[winner].score; i++)
		if (run[winner].process->facts.ppid == run[i].process->key.pid)
			winner = i;
	return winner;
}

static void keep_winners(struct executors *view)
{
	size_t kept = 0;

	for (size_t i = 0, n; i < view->n_executors; i += n) {
		struct executor *run = view->executors + i;

		for (n = 1; i + n < view->n_executors && same_run(run, run + n); n++)
			;
		if (run->score > 0)
			view->executors[kept++] = run[run_winner(run, n)];
	}
	view->n_executors = kept;
}

/* Executors without a process (pid 0) sort first and are never found. */
static int pid_order(const void *a, const void *b)
{
	const struct process_key *x = &(*(const struct executor *const *)a)->process->key;
	const struct process_key *y = &(*(const struct executor *const *)b)->process->key;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

static int conn_order(const void *a, const void *b)
{
	const struct connection *x = *(const struct connection *const *)a;
	const struct connection *y = *(const struct connection *const *)b;

	return x < y ? -1 : x > y;
}

static void index_fill(struct executors *view, struct arena *arena)
{
	size_t n_links = 0;

	for (size_t i = 0; i < view->n_executors; i++)
		n_links += view->executors[i].n_links;
	view->by_pid = arena_array(arena, view->n_executors, sizeof(*view->by_pid));
	view->links = arena_array(arena, n_links, sizeof(*view->links));
	if (!view->by_pid || !view->links)
		return;
	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *executor = &view->executors[i];

		view->by_pid[i] = executor;
		for (size_t j = 0; j < executor->n_links; j++)
			view->links[view->n_links++] = executor->links[j].conn;
	}
	qsort(view->by_pid, view->n_executors, sizeof(*view->by_pid), pid_order);
	qsort(view->links, view->n_links, sizeof(*view->links), conn_order);
}

/*
 * forked.pid is written in the agent's pid namespace. Where the agent is in execwatch's, or a run
 * leads to a process at all, those are the pids that are seen here.
 */
static bool pids_are_ours(const struct store *store, const struct executors *view)
{
	const struct agent *agent = store_agent(store);
	const struct process *process =
		agent ? store_process_find(store, agent->facts.pid, agent->facts.start) : NULL;

	if (process && process->known && process->facts.ns_pid == process->key.pid)
		return true;
	for (size_t i = 0; i < view->n_executors; i++)
		if (view->executors[i].backed == EW_YES)
			return true;
	return false;
}

/*
 * An executor without checkpointing dies with its agent: the present one has started it, or docker
 * has.
 */
static bool may_be_started_by(const struct pids *pids, const struct process *process,
			      const struct agent *agent)
{
	return run_process_is_below(pids, process, agent->facts.pid) || !*process->facts.cgroup ||
	       strstr(process->facts.cgroup, "docker") ||
	       strstr(process->facts.cgroup, "containerd");
}

/*
 * Of this agent's id, as its environment says, and the agent knows it neither on disk nor in its
 * API: with checkpointing a run is on disk before its process is started (Mesos slave.cpp,
 * Framework::addExecutor()).
 */
static bool is_known_to_nobody(const struct store *store, const struct pids *pids,
			       const struct executor *executor)
{
	const struct process_facts *p = &executor->process->facts;

	return !executor->checkpoint && p->environ_read == EW_YES &&
	       store->complete & SCAN_CHECKPOINTS && store->has_work_dir &&
	       store->work_dir.readable == EW_YES &&
	       strcmp(p->slave_id, store->work_dir.slave_id) == 0 &&
	       identity_listing_counts(store) && !store_is_listed(store, p) &&
	       (p->checkpoint || !may_be_started_by(pids, executor->process, store_agent(store)));
}

static void claims_remove(struct executors *view, const struct pids *pids)
{
	bool ours = pids_are_ours(view->store, view);
	size_t kept = 0;

	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *executor = &view->executors[i];

		if (!(ours && executor->backed == EW_NO) &&
		    !is_known_to_nobody(view->store, pids, executor)) {
			view->executors[kept++] = *executor;
			continue;
		}
		if (view->n_claims < sizeof(view->claims) / sizeof(view->claims[0]))
			view->claims[view->n_claims] = executor->process->key.pid;
		view->n_claims++;
	}
	view->n_executors = kept;
}

static void candidates_fill(struct executors *view, const struct holdings *all, struct arena *arena)
{
	const struct store *store = view->store;
	struct pids pids = pids_build(store, arena);
	const struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		struct holdings held = holdings_of(all, process);
		struct executor *executor = &view->executors[view->n_executors];

		if (!is_candidate(process) && !is_dark(process))
			continue;
		*executor = (struct executor){ .process = process };
		executor->checkpoint = store_checkpoint_find(store, &process->facts);
		executor->backed = run_process_is_backed(store, &pids, executor, &held);
		executor->score = run_process_score(store, process, executor->checkpoint, &held);
		links_fill(store, executor, &held, arena);
		if (is_dark(process) && !executor->n_links && !process->adopted)
			continue;
		view->n_executors++;
	}
	claims_remove(view, &pids);
	if (view->n_executors)
		qsort(view->executors, view->n_executors, sizeof(*view->executors),
		      candidate_order);
	keep_winners(view);
}

void executors_build(struct executors *view, const struct store *store, struct arena *arena)
{
	struct holdings all = holdings_build(store, arena);
	size_t most = HASH_COUNT(store->processes) + HASH_COUNT(store->checkpoints) +
		      HASH_COUNT(store->listings);

	*view = (struct executors){ .store = store };
	view->executors = arena_array(arena, most, sizeof(*view->executors));
	if (!all.v || !view->executors)
		return;
	candidates_fill(view, &all, arena);
	absent_fill(view, arena);
	index_fill(view, arena);
}

const struct executor *executors_find(const struct executors *view, int32_t pid, uint64_t start)
{
	const struct process process = { .key = { .pid = pid, .start = start } };
	const struct executor executor = { .process = &process }, *key = &executor;
	const struct executor **found;

	if (!view->by_pid || !pid)
		return NULL;
	found = bsearch(&key, view->by_pid, view->n_executors, sizeof(*view->by_pid), pid_order);
	return found ? *found : NULL;
}

bool executors_have_link(const struct executors *view, const struct connection *conn)
{
	return view->links &&
	       bsearch(&conn, view->links, view->n_links, sizeof(*view->links), conn_order);
}
