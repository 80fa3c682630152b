/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/netns.h"
#include "mesos/agent_name.h"
#include "mesos/upid.h"
#include "observe/snapshot_internal.h"

bool snapshot_reserve(struct snapshot *snapshot, void *items, size_t *cap, size_t n, size_t size)
{
	if (array_reserve(items, cap, n, size) == 0)
		return true;
	snapshot->broken = true;
	return false;
}

/* Its number. There are as few as agents, with thousands of processes below each. */
static int32_t work_dir_number(struct snapshot *snapshot, const char *path, size_t len)
{
	struct work_dir dir;

	snprintf(dir.path, sizeof(dir.path), "%.*s", (int)len, path);
	for (size_t i = 0; i < snapshot->n_work_dirs; i++)
		if (strcmp(snapshot->work_dirs[i].path, dir.path) == 0)
			return (int32_t)i;
	if (!snapshot_reserve(snapshot, &snapshot->work_dirs, &snapshot->work_dirs_cap,
			      snapshot->n_work_dirs, sizeof(dir)))
		return -1;
	snapshot->work_dirs[snapshot->n_work_dirs] = dir;
	return (int32_t)snapshot->n_work_dirs++;
}

/* WORK_DIR/slaves/…: the directory of an executor whose agent has one of our ports. */
static int32_t work_dir_of(struct snapshot *snapshot, const struct fact_process *process,
			   const struct ew_addr *agent)
{
	const char *end = strstr(process->directory, "/slaves/");

	if (!end || process->directory[0] != '/' ||
	    !agent_ports_have(&snapshot->ports, agent->port))
		return -1;
	return work_dir_number(snapshot, process->directory, (size_t)(end - process->directory));
}

/* Two runs with the same number only make some processes be read needlessly. */
static uint64_t run_of(const struct fact_process *process)
{
	uint64_t hash = hash_text(HASH_BEGIN, process->framework_id);

	hash = hash_text(hash, process->executor_id);
	return hash_text(hash, process->container_id);
}

static void add_process(struct snapshot *snapshot, const struct fact_process *process)
{
	struct snapshot_process *added;
	struct mesos_upid upid;

	if (!snapshot_reserve(snapshot, &snapshot->processes, &snapshot->processes_cap,
			      snapshot->n_processes, sizeof(*added)))
		return;
	added = &snapshot->processes[snapshot->n_processes++];
	added->pid = process->pid;
	added->start = process->start;
	added->mesos = process->executor_id && process->executor_id[0];
	added->ppid = process->ppid;
	added->library = process->library && process->library[0];
	added->netns = process->netns;
	added->agent = (struct ew_addr){ .port = 0 };
	added->run = 0;
	added->work_dir = -1;
	added->domain_socket = added->mesos && process->domain_socket && process->domain_socket[0];
	if (!added->mesos)
		return;
	added->run = run_of(process);
	if (mesos_upid_parse(mesos_span_of(process->slave_pid), &upid) == 0)
		added->agent = upid.addr;
	added->work_dir = work_dir_of(snapshot, process, &added->agent);
}

static void add_agent(struct snapshot *snapshot, const struct fact_agent *agent)
{
	if (!snapshot_reserve(snapshot, &snapshot->agents, &snapshot->agents_cap,
			      snapshot->n_agents, sizeof(*snapshot->agents)))
		return;
	snapshot->agents[snapshot->n_agents++] = (struct snapshot_agent){
		.pid = agent->pid,
		.start = agent->start,
		.mesos = mesos_is_agent_name(agent->comm, agent->exe),
		.uid = agent->uid,
		.listen = agent->listen,
		.netns = agent->netns,
		.cookie = agent->cookie,
	};
}

/* BPF does not tell of timers: of the two rows of a socket it is sock_diag's that has one. */
static void add_socket(struct snapshot *snapshot, const struct fact *fact)
{
	const struct fact_socket *socket = &fact->socket;

	if (snapshot_reserve(snapshot, &snapshot->sockets, &snapshot->sockets_cap,
			     snapshot->n_sockets, sizeof(*snapshot->sockets)))
		snapshot->sockets[snapshot->n_sockets++] = *socket;
	if (socket->probe_in && socket->state == TCP_ESTABLISHED &&
	    snapshot_reserve(snapshot, &snapshot->timers, &snapshot->timers_cap, snapshot->n_timers,
			     sizeof(*snapshot->timers)))
		snapshot->timers[snapshot->n_timers++] =
			(struct snapshot_timer){ socket->cookie, (uint16_t)socket->remote.port,
						 fact->mono, socket->probe_in };
}

/* Only the process that listens speaks for the agent, not whoever answers at --agent-url. */
static void add_answer(struct snapshot *snapshot, const struct fact_api *api)
{
	const struct snapshot_agent *agent = snapshot_agent(snapshot);
	struct mesos_upid upid;

	if (api->work_dir && api->work_dir[0])
		snprintf(snapshot->api_work_dir, sizeof(snapshot->api_work_dir), "%s",
			 api->work_dir);
	snapshot->api_port = 0;
	if (agent && api->pid == agent->pid && api->start == agent->start && api->upid &&
	    mesos_upid_parse(mesos_span_of(api->upid), &upid) == 0)
		snapshot->api_port = upid.addr.port;
}

void snapshot_add(struct snapshot *snapshot, const struct fact *fact)
{
	switch (fact->type) {
	case FACT_PROCESS:
		add_process(snapshot, &fact->process);
		break;
	case FACT_SOCKET:
		add_socket(snapshot, fact);
		break;
	case FACT_HOLDER:
		if (snapshot_reserve(snapshot, &snapshot->holders, &snapshot->holders_cap,
				     snapshot->n_holders, sizeof(*snapshot->holders)))
			snapshot->holders[snapshot->n_holders++] = fact->holder;
		break;
	case FACT_AGENT:
		add_agent(snapshot, &fact->agent);
		break;
	case FACT_API:
		add_answer(snapshot, &fact->api);
		break;
	case FACT_WORK_DIR:
		snapshot->info_port = (uint16_t)fact->work_dir.info_port;
		break;
	default:
		break;
	}
}

void snapshot_add_row(struct snapshot *snapshot, const struct procfs_row *row)
{
	if (snapshot_reserve(snapshot, &snapshot->rows, &snapshot->rows_cap, snapshot->n_rows,
			     sizeof(*row)))
		snapshot->rows[snapshot->n_rows++] = *row;
}

struct snapshot *snapshot_new(const struct agent_ports *ports)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		return NULL;
	snapshot->ports = *ports;
	snapshot->netns_fd = NETNS_OWN;
	return snapshot;
}

int snapshot_enter(struct snapshot *snapshot, int netns, enum ew_tri elsewhere)
{
	int copy = netns == NETNS_OWN ? NETNS_OWN : fcntl(netns, F_DUPFD_CLOEXEC, 0);

	if (netns != NETNS_OWN && copy < 0)
		return -errno;
	snapshot->netns_fd = copy;
	snapshot->elsewhere = elsewhere;
	return 0;
}

void snapshot_set_owner(struct snapshot *snapshot, const uint32_t *uid)
{
	snapshot->owner_known = uid != NULL;
	snapshot->owner = uid ? *uid : 0;
}

void snapshot_bound(struct snapshot *snapshot, int64_t until)
{
	snapshot->until = until;
}

int64_t snapshot_until(const struct snapshot *snapshot)
{
	return snapshot->until;
}

void snapshot_end(struct snapshot *snapshot)
{
	free(snapshot->sockets);
	free(snapshot->timers);
	free(snapshot->holders);
	snapshot->sockets = NULL;
	snapshot->timers = NULL;
	snapshot->holders = NULL;
	snapshot->n_sockets = snapshot->sockets_cap = 0;
	snapshot->n_timers = snapshot->timers_cap = 0;
	snapshot->n_holders = snapshot->holders_cap = 0;
}

void snapshot_free(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	snapshot_end(snapshot);
	free(snapshot->rows);
	free(snapshot->processes);
	free(snapshot->work_dirs);
	free(snapshot->agents);
	free(snapshot->linked);
	free(snapshot->runs);
	if (snapshot->netns_fd != NETNS_OWN)
		close(snapshot->netns_fd);
	free(snapshot);
}

void snapshot_begin(struct snapshot *snapshot)
{
	snapshot->netns = netns_inode(snapshot->netns_fd);
	snapshot->broken = false;
	snapshot->n_rows = 0;
	snapshot->n_processes = 0;
	snapshot->n_work_dirs = 0;
	snapshot->n_sockets = 0;
	snapshot->n_timers = 0;
	snapshot->n_holders = 0;
	snapshot->n_agents = 0;
	snapshot->n_linked = 0;
	snapshot->n_runs = 0;
}

bool snapshot_is_broken(const struct snapshot *snapshot)
{
	return snapshot->broken;
}

bool snapshot_add_port(struct snapshot *snapshot, uint16_t port)
{
	return agent_ports_add(&snapshot->ports, port);
}

uint16_t snapshot_port(const struct snapshot *snapshot)
{
	return snapshot->ports.v[0];
}

const struct agent_ports *snapshot_ports(const struct snapshot *snapshot)
{
	return &snapshot->ports;
}

uint16_t snapshot_api_port(const struct snapshot *snapshot)
{
	return snapshot->api_port;
}

uint16_t snapshot_info_port(const struct snapshot *snapshot)
{
	return snapshot->info_port;
}

uint64_t snapshot_netns(const struct snapshot *snapshot)
{
	return snapshot->netns;
}

const char *snapshot_work_dir(const struct snapshot *snapshot, int32_t work_dir)
{
	return snapshot->work_dirs[work_dir].path;
}

const char *snapshot_api_work_dir(const struct snapshot *snapshot)
{
	return snapshot->api_work_dir;
}

const struct procfs_row *snapshot_row(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->n_rows ? &snapshot->rows[i] : NULL;
}

size_t snapshot_n_processes(const struct snapshot *snapshot)
{
	return snapshot->n_processes;
}

const struct snapshot_process *snapshot_process(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->n_processes ? &snapshot->processes[i] : NULL;
}

const struct fact_socket *snapshot_socket(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->n_sockets ? &snapshot->sockets[i] : NULL;
}

const struct snapshot_timer *snapshot_timer(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->n_timers ? &snapshot->timers[i] : NULL;
}

const struct snapshot_agent *snapshot_listener(const struct snapshot *snapshot, size_t i)
{
	return i < snapshot->n_agents ? &snapshot->agents[i] : NULL;
}
