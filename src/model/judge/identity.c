/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "model/judge/identity.h"

#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/now.h"
#include "mesos/upid.h"
#include "model/judge/agent_state.h"
#include "model/store/listeners.h"

/* An agent records its start time when it initializes, after its process and any start script
 * began. The wall clock may be set in between. */
#define START_EARLIER (2 * 60 * NS_PER_S)
#define START_LATER   (15 * 60 * NS_PER_S)

/* ---- the agent's id ---- */

/* Data read before the present agent appeared belong to an earlier agent. */
static bool is_of_agent(const struct agent *agent, int64_t at)
{
	return !agent || agent->was_there || at >= agent->appeared;
}

static bool api_counts(const struct store *store)
{
	const struct agent *agent = store_agent(store);
	const struct fact_api *api = &store->api;

	if (!store->has_api || !agent || !is_of_agent(agent, store->api_at))
		return false;
	return !api->pid || (api->pid == agent->facts.pid && api->start == agent->facts.start);
}

static const char *api_id(const struct store *store)
{
	return api_counts(store) ? store->api.slave_id : "";
}

static bool disk_counts(const struct store *store)
{
	return store->has_work_dir && store->work_dir.readable == EW_YES &&
	       is_of_agent(store_agent(store), store->work_dir_at);
}

static const char *disk_id(const struct store *store)
{
	return disk_counts(store) ? store->work_dir.slave_id : "";
}

static bool ids_differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

const char *identity_agent_id(const struct store *store)
{
	const char *api = api_id(store), *disk = disk_id(store);

	if (ids_differ(api, disk))
		return "";
	if (*api || *disk)
		return *api ? api : disk;
	/* The id that the agent had before it went down. */
	return !store_agent(store) && store->has_api ? store->api.slave_id : "";
}

bool identity_is_given_up(const struct store *store, const char *slave_id)
{
	return store_agent(store) && ids_differ(identity_agent_id(store), slave_id);
}

/* ---- contradictions about the agent ---- */

static const char *starts_differ(const struct store *store, struct arena *arena)
{
	const struct agent *agent = store_agent(store);
	int64_t began, told;

	if (!api_counts(store) || store->api.start_time <= 0 || !agent->facts.start)
		return NULL;
	began = (int64_t)agent->facts.start * (NS_PER_S / 100) + store->session.wall_offset;
	told = (int64_t)(store->api.start_time * 1e9);
	if (told > began - START_EARLIER && told < began + START_LATER)
		return NULL;
	return arena_printf(arena,
			    "The API at %s tells of an agent that started %lld s %s the process %d "
			    "that listens here: it is another agent's, or the clock was set since.",
			    store->api.url,
			    (long long)((told < began ? began - told : told - began) / NS_PER_S),
			    told < began ? "before" : "after", agent->facts.pid);
}

/* The API was asked at another address than the agent's, and the disk does not confirm the id. */
static const char *addresses_differ(const struct store *store, struct arena *arena)
{
	const struct agent *agent = store_agent(store);
	const struct ew_addr *listen;
	char text[ADDR_TEXT_MAX];
	struct mesos_upid upid;

	if (!api_counts(store) || store->api.pid || store->session.elsewhere == EW_UNKNOWN ||
	    *disk_id(store) || mesos_upid_parse(mesos_span_of(store->api.upid), &upid) < 0)
		return NULL;
	listen = &agent->facts.listen;
	if (agent_ports_have(&store->ports, upid.addr.port) &&
	    (addr_is_any(listen) || addr_ip_equal(listen, &upid.addr)))
		return NULL;
	return arena_printf(arena, "The API at %s is that of %s, and the agent here listens on %s.",
			    store->api.url, store->api.upid, addr_text(listen, text));
}

const char *identity_contradiction(const struct store *store, struct arena *arena)
{
	const struct agent *rival = store_rival(store);
	const char *api = api_id(store), *disk = disk_id(store), *differ;

	if (rival)
		return arena_printf(arena,
				    "Two processes listen on port %u and either may be the agent: "
				    "pid %d and pid %d. Name one with --work-dir or --netns.",
				    store->session.agent_port, store_agent(store)->facts.pid,
				    rival->facts.pid);
	if (ids_differ(api, disk))
		return arena_printf(
			arena,
			"The API at %s is that of agent id %s, and %s/meta/slaves/latest "
			"names %s.",
			store->api.url, api, store->work_dir.path, disk);
	differ = starts_differ(store, arena);
	return differ ? differ : addresses_differ(store, arena);
}

/* ---- executors ---- */

const char *identity_executor_agent(const struct executor *executor)
{
	const struct checkpoint *checkpoint = executor->checkpoint;

	return checkpoint && *checkpoint->facts.slave_id ? checkpoint->facts.slave_id
							 : executor->process->facts.slave_id;
}

/* True when its sandbox is in the work directory that was read: it was this agent's executor. */
static bool is_below_work_dir(const struct store *store, const struct executor *executor)
{
	const char *directory = executor->process->facts.directory, *path, *root;
	size_t len;

	if (!store->has_work_dir || store->work_dir.readable != EW_YES)
		return false;
	path = store->work_dir.path;
	root = strncmp(path, "/proc/", 6) == 0 ? strstr(path, "/root/") : NULL;
	if (root) /* seen through the root of the agent */
		path = root + 5;
	len = strlen(path);
	return len && strncmp(directory, path, len) == 0 &&
	       strncmp(directory + len, "/slaves/", 8) == 0;
}

/* meta/slaves/latest is missing: the next agent takes a new id (Mesos slave/state.cpp, recover()).
 */
static bool latest_is_missing(const struct store *store)
{
	return disk_counts(store) && store->work_dir.latest == EW_NO;
}

static bool names_our_address(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_last_agent(store);

	if (!agent)
		return !store->session.netns || store->session.elsewhere != EW_NO ||
		       process->facts.netns == store->session.netns;
	return addr_is_any(&agent->facts.listen) ||
	       addr_ip_equal(&agent->facts.listen, &process->agent_addr);
}

static bool is_in_other_netns(const struct store *store, const struct process *process)
{
	const struct agent *agent = store_last_agent(store);
	uint64_t ours = agent ? agent->facts.netns : store->session.netns;

	return ours && process->facts.netns && process->facts.netns != ours;
}

/* Its agent's address is one of its own namespace's: a socket of the process there has it. */
static bool has_agents_address(const struct store *store, const struct process *process)
{
	size_t n;
	const uint64_t *cookies =
		store_process_connections(store, process->key.pid, process->key.start, &n);

	for (size_t i = 0; i < n; i++) {
		const struct connection *conn = store_connection_find(store, cookies[i]);

		if (conn && conn->facts.netns == process->facts.netns &&
		    connection_is_of(conn, process->key.pid, process->key.start) &&
		    addr_ip_equal(&conn->facts.local, &process->agent_addr))
			return true;
	}
	return false;
}

/*
 * Another namespace may use the same addresses, and its agent may be down. A socket there that has
 * the agent's address proves it. Loopback addresses are every namespace's own.
 */
static bool is_of_other_netns(const struct store *store, const struct process *process)
{
	return is_in_other_netns(store, process) && !addr_is_any(&process->agent_addr) &&
	       (addr_is_loopback(&process->agent_addr) || has_agents_address(store, process));
}

/*
 * At a port that is not ours, where our agent may have advertised it before it went down: only a
 * listener there proves that the agent is another one.
 */
static bool is_served_elsewhere(const struct store *store, const struct process *process)
{
	return store_is_listened_at(store, &process->agent_addr, process->facts.netns) ||
	       (store->session.elsewhere == EW_NO && is_of_other_netns(store, process));
}

/* Of an agent id that differs, or that is not known here. */
static enum whose whose_by_address(const struct store *store, const struct executor *executor,
				   bool differs)
{
	const struct process *process = executor->process;
	const struct agent *other;

	if (!process->agent_known)
		return WHOSE_UNKNOWN;
	if (differs && is_below_work_dir(store, executor))
		return WHOSE_FORMER;
	if (!agent_ports_have(&store->ports, process->agent_addr.port))
		return differs || is_served_elsewhere(store, process) ? WHOSE_FOREIGN
								      : WHOSE_UNKNOWN;
	other = store_other_agent(store, &process->agent_addr, process->facts.netns);
	if (other)
		return other == store_rival(store) ? WHOSE_UNKNOWN : WHOSE_FOREIGN;
	if (store->session.elsewhere == EW_NO && is_of_other_netns(store, process))
		return WHOSE_FOREIGN;
	if (!names_our_address(store, process))
		return WHOSE_UNKNOWN;
	return differs ? WHOSE_FORMER : WHOSE_OURS;
}

enum whose identity_of(const struct store *store, const struct executor *executor)
{
	const char *theirs = identity_executor_agent(executor), *id = identity_agent_id(store);
	bool on_disk = executor->checkpoint || is_below_work_dir(store, executor);

	if (!*id && *theirs &&
	    (strcmp(theirs, api_id(store)) == 0 || strcmp(theirs, disk_id(store)) == 0))
		return WHOSE_OURS; /* the contradiction between the sources is reported elsewhere */
	if (on_disk && latest_is_missing(store))
		return WHOSE_FORMER;
	if (*id && *theirs && strcmp(id, theirs) == 0)
		return WHOSE_OURS;
	if (ids_differ(id, theirs) && executor->checkpoint)
		return WHOSE_FORMER;
	return whose_by_address(store, executor, ids_differ(id, theirs));
}

/* ACLs may have removed all executors from an empty list. */
bool identity_listing_counts(const struct store *store)
{
	return api_counts(store) && store->api.complete == EW_YES && store->listed_any &&
	       agent_state_serves(store);
}

static const char *absent_text(const struct store *store, const struct executor *executor,
			       struct arena *arena)
{
	const struct checkpoint *checkpoint = executor->checkpoint;

	if (!checkpoint)
		return "The agent's API lists it, and neither a process nor a checkpoint of it was "
		       "found.";
	if (!checkpoint->facts.forked_pid)
		return "Its run is on disk, and no process of it has been started yet.";
	return arena_printf(
		arena,
		"Its run is on disk (forked.pid %d)%s, and no process was found that is "
		"certainly this executor.",
		checkpoint->facts.forked_pid,
		store_is_listed(store, &executor->process->facts) ? " and in the agent's API" : "");
}

const char *identity_lists_disagree(const struct store *store, const struct executor *executor,
				    struct arena *arena)
{
	const struct checkpoint *checkpoint = executor->checkpoint;

	if (!executor->process->key.pid)
		return absent_text(store, executor, arena);
	if (checkpoint && store->work_dir.same_boot == EW_NO &&
	    checkpoint->facts.own_boot == EW_UNKNOWN)
		return "Its checkpoints are of another boot than this host's, and whether its "
		       "container has a boot id of its own could not be read.";
	if (identity_listing_counts(store) && !store_is_listed(store, &executor->process->facts))
		return arena_printf(arena,
				    "It runs%s, and the agent's API, which lists others, does not "
				    "list it.",
				    checkpoint ? " and is on disk" : "");
	return NULL;
}
