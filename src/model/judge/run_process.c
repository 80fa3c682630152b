/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/run_process.h"

#include <netinet/tcp.h>
#include <stdlib.h>

#include "base/addr.h"
#include "base/arena.h"
#include "mesos/upid.h"

static uint16_t upid_port(const struct checkpoint *checkpoint)
{
	struct mesos_upid upid;

	if (!checkpoint || mesos_upid_parse(mesos_span_of(checkpoint->facts.upid), &upid) < 0)
		return 0;
	return upid.addr.port;
}

static int process_pid_order(const void *a, const void *b)
{
	const struct process *x = *(const struct process *const *)a;
	const struct process *y = *(const struct process *const *)b;

	return x->key.pid < y->key.pid ? -1 : x->key.pid > y->key.pid;
}

struct pids pids_build(const struct store *store, struct arena *arena)
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

bool run_process_is_below(const struct pids *pids, const struct process *process, int32_t forked)
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

enum ew_tri run_process_is_backed(const struct store *store, const struct pids *pids,
				  const struct executor *executor, const struct holdings *held)
{
	const struct checkpoint *checkpoint = executor->checkpoint;
	const struct process *process = executor->process, *forked;
	bool reused;

	if (!checkpoint || !checkpoint->facts.forked_pid)
		return EW_UNKNOWN;
	forked = pids_find(pids, checkpoint->facts.forked_pid);
	reused = forked && store_pid_is_reused(store, checkpoint, forked);
	if ((!reused && run_process_is_below(pids, process, checkpoint->facts.forked_pid)) ||
	    listens_as_written(store, checkpoint, held))
		return EW_YES;
	return process->facts.session ? EW_NO : EW_UNKNOWN;
}

int run_process_score(const struct store *store, const struct process *process,
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
