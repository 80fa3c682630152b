/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/executors.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/equal_range.h"
#include "mesos/upid.h"
#include "model/judge/identity.h"

struct holding {
	const struct process *process;
	const struct connection *conn;
	int32_t fd;
};

struct holdings {
	struct holding *v;
	size_t n;
};

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

	if (process && process->known && process_is_alive(process))
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

/* The descriptors of one process: a range of the sorted array. */
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

/* ---- the process of a checkpointed run ---- */

/* Living processes by pid. */
struct pids {
	const struct process **v;
	size_t n;
};

static int process_pid_order(const void *a, const void *b)
{
	const struct process *x = *(const struct process *const *)a;
	const struct process *y = *(const struct process *const *)b;

	return x->key.pid < y->key.pid ? -1 : x->key.pid > y->key.pid;
}

static struct pids pids_build(const struct store *store, struct arena *arena)
{
	struct pids pids = { arena_array(arena, HASH_COUNT(store->processes), sizeof(*pids.v)), 0 };
	const struct process *process, *next;

	HASH_ITER(hh, store->processes, process, next)
	{
		if (pids.v && process->known && process_is_alive(process))
			pids.v[pids.n++] = process;
	}
	if (pids.n)
		qsort(pids.v, pids.n, sizeof(*pids.v), process_pid_order);
	return pids;
}

static const struct process *pids_find(const struct pids *pids, int32_t pid)
{
	const struct process process = { .key = { .pid = pid } }, *key = &process;
	const struct process **found =
		pids->n ? bsearch(&key, pids->v, pids->n, sizeof(*pids->v), process_pid_order)
			: NULL;

	return found ? *found : NULL;
}

/* True for forked.pid and its known descendants; the launcher makes it the leader of a
 * session (Mesos linux_launcher.cpp, docker.cpp: setsid). */
static bool is_descendant(const struct pids *pids, const struct process *process, int32_t forked)
{
	for (int depth = 0; process && depth < 32; depth++) {
		if (process->key.pid == forked || process->facts.session == forked ||
		    process->facts.ppid == forked)
			return true;
		process = pids_find(pids, process->facts.ppid);
	}
	return false;
}

/* Only one process of a network namespace listens at an address. */
static bool listens_as_written(const struct store *store, const struct checkpoint *checkpoint,
			       const struct holdings *held)
{
	struct mesos_upid upid;

	if (mesos_upid_parse(mesos_span_of(checkpoint->facts.upid), &upid) < 0)
		return false;
	for (size_t i = 0; i < held->n; i++) {
		const struct fact_socket *s = &held->v[i].conn->facts;

		if (s->state == TCP_LISTEN && s->netns == store->session.netns &&
		    s->local.port == upid.addr.port &&
		    (addr_is_any(&s->local) || addr_ip_equal(&s->local, &upid.addr)))
			return true;
	}
	return false;
}

/* NO: it claims a run that belongs to another process. */
static enum ew_tri is_backed(const struct store *store, const struct pids *pids,
			     const struct executor *executor, const struct holdings *held)
{
	const struct checkpoint *checkpoint = executor->checkpoint;
	const struct process *process = executor->process, *forked;
	bool reused;

	if (!checkpoint || !checkpoint->facts.forked_pid)
		return EW_UNKNOWN;
	forked = pids_find(pids, checkpoint->facts.forked_pid);
	reused = forked && store_pid_is_reused(store, checkpoint, forked);
	if ((!reused && is_descendant(pids, process, checkpoint->facts.forked_pid)) ||
	    listens_as_written(store, checkpoint, held))
		return EW_YES;
	return process->facts.session ? EW_NO : EW_UNKNOWN;
}

/*
 * An executor's environment is inherited by its task and by helpers; its name may be anything.
 * The executor is the process that listens at the checkpointed address, has libprocess mapped and
 * holds the link. A process without listener and libprocess is no v0 executor.
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
	if (port && !listens_there && !*process->facts.library && store->complete & SCAN_SOCKETS &&
	    !(process->adopted && linked))
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
 * Of this agent's id and with checkpointing on, as its environment says, and the agent knows it
 * neither on disk nor in its API: a run is on disk before its process is started (Mesos
 * slave.cpp, Framework::addExecutor()).
 */
static bool is_known_to_nobody(const struct store *store, const struct executor *executor)
{
	const struct process_facts *p = &executor->process->facts;

	return !executor->checkpoint && p->checkpoint && p->environ_read == EW_YES &&
	       store->complete & SCAN_CHECKPOINTS && store->has_work_dir &&
	       store->work_dir.readable == EW_YES &&
	       strcmp(p->slave_id, store->work_dir.slave_id) == 0 &&
	       identity_listing_counts(store) && !store_is_listed(store, p);
}

static void claims_remove(struct executors *view)
{
	bool ours = pids_are_ours(view->store, view);
	size_t kept = 0;

	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *executor = &view->executors[i];

		if (!(ours && executor->backed == EW_NO) &&
		    !is_known_to_nobody(view->store, executor)) {
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
		executor->backed = is_backed(store, &pids, executor, &held);
		executor->score = score(store, process, executor->checkpoint, &held);
		links_fill(store, executor, &held, arena);
		if (is_dark(process) && !executor->n_links && !process->adopted)
			continue;
		view->n_executors++;
	}
	claims_remove(view);
	if (view->n_executors)
		qsort(view->executors, view->n_executors, sizeof(*view->executors),
		      candidate_order);
	keep_winners(view);
}

/* ---- runs without a process ---- */

static int run_key_order(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct run_key));
}

struct run_keys {
	struct run_key *v;
	size_t n;
};

static struct run_keys run_keys_build(const struct executors *view, struct arena *arena)
{
	struct run_keys keys = { arena_array(arena, view->n_executors, sizeof(*keys.v)), 0 };

	for (size_t i = 0; keys.v && i < view->n_executors; i++) {
		const struct process_facts *p = &view->executors[i].process->facts;

		memset(&keys.v[keys.n], 0, sizeof(*keys.v));
		keys.v[keys.n].framework_id = p->framework_id;
		keys.v[keys.n].executor_id = p->executor_id;
		keys.v[keys.n++].container_id = p->container_id;
	}
	if (keys.n)
		qsort(keys.v, keys.n, sizeof(*keys.v), run_key_order);
	return keys;
}

static bool has_row(const struct run_keys *keys, const struct run_key *key)
{
	return keys->n && bsearch(key, keys->v, keys->n, sizeof(*keys->v), run_key_order);
}

static void absent_add(struct executors *view, const struct run_key *key, const char *slave_id,
		       const struct checkpoint *checkpoint, struct arena *arena)
{
	struct process *process = arena_array(arena, 1, sizeof(*process));
	struct executor *executor = &view->executors[view->n_executors];
	const char *none = "";

	if (!process)
		return;
	process->facts = (struct process_facts){
		.comm = none,
		.exe = none,
		.slave_pid = none,
		.slave_id = slave_id,
		.directory = none,
		.framework_id = key->framework_id,
		.executor_id = key->executor_id,
		.container_id = key->container_id,
		.domain_socket = none,
		.library = none,
		.library_version = none,
		.version_from = none,
		.cgroup = none,
		.state = none,
		.environ_read = EW_YES, /* no read was refused */
		.checkpoint = true,
	};
	process->known = true;
	*executor = (struct executor){ .process = process, .checkpoint = checkpoint };
	view->n_executors++;
}

/* Runs of an earlier boot or of an abandoned agent id have ended long ago. */
static bool is_expected(const struct store *store, const struct checkpoint *checkpoint)
{
	const struct fact_checkpoint *c = &checkpoint->facts;

	return c->latest && !c->completed && store->work_dir.same_boot != EW_NO &&
	       strcmp(c->slave_id, store->work_dir.slave_id) == 0;
}

static void absent_fill(struct executors *view, struct arena *arena)
{
	static const uint32_t needed = SCAN_PROCESSES | SCAN_SOCKETS;
	const struct store *store = view->store;
	struct run_keys keys = run_keys_build(view, arena);
	const struct checkpoint *checkpoint, *next_checkpoint;
	const struct listing *listing, *next_listing;

	if ((store->complete & needed) != needed)
		return;
	HASH_ITER(hh, store->checkpoints, checkpoint, next_checkpoint)
	{
		if (store->has_work_dir && is_expected(store, checkpoint) &&
		    !has_row(&keys, &checkpoint->key))
			absent_add(view, &checkpoint->key, checkpoint->facts.slave_id, checkpoint,
				   arena);
	}
	HASH_ITER(hh, store->listings, listing, next_listing)
	{
		if (store->session.elsewhere != EW_UNKNOWN && store_agent(store) &&
		    !listing->completed && listing->answer_nr == store->listed_answer_nr &&
		    !has_row(&keys, &listing->key) &&
		    !store_checkpoint_of_run(store, &listing->key))
			absent_add(view, &listing->key, store->api.slave_id, NULL, arena);
	}
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
