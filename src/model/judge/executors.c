/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/executors.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/equal_range.h"
#include "mesos/upid.h"

struct holding {
	const struct process *process;
	const struct connection *conn;
	int32_t fd;
};

struct holdings {
	struct holding *v;
	size_t n;
};

static bool alive(const struct process *process)
{
	return !process->ended && !process->vanished;
}

static bool counts(const struct connection *conn)
{
	return conn->facts.state == TCP_ESTABLISHED || conn->facts.state == TCP_LISTEN;
}

static size_t holdings_count(const struct store *store)
{
	const struct connection *conn, *next;
	size_t n = 0;

	HASH_ITER(hh, store->connections, conn, next)
	if (counts(conn))
		n += conn->n_holders + 1;
	return n;
}

static void holding_add(struct holdings *all, const struct store *store, int32_t pid,
			uint64_t start, const struct connection *conn, int32_t fd)
{
	const struct process *process = pid ? store_process_find(store, pid, start) : NULL;

	if (process && process->known && alive(process))
		all->v[all->n++] = (struct holding){ process, conn, fd };
}

static void connection_holdings(struct holdings *all, const struct store *store,
				const struct connection *conn)
{
	for (size_t i = 0; i < conn->n_holders; i++)
		holding_add(all, store, conn->holders[i].pid, conn->holders[i].start, conn,
			    conn->holders[i].fd);
	if (connection_owner_counts(conn))
		holding_add(all, store, conn->owner, conn->owner_start, conn, -1);
}

static int holding_order(const void *a, const void *b)
{
	const struct holding *x = a, *y = b;

	if (x->process != y->process)
		return x->process < y->process ? -1 : 1;
	if (x->conn->facts.cookie != y->conn->facts.cookie)
		return x->conn->facts.cookie < y->conn->facts.cookie ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

static struct holdings holdings_build(const struct store *store, struct arena *arena)
{
	struct holdings all = { arena_array(arena, holdings_count(store), sizeof(*all.v)), 0 };
	const struct connection *conn, *next;

	if (!all.v)
		return all;
	HASH_ITER(hh, store->connections, conn, next)
	{
		if (counts(conn))
			connection_holdings(&all, store, conn);
	}
	qsort(all.v, all.n, sizeof(*all.v), holding_order);
	return all;
}

static int process_order(const void *key, const void *item)
{
	const struct process *process = key;
	const struct holding *holding = item;

	return (process > holding->process) - (process < holding->process);
}

/* The holdings of one process, a run of the sorted array. */
static struct holdings holdings_of(const struct holdings *all, const struct process *process)
{
	size_t first;
	size_t n = equal_range(process, all->v, all->n, sizeof(*all->v), process_order, &first);

	return (struct holdings){ all->v + first, n };
}

static uint16_t upid_port(const struct checkpoint *checkpoint)
{
	struct mesos_upid upid;

	if (!checkpoint || mesos_upid_parse(mesos_span_of(checkpoint->facts.upid), &upid) < 0)
		return 0;
	return upid.addr.port;
}

/*
 * An executor's environment is inherited by its task and by helpers; its name may be anything.
 * What tells it from them: it listens where its checkpoint says, is libprocess, has the link. A
 * process that neither listens there nor is libprocess is no v0 executor, whatever else it has.
 */
static int score(const struct store *store, const struct process *process,
		 const struct checkpoint *checkpoint, const struct holdings *held)
{
	uint16_t port = upid_port(checkpoint);
	bool listens_there = false, listens = false, linked = false;

	for (size_t i = 0; i < held->n; i++) {
		const struct fact_socket *s = &held->v[i].conn->facts;

		if (s->state == TCP_LISTEN) {
			listens = true;
			listens_there |= port && s->local.port == port;
		} else {
			linked |= connection_is_link_of(store, held->v[i].conn, process);
		}
	}
	if (port && !listens_there && !*process->facts.library && store->complete & SCAN_SOCKETS)
		return 0;
	return 8 * listens_there + 4 * (*process->facts.library != '\0') + 2 * linked +
	       2 * listens + (checkpoint && checkpoint->facts.forked_pid == process->key.pid);
}

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

	return process->known && alive(process) && *p->executor_id && *p->framework_id &&
	       *p->slave_pid;
}

/* Whose environment could not be read and who talks to the agent: may be an executor. */
static bool is_dark(const struct process *process)
{
	return process->known && alive(process) && process->facts.environ_read == EW_NO;
}

static int same_run(const struct executor *a, const struct executor *b)
{
	const struct process_facts *x = &a->process->facts, *y = &b->process->facts;

	return x->framework_id == y->framework_id && x->executor_id == y->executor_id &&
	       x->container_id == y->container_id && x->environ_read != EW_NO &&
	       y->environ_read != EW_NO;
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

/* A forked copy of an executor holds all that it holds: the parent is the executor. */
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

void executors_build(struct executors *view, const struct store *store, struct arena *arena)
{
	struct holdings all = holdings_build(store, arena);
	const struct process *process, *next;

	*view = (struct executors){ .store = store };
	view->executors =
		arena_array(arena, HASH_COUNT(store->processes), sizeof(*view->executors));
	if (!all.v || !view->executors)
		return;
	HASH_ITER(hh, store->processes, process, next)
	{
		struct holdings held = holdings_of(&all, process);
		struct executor *executor = &view->executors[view->n_executors];

		if (!is_candidate(process) && !is_dark(process))
			continue;
		executor->process = process;
		executor->checkpoint = store_checkpoint_find(store, &process->facts);
		executor->score = score(store, process, executor->checkpoint, &held);
		links_fill(store, executor, &held, arena);
		if (is_dark(process) && !executor->n_links)
			continue;
		view->n_executors++;
	}
	qsort(view->executors, view->n_executors, sizeof(*view->executors), candidate_order);
	keep_winners(view);
	index_fill(view, arena);
}

const struct executor *executors_find(const struct executors *view, int32_t pid, uint64_t start)
{
	const struct process process = { .key = { .pid = pid, .start = start } };
	const struct executor executor = { .process = &process }, *key = &executor;
	const struct executor **found;

	if (!view->by_pid)
		return NULL;
	found = bsearch(&key, view->by_pid, view->n_executors, sizeof(*view->by_pid), pid_order);
	return found ? *found : NULL;
}

bool executors_have_link(const struct executors *view, const struct connection *conn)
{
	return view->links &&
	       bsearch(&conn, view->links, view->n_links, sizeof(*view->links), conn_order);
}
