/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the node and the next restart. */
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "model/finding_table.h"
#include "model/judge/agent_state.h"
#include "model/judge/agent_away.h"
#include "model/judge/evidence.h"
#include "model/judge/identity.h"
#include "model/model_private.h"
#include "model/verdict_table.h"

static bool is_impostor_here(const struct store *store, const struct agent *agent)
{
	return !agent->gone_at && agent_is_impostor(store, agent) &&
	       (!store->session.netns || agent->facts.netns == store->session.netns);
}

/* Any user may listen on another address of this host under the agent's port and name. */
static void impostors_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	for (size_t i = 0; i < store->agents.n; i++) {
		const struct fact_agent *a = &store->agents.v[i].facts;
		char text[ADDR_TEXT_MAX];

		if (!is_impostor_here(store, &store->agents.v[i]))
			continue;
		finding_add(store, report, FINDING_IMPOSTOR_AGENT, SEVERITY_WARNING,
			    arena_printf(arena,
					 "Process %d (%s) of user %u listens on %s as an agent "
					 "would, but the agent's work directory belongs to user "
					 "%u.",
					 a->pid, a->comm, a->uid, addr_text(&a->listen, text),
					 store->work_dir.uid),
			    "Find out what this process is, and end it if it is not meant to "
			    "be there.");
	}
}

/* It was asked for the id that this agent has, and lists it: it has not removed it. */
static bool master_has_agent(const struct store *store)
{
	const struct fact_master *master = &store->master;

	return store->has_master && master->lists_agent == EW_YES && *master->slave_id &&
	       strcmp(master->slave_id, identity_agent_id(store)) == 0;
}

/*
 * The master removes an agent that does not answer for so long, and its tasks are lost then however
 * healthy the executors are (Mesos master/master.cpp, agent_ping_timeout and
 * max_agent_ping_timeouts). It stays a finding after the agent's return.
 */
static void master_timeout_fill(const struct store *store, struct report *report)
{
	int64_t away = agent_away(store), limit = store_master_timeout(store);
	struct away unseen = agent_away_unseen(store);
	const char *how = "was away for";

	if (away <= limit && unseen.at_least > limit) {
		away = unseen.at_least;
		how = "was away for at least";
	} else if (away <= limit && !master_has_agent(store)) {
		away = unseen.at_most;
		how = "may have been away, from the audit to its start, for";
	}
	if (!limit || away <= limit)
		return;
	finding_add(store, report, FINDING_MASTER_TIMEOUT, SEVERITY_WARNING,
		    arena_printf(report->arena,
				 "The agent %s %lld s; its master removes an "
				 "agent that is silent for %lld s.",
				 how, (long long)(away / NS_PER_S), (long long)(limit / NS_PER_S)),
		    "See on the master whether the agent was removed and which of its tasks "
		    "were reported lost.");
}

/*
 * A v1 executor subscribes again after a random part of its backoff, however soon the agent is back
 * (Mesos executor/executor.cpp, backoff()), and the agent removes executors that have not done so
 * within its re-registration timeout.
 */
static void v1_backoff_fill(const struct executors *view, struct report *report)
{
	int64_t timeout = agent_state_reregister_timeout(view->store), longest = 0;
	size_t n = 0;

	for (size_t i = 0; i < view->n_executors; i++) {
		const struct executor *executor = &view->executors[i];
		int64_t backoff = executor->process->facts.backoff_max;

		if (evidence_protocol(executor->checkpoint) != PROTOCOL_V1 || backoff <= timeout ||
		    identity_of(view->store, executor) != WHOSE_OURS)
			continue;
		n++;
		longest = backoff > longest ? backoff : longest;
	}
	if (!n)
		return;
	finding_add(
		view->store, report, FINDING_V1_BACKOFF, SEVERITY_WARNING,
		arena_printf(
			report->arena,
			"%zu v1 executors may wait up to %.1f s before they subscribe again "
			"(MESOS_SUBSCRIPTION_BACKOFF_MAX), and the agent kills executors that have "
			"not within %.1f s.",
			n, (double)longest / NS_PER_S, (double)timeout / NS_PER_S),
		"Start the agent with a longer --executor_reregistration_timeout (15secs "
		"at most).");
}

/* True when the namespace has a link whose packets pass connection tracking. */
static bool tracks_links(const struct store *store, const struct netns *netns)
{
	const struct connection *conn, *next;

	HASH_ITER(hh, store->connections, conn, next)
	{
		if (conn->facts.netns == netns->inode && conn->facts.state == TCP_ESTABLISHED &&
		    connection_is_link(store, conn) && conn->firewall.untracked != EW_YES)
			return true;
	}
	return false;
}

/*
 * At the limit the kernel evicts entries of idle connections and drops what begins a new one,
 * before any rule is asked (__nf_conntrack_alloc(), nf_conntrack_core.c of Linux 6.1): executors
 * cannot connect to an agent that has been restarted.
 */
static void conntrack_full(const struct store *store, const struct netns *netns,
			   struct report *report)
{
	struct arena *arena = report->arena;
	bool full = netns->entries >= netns->limit;

	if (netns->ct_active == EW_NO || !netns->limit || netns->seen < store->tracked ||
	    netns->entries < netns->limit - netns->limit / 10 || !tracks_links(store, netns))
		return;
	finding_add(
		store, report, FINDING_CONNTRACK_FULL, full ? SEVERITY_CRITICAL : SEVERITY_WARNING,
		arena_printf(
			arena,
			"Connection tracking of network namespace %llu has %llu entries of at most "
			"%llu.",
			(unsigned long long)netns->inode, (unsigned long long)netns->entries,
			(unsigned long long)netns->limit),
		arena_printf(arena,
			     "Raise the limit before the restart:\n\tsysctl -w "
			     "net.netfilter.nf_conntrack_max=%llu",
			     (unsigned long long)netns->limit * 2));
}

static int finding_order(const void *a, const void *b)
{
	const struct report_finding *x = a, *y = b;

	int order = severity_rank(x->severity) - severity_rank(y->severity);

	return order ? order : strcmp(x->id, y->id);
}

static bool is_found(const struct report *report, const char *id)
{
	for (size_t i = 0; i < report->n_findings; i++)
		if (strcmp(report->findings[i].id, id) == 0)
			return true;
	return false;
}

static void foreseen_fill(const struct store *store, struct report *report)
{
	struct arena *arena = report->arena;

	report->foreseen = arena_array(arena, store->foreseen.n + 1, sizeof(*report->foreseen));
	for (size_t i = 0; report->foreseen && i < store->foreseen.n; i++) {
		const struct fact_foreseen *f = &store->foreseen.v[i];

		report->foreseen[report->n_foreseen++] = (struct report_foreseen){
			arena_text(arena, f->id), arena_text(arena, f->severity),
			arena_text(arena, f->evidence), is_found(report, f->id)
		};
	}
}

void report_findings_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	if (report_has_outcomes(report))
		master_timeout_fill(store, report);
	impostors_fill(store, report);
	v1_backoff_fill(view, report);
	findings_disk_fill(view, report);
	findings_service_fill(view, report);
	findings_next_fill(view, report);
	findings_network_fill(view, report);
	findings_docker_fill(view, report);
	findings_timeouts_fill(view, report);
	findings_recovery_fill(view, report);
	for (size_t i = 0; i < store->namespaces.n; i++)
		conntrack_full(store, &store->namespaces.v[i], report);
	findings_damage_fill(view, report);
	if (report->n_findings)
		qsort(report->findings, report->n_findings, sizeof(*report->findings),
		      finding_order);
	if (report_has_outcomes(report))
		foreseen_fill(store, report);
}
