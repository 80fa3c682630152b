/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Findings about the agent's socket and address, and about its master. */
#include <netinet/tcp.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/cgroup_path.h"
#include "base/now.h"
#include "model/finding_table.h"
#include "model/judge/identity.h"
#include "model/model_private.h"

/* ---- the listener ---- */

/* What ends the agent's unit ends this process too. */
static bool ends_with_agent(const struct store *store, const struct agent *agent, int32_t pid,
			    uint64_t start)
{
	const struct fact_service *service = store_service(store, agent);
	const struct process *process = store_process_find(store, pid, start);

	if (!service || !*service->unit || !process || !process->known)
		return false;
	return (strcmp(service->kill_mode, "control-group") == 0 ||
		strcmp(service->kill_mode, "mixed") == 0) &&
	       cgroup_path_is_in(process->facts.cgroup, service->cgroup);
}

static const char *comm_of(const struct store *store, int32_t pid, uint64_t start)
{
	const struct process *process = store_process_find(store, pid, start);

	return process && process->known ? process->facts.comm : "unknown name";
}

/*
 * bind(2) fails while another socket listens on the port, SO_REUSEADDR or not (inet_csk_get_port(),
 * Linux 5.10 to 6.12). libprocess opens its listener with close-on-exec (process.cpp), so a holder
 * is a child that was forked and has not executed a program, or got the descriptor otherwise.
 */
static void listener_fill(const struct store *store, struct report *report)
{
	const struct agent *agent = store_agent(store);
	const struct connection *listener =
		agent ? store_connection_find(store, agent->facts.cookie) : NULL;

	for (size_t i = 0; listener && i < listener->n_holders; i++) {
		const struct holder *h = &listener->holders[i];

		if (h->pid == agent->facts.pid || h->seen != listener->seen ||
		    (i && listener->holders[i - 1].pid == h->pid) ||
		    ends_with_agent(store, agent, h->pid, h->start))
			continue;
		finding_add(store, report, FINDING_LISTENER_INHERITED, SEVERITY_CRITICAL,
			    arena_printf(report->arena,
					 "Process %d (%s) holds the socket that the agent (pid %d) "
					 "listens on, too.",
					 h->pid, comm_of(store, h->pid, h->start),
					 agent->facts.pid),
			    "Make it close that descriptor, or end it, before the agent starts "
			    "again.");
	}
}

/* Mesos ends when it cannot bind (3rdparty/libprocess/src/process.cpp, initialize()). */
static void address_fill(const struct store *store, struct report *report)
{
	char text[ADDR_TEXT_MAX];

	if (store->node.bound != EW_NO || !store_agent(store))
		return;
	finding_add(store, report, FINDING_ADDRESS_GONE, SEVERITY_CRITICAL,
		    arena_printf(report->arena,
				 "The agent listens on %s, an address that no interface of its "
				 "network namespace has any more.",
				 addr_text(&store->node.address, text)),
		    "Give the address back to the interface (ip address add), or start the agent "
		    "with the --ip that is there.");
}

/* ---- the master ---- */

static void master_unreachable_fill(const struct store *store, struct report *report)
{
	const struct fact_master *master = &store->master;

	if (!master->named || !*master->problem)
		return;
	finding_add(store, report, FINDING_MASTER_UNREACHABLE, SEVERITY_WARNING,
		    arena_printf(report->arena, "The master's answer is incomplete: %s.",
				 master->problem),
		    "See whether it runs, and whether --master-url names it as this host reaches "
		    "it.");
}

/* Removed, or marked unreachable (Mesos master/master.cpp, 0.28 to 1.11). */
static void master_lacks_agent_fill(const struct store *store, struct report *report)
{
	const struct fact_master *master = &store->master;

	if (master->lists_agent != EW_NO || !*master->slave_id || !store_agent(store) ||
	    strcmp(master->slave_id, identity_agent_id(store)) != 0)
		return;
	finding_add(store, report, FINDING_MASTER_LACKS_AGENT, SEVERITY_CRITICAL,
		    arena_printf(report->arena,
				 "The master at %s does not list the agent %s among those that "
				 "are registered.",
				 master->url, master->slave_id),
		    "See in the master's log why, and restart the agent only when it is "
		    "registered again.");
}

void findings_network_fill(const struct executors *view, struct report *report)
{
	const struct store *store = view->store;

	listener_fill(store, report);
	address_fill(store, report);
	if (!store->has_master)
		return;
	master_unreachable_fill(store, report);
	master_lacks_agent_fill(store, report);
}
