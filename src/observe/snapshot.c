/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/equal_range.h"
#include "mesos/upid.h"
#include "base/array.h"
#include "base/netns.h"
#include "base/proc.h"

static bool room(struct snapshot *snapshot, void *items, size_t *cap, size_t n, size_t size)
{
	if (array_reserve(items, cap, n, size) == 0)
		return true;
	snapshot->broken = true;
	return false;
}

/* Its number; there are as many as agents, but thousands of processes below each. */
static int32_t work_dir_number(struct snapshot *snapshot, const char *path, size_t len)
{
	struct snapshot_work_dir dir;

	snprintf(dir.path, sizeof(dir.path), "%.*s", (int)len, path);
	for (size_t i = 0; i < snapshot->n_work_dirs; i++)
		if (strcmp(snapshot->work_dirs[i].path, dir.path) == 0)
			return (int32_t)i;
	if (!room(snapshot, &snapshot->work_dirs, &snapshot->work_dirs_cap, snapshot->n_work_dirs,
		  sizeof(dir)))
		return -1;
	snapshot->work_dirs[snapshot->n_work_dirs] = dir;
	return (int32_t)snapshot->n_work_dirs++;
}

/* WORK_DIR/slaves/…: the directory of an executor of the agent on our port. */
static int32_t work_dir_of(struct snapshot *snapshot, const struct fact_process *process)
{
	const char *end = strstr(process->directory, "/slaves/");
	struct mesos_upid upid;

	if (!end || process->directory[0] != '/' ||
	    mesos_upid_parse(mesos_span_of(process->slave_pid), &upid) < 0 ||
	    upid.addr.port != snapshot->port)
		return -1;
	return work_dir_number(snapshot, process->directory, (size_t)(end - process->directory));
}

/* That two runs share a number would cost some needless reading, no more. */
static uint64_t run_of(const struct fact_process *process)
{
	uint64_t hash = hash_text(HASH_BEGIN, process->framework_id);

	hash = hash_text(hash, process->executor_id);
	return hash_text(hash, process->container_id);
}

static void note_process(struct snapshot *snapshot, const struct fact_process *process)
{
	struct snapshot_process *noted;

	if (!room(snapshot, &snapshot->processes, &snapshot->processes_cap, snapshot->n_processes,
		  sizeof(*noted)))
		return;
	noted = &snapshot->processes[snapshot->n_processes++];
	noted->pid = process->pid;
	noted->start = process->start;
	noted->mesos = process->executor_id && process->executor_id[0];
	noted->ppid = process->ppid;
	noted->library = process->library && process->library[0];
	noted->run = 0;
	noted->work_dir = -1;
	if (!noted->mesos)
		return;
	noted->run = run_of(process);
	noted->work_dir = work_dir_of(snapshot, process);
}

/* Only the last part of the path: all of a DC/OS host's programs are below /opt/mesosphere. */
static bool is_agents_name(const struct fact_agent *agent)
{
	const char *slash = strrchr(agent->exe, '/');
	const char *names[] = { agent->comm, slash ? slash + 1 : agent->exe };

	for (size_t i = 0; i < 2; i++)
		if (strstr(names[i], "mesos-agent") || strstr(names[i], "mesos-slave"))
			return true;
	return false;
}

static void note_agent(struct snapshot *snapshot, const struct fact_agent *agent)
{
	if (!room(snapshot, &snapshot->agents, &snapshot->agents_cap, snapshot->n_agents,
		  sizeof(*snapshot->agents)))
		return;
	snapshot->agents[snapshot->n_agents++] = (struct snapshot_agent){
		.pid = agent->pid,
		.start = agent->start,
		.mesos = is_agents_name(agent),
		.listen = agent->listen,
		.netns = agent->netns,
		.cookie = agent->cookie,
	};
}

static void snapshot_put(void *ctx, const struct fact *fact)
{
	struct snapshot *snapshot = ctx;

	switch (fact->type) {
	case FACT_PROCESS:
		note_process(snapshot, &fact->process);
		break;
	case FACT_SOCKET:
		if (room(snapshot, &snapshot->sockets, &snapshot->sockets_cap, snapshot->n_sockets,
			 sizeof(*snapshot->sockets)))
			snapshot->sockets[snapshot->n_sockets++] = fact->socket;
		break;
	case FACT_HOLDER:
		if (room(snapshot, &snapshot->holders, &snapshot->holders_cap, snapshot->n_holders,
			 sizeof(*snapshot->holders)))
			snapshot->holders[snapshot->n_holders++] = fact->holder;
		break;
	case FACT_AGENT:
		note_agent(snapshot, &fact->agent);
		break;
	case FACT_API:
		if (fact->api.work_dir && fact->api.work_dir[0])
			snprintf(snapshot->api_work_dir, sizeof(snapshot->api_work_dir), "%s",
				 fact->api.work_dir);
		break;
	default:
		break;
	}
	fact_emit(&snapshot->out, fact);
}

void snapshot_init(struct snapshot *snapshot, uint16_t port)
{
	*snapshot = (struct snapshot){ .port = port };
	snapshot->tee = (struct fact_sink){ .put = snapshot_put, .ctx = snapshot };
}

void snapshot_end(struct snapshot *snapshot)
{
	free(snapshot->sockets);
	free(snapshot->holders);
	snapshot->sockets = NULL;
	snapshot->holders = NULL;
	snapshot->n_sockets = snapshot->sockets_cap = 0;
	snapshot->n_holders = snapshot->holders_cap = 0;
}

void snapshot_clear(struct snapshot *snapshot)
{
	snapshot_end(snapshot);
	free(snapshot->rows);
	free(snapshot->processes);
	free(snapshot->work_dirs);
	free(snapshot->agents);
	free(snapshot->linked);
	free(snapshot->runs);
}

void snapshot_begin(struct snapshot *snapshot, const struct fact_sink *out)
{
	snapshot->own_netns = proc_ns_own("net");
	snapshot->out = *out;
	snapshot->broken = false;
	snapshot->n_rows = 0;
	snapshot->n_processes = 0;
	snapshot->n_work_dirs = 0;
	snapshot->n_sockets = 0;
	snapshot->n_holders = 0;
	snapshot->n_agents = 0;
	snapshot->n_linked = 0;
	snapshot->n_runs = 0;
}

void snapshot_pause(struct snapshot *snapshot)
{
	if (snapshot->pause)
		snapshot->pause(snapshot->pause_ctx, &snapshot->tee);
}

void snapshot_row(struct snapshot *snapshot, const struct procfs_row *row)
{
	if (room(snapshot, &snapshot->rows, &snapshot->rows_cap, snapshot->n_rows, sizeof(*row)))
		snapshot->rows[snapshot->n_rows++] = *row;
}

static int process_order(const void *a, const void *b)
{
	const struct snapshot_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int socket_order(const void *a, const void *b)
{
	const struct fact_socket *x = a, *y = b;

	return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

static int holder_order(const void *a, const void *b)
{
	const struct fact_holder *x = a, *y = b;

	if (x->cookie != y->cookie)
		return x->cookie < y->cookie ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->fd < y->fd ? -1 : x->fd > y->fd;
}

/* Sorts, and keeps one of each run of equals. */
static void sort_unique(void *items, size_t *n, size_t size,
			int (*order)(const void *a, const void *b))
{
	char *at = items;
	size_t kept = 0;

	if (*n == 0)
		return;
	qsort(items, *n, size, order);
	for (size_t i = 1; i < *n; i++)
		if (order(at + kept * size, at + i * size) != 0)
			memmove(at + ++kept * size, at + i * size, size);
	*n = kept + 1;
}

void snapshot_sort_processes(struct snapshot *snapshot)
{
	sort_unique(snapshot->processes, &snapshot->n_processes, sizeof(*snapshot->processes),
		    process_order);
}

void snapshot_sort(struct snapshot *snapshot)
{
	snapshot_sort_processes(snapshot);
	sort_unique(snapshot->sockets, &snapshot->n_sockets, sizeof(*snapshot->sockets),
		    socket_order);
	sort_unique(snapshot->holders, &snapshot->n_holders, sizeof(*snapshot->holders),
		    holder_order);
}

const struct snapshot_process *snapshot_process_find(const struct snapshot *snapshot, int32_t pid)
{
	struct snapshot_process key = { .pid = pid };

	if (!snapshot->n_processes)
		return NULL;
	return bsearch(&key, snapshot->processes, snapshot->n_processes, sizeof(key),
		       process_order);
}

static int cookie_order(const void *key, const void *item)
{
	uint64_t cookie = *(const uint64_t *)key;
	const struct fact_holder *holder = item;

	return (cookie > holder->cookie) - (cookie < holder->cookie);
}

const struct fact_holder *snapshot_holders(const struct snapshot *snapshot, uint64_t cookie,
					   size_t *n)
{
	size_t first;

	*n = equal_range(&cookie, snapshot->holders, snapshot->n_holders,
			 sizeof(*snapshot->holders), cookie_order, &first);
	return *n ? &snapshot->holders[first] : NULL;
}

static int pid_order(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int run_order(const void *a, const void *b)
{
	const struct snapshot_run *x = a, *y = b;

	return x->run < y->run ? -1 : x->run > y->run;
}

void snapshot_find_linked(struct snapshot *snapshot)
{
	snapshot->n_linked = 0;
	for (size_t i = 0; i < snapshot->n_sockets; i++) {
		const struct fact_holder *holders;
		size_t n;

		if (snapshot->sockets[i].remote.port != snapshot->port)
			continue;
		holders = snapshot_holders(snapshot, snapshot->sockets[i].cookie, &n);
		for (size_t j = 0; j < n; j++)
			if (room(snapshot, &snapshot->linked, &snapshot->linked_cap,
				 snapshot->n_linked, sizeof(*snapshot->linked)))
				snapshot->linked[snapshot->n_linked++] = holders[j].pid;
	}
	sort_unique(snapshot->linked, &snapshot->n_linked, sizeof(*snapshot->linked), pid_order);
}

bool snapshot_is_linked(const struct snapshot *snapshot, int32_t pid)
{
	return snapshot->n_linked &&
	       bsearch(&pid, snapshot->linked, snapshot->n_linked, sizeof(pid), pid_order);
}

static bool has_parent_in_run(const struct snapshot *snapshot,
			      const struct snapshot_process *process)
{
	const struct snapshot_process *parent = snapshot_process_find(snapshot, process->ppid);

	return parent && parent->mesos && parent->run == process->run;
}

void snapshot_find_runs(struct snapshot *snapshot)
{
	snapshot->n_runs = 0;
	for (size_t i = 0; i < snapshot->n_processes; i++) {
		const struct snapshot_process *process = &snapshot->processes[i];

		if (!process->mesos || !snapshot_is_linked(snapshot, process->pid) ||
		    !room(snapshot, &snapshot->runs, &snapshot->runs_cap, snapshot->n_runs,
			  sizeof(*snapshot->runs)))
			continue;
		snapshot->runs[snapshot->n_runs++] = (struct snapshot_run){
			.run = process->run,
			.is_executor = process->library && !has_parent_in_run(snapshot, process),
		};
	}
	if (snapshot->n_runs)
		qsort(snapshot->runs, snapshot->n_runs, sizeof(*snapshot->runs), run_order);
}

bool snapshot_run_is_plain(const struct snapshot *snapshot, uint64_t run)
{
	struct snapshot_run key = { .run = run };
	const struct snapshot_run *found =
		snapshot->n_runs
			? bsearch(&key, snapshot->runs, snapshot->n_runs, sizeof(key), run_order)
			: NULL;

	return found && found->is_executor && !(found > snapshot->runs && found[-1].run == run) &&
	       !(found + 1 < snapshot->runs + snapshot->n_runs && found[1].run == run);
}

bool snapshot_is_agents(const struct snapshot *snapshot, const struct fact_socket *socket)
{
	return socket->local.port == snapshot->port || socket->remote.port == snapshot->port;
}

const struct snapshot_agent *snapshot_agent(const struct snapshot *snapshot)
{
	const struct snapshot_agent *best = NULL;

	for (size_t i = 0; i < snapshot->n_agents; i++)
		if (!best || snapshot->agents[i].mesos >= best->mesos)
			best = &snapshot->agents[i];
	return best;
}

int snapshot_netns_open(const struct snapshot *snapshot, uint64_t netns)
{
	int err = -ENOENT;

	for (size_t i = 0; i < snapshot->n_rows; i++) {
		uint64_t inode;
		int fd;

		/* 0: could not be seen. It may be the one. */
		if (snapshot->rows[i].netns && snapshot->rows[i].netns != netns)
			continue;
		fd = netns_open_pid(snapshot->rows[i].pid, &inode);
		if (fd >= 0 && inode == netns)
			return fd;
		if (fd >= 0)
			close(fd);
		else if (fd == -EACCES || fd == -EPERM)
			err = -EACCES;
	}
	return err;
}
