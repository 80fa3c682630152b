/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "observe/scene.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/run.h"
#include "mesos/upid.h"
#include "observe/grow.h"
#include "observe/netns.h"

static bool room(struct scene *scene, void *items, size_t *cap, size_t n, size_t size)
{
	if (grow(items, cap, n, size) == 0)
		return true;
	scene->broken = true;
	return false;
}

/* Its number; there are as many as agents, but thousands of processes below each. */
static int32_t work_dir_number(struct scene *scene, const char *path, size_t len)
{
	struct scene_work_dir dir;

	snprintf(dir.path, sizeof(dir.path), "%.*s", (int)len, path);
	for (size_t i = 0; i < scene->n_work_dirs; i++)
		if (strcmp(scene->work_dirs[i].path, dir.path) == 0)
			return (int32_t)i;
	if (!room(scene, &scene->work_dirs, &scene->work_dirs_cap, scene->n_work_dirs, sizeof(dir)))
		return -1;
	scene->work_dirs[scene->n_work_dirs] = dir;
	return (int32_t)scene->n_work_dirs++;
}

/* WORK_DIR/slaves/…: the directory of an executor of the agent on our port. */
static int32_t work_dir_of(struct scene *scene, const struct fact_process *process)
{
	const char *end = strstr(process->directory, "/slaves/");
	struct mesos_upid upid;

	if (!end || process->directory[0] != '/' ||
	    mesos_upid_parse(mesos_span_of(process->slave_pid), &upid) < 0 ||
	    upid.addr.port != scene->port)
		return -1;
	return work_dir_number(scene, process->directory, (size_t)(end - process->directory));
}

/* That two runs share a number would cost some needless reading, no more. */
static uint64_t run_of(const struct fact_process *process)
{
	uint64_t hash = hash_text(HASH_BEGIN, process->framework_id);

	hash = hash_text(hash, process->executor_id);
	return hash_text(hash, process->container_id);
}

static void note_process(struct scene *scene, const struct fact_process *process)
{
	struct scene_process *noted;

	if (!room(scene, &scene->processes, &scene->processes_cap, scene->n_processes,
		  sizeof(*noted)))
		return;
	noted = &scene->processes[scene->n_processes++];
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
	noted->work_dir = work_dir_of(scene, process);
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

static void note_agent(struct scene *scene, const struct fact_agent *agent)
{
	if (!room(scene, &scene->agents, &scene->agents_cap, scene->n_agents,
		  sizeof(*scene->agents)))
		return;
	scene->agents[scene->n_agents++] = (struct scene_agent){
		.pid = agent->pid,
		.start = agent->start,
		.mesos = is_agents_name(agent),
		.listen = agent->listen,
		.netns = agent->netns,
		.cookie = agent->cookie,
	};
}

static void scene_put(void *ctx, const struct fact *fact)
{
	struct scene *scene = ctx;

	switch (fact->type) {
	case FACT_PROCESS:
		note_process(scene, &fact->process);
		break;
	case FACT_SOCKET:
		if (room(scene, &scene->sockets, &scene->sockets_cap, scene->n_sockets,
			 sizeof(*scene->sockets)))
			scene->sockets[scene->n_sockets++] = fact->socket;
		break;
	case FACT_HOLDER:
		if (room(scene, &scene->holders, &scene->holders_cap, scene->n_holders,
			 sizeof(*scene->holders)))
			scene->holders[scene->n_holders++] = fact->holder;
		break;
	case FACT_AGENT:
		note_agent(scene, &fact->agent);
		break;
	case FACT_API:
		if (fact->api.work_dir && fact->api.work_dir[0])
			snprintf(scene->api_work_dir, sizeof(scene->api_work_dir), "%s",
				 fact->api.work_dir);
		break;
	default:
		break;
	}
	fact_put(&scene->out, fact);
}

void scene_init(struct scene *scene, uint16_t port)
{
	*scene = (struct scene){ .port = port };
	scene->tee = (struct fact_sink){ .put = scene_put, .ctx = scene };
}

void scene_end(struct scene *scene)
{
	free(scene->sockets);
	free(scene->holders);
	scene->sockets = NULL;
	scene->holders = NULL;
	scene->n_sockets = scene->sockets_cap = 0;
	scene->n_holders = scene->holders_cap = 0;
}

void scene_clear(struct scene *scene)
{
	scene_end(scene);
	free(scene->rows);
	free(scene->processes);
	free(scene->work_dirs);
	free(scene->agents);
	free(scene->linked);
	free(scene->runs);
}

void scene_begin(struct scene *scene, const struct fact_sink *out)
{
	struct stat own;

	scene->own_netns = stat("/proc/thread-self/ns/net", &own) < 0 ? 0 : own.st_ino;
	scene->out = *out;
	scene->broken = false;
	scene->n_rows = 0;
	scene->n_processes = 0;
	scene->n_work_dirs = 0;
	scene->n_sockets = 0;
	scene->n_holders = 0;
	scene->n_agents = 0;
	scene->n_linked = 0;
	scene->n_runs = 0;
}

void scene_pause(struct scene *scene)
{
	if (scene->pause)
		scene->pause(scene->pause_ctx, &scene->tee);
}

void scene_row(struct scene *scene, const struct procfs_row *row)
{
	if (room(scene, &scene->rows, &scene->rows_cap, scene->n_rows, sizeof(*row)))
		scene->rows[scene->n_rows++] = *row;
}

static int process_order(const void *a, const void *b)
{
	const struct scene_process *x = a, *y = b;

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

void scene_sort_processes(struct scene *scene)
{
	sort_unique(scene->processes, &scene->n_processes, sizeof(*scene->processes),
		    process_order);
}

void scene_sort(struct scene *scene)
{
	scene_sort_processes(scene);
	sort_unique(scene->sockets, &scene->n_sockets, sizeof(*scene->sockets), socket_order);
	sort_unique(scene->holders, &scene->n_holders, sizeof(*scene->holders), holder_order);
}

const struct scene_process *scene_process_find(const struct scene *scene, int32_t pid)
{
	struct scene_process key = { .pid = pid };

	if (!scene->n_processes)
		return NULL;
	return bsearch(&key, scene->processes, scene->n_processes, sizeof(key), process_order);
}

static int cookie_order(const void *key, const void *item)
{
	uint64_t cookie = *(const uint64_t *)key;
	const struct fact_holder *holder = item;

	return (cookie > holder->cookie) - (cookie < holder->cookie);
}

const struct fact_holder *scene_holders(const struct scene *scene, uint64_t cookie, size_t *n)
{
	size_t first;

	*n = run_find(&cookie, scene->holders, scene->n_holders, sizeof(*scene->holders),
		      cookie_order, &first);
	return *n ? &scene->holders[first] : NULL;
}

static int pid_order(const void *a, const void *b)
{
	const int32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int run_order(const void *a, const void *b)
{
	const struct scene_run *x = a, *y = b;

	return x->run < y->run ? -1 : x->run > y->run;
}

void scene_find_linked(struct scene *scene)
{
	scene->n_linked = 0;
	for (size_t i = 0; i < scene->n_sockets; i++) {
		const struct fact_holder *holders;
		size_t n;

		if (scene->sockets[i].remote.port != scene->port)
			continue;
		holders = scene_holders(scene, scene->sockets[i].cookie, &n);
		for (size_t j = 0; j < n; j++)
			if (room(scene, &scene->linked, &scene->linked_cap, scene->n_linked,
				 sizeof(*scene->linked)))
				scene->linked[scene->n_linked++] = holders[j].pid;
	}
	sort_unique(scene->linked, &scene->n_linked, sizeof(*scene->linked), pid_order);
}

bool scene_is_linked(const struct scene *scene, int32_t pid)
{
	return scene->n_linked &&
	       bsearch(&pid, scene->linked, scene->n_linked, sizeof(pid), pid_order);
}

static bool has_parent_in_run(const struct scene *scene, const struct scene_process *process)
{
	const struct scene_process *parent = scene_process_find(scene, process->ppid);

	return parent && parent->mesos && parent->run == process->run;
}

void scene_find_runs(struct scene *scene)
{
	scene->n_runs = 0;
	for (size_t i = 0; i < scene->n_processes; i++) {
		const struct scene_process *process = &scene->processes[i];

		if (!process->mesos || !scene_is_linked(scene, process->pid) ||
		    !room(scene, &scene->runs, &scene->runs_cap, scene->n_runs,
			  sizeof(*scene->runs)))
			continue;
		scene->runs[scene->n_runs++] = (struct scene_run){
			.run = process->run,
			.is_executor = process->library && !has_parent_in_run(scene, process),
		};
	}
	if (scene->n_runs)
		qsort(scene->runs, scene->n_runs, sizeof(*scene->runs), run_order);
}

bool scene_run_is_plain(const struct scene *scene, uint64_t run)
{
	struct scene_run key = { .run = run };
	const struct scene_run *found =
		scene->n_runs ? bsearch(&key, scene->runs, scene->n_runs, sizeof(key), run_order)
			      : NULL;

	return found && found->is_executor && !(found > scene->runs && found[-1].run == run) &&
	       !(found + 1 < scene->runs + scene->n_runs && found[1].run == run);
}

bool scene_is_agents(const struct scene *scene, const struct fact_socket *socket)
{
	return socket->local.port == scene->port || socket->remote.port == scene->port;
}

const struct scene_agent *scene_agent(const struct scene *scene)
{
	const struct scene_agent *best = NULL;

	for (size_t i = 0; i < scene->n_agents; i++)
		if (!best || scene->agents[i].mesos >= best->mesos)
			best = &scene->agents[i];
	return best;
}

int scene_netns_open(const struct scene *scene, uint64_t netns)
{
	int err = -ENOENT;

	for (size_t i = 0; i < scene->n_rows; i++) {
		uint64_t inode;
		int fd;

		/* 0: could not be seen. It may be the one. */
		if (scene->rows[i].netns && scene->rows[i].netns != netns)
			continue;
		fd = netns_of(scene->rows[i].pid, &inode);
		if (fd >= 0 && inode == netns)
			return fd;
		if (fd >= 0)
			close(fd);
		else if (fd == -EACCES || fd == -EPERM)
			err = -EACCES;
	}
	return err;
}
