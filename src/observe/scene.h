/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a survey has seen so far: its facts pass through a sink that remembers what later steps need
 * (whose namespaces to enter, which links to look up, who is the agent).
 */
#ifndef EW_OBSERVE_SCENE_H
#define EW_OBSERVE_SCENE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "observe/procfs.h"

struct scene_process {
	int32_t pid;
	uint64_t start;
	bool mesos; /* has MESOS_EXECUTOR_ID */
	int32_t ppid;
	bool library;	  /* has a Mesos library mapped, as far as it was looked for */
	uint64_t run;	  /* the same for all with the same framework, executor, container id */
	int32_t work_dir; /* what its MESOS_DIRECTORY is below: number of scene.work_dirs; -1: none
			   */
};

struct scene_work_dir {
	char path[512];
};

struct scene_run {
	uint64_t run;
	bool is_executor; /* this linked process looks like the executor, not like its task */
};

struct scene_agent {
	int32_t pid;
	uint64_t start;
	bool mesos; /* its name says so */
	struct ew_addr listen;
	uint64_t netns;
	uint64_t cookie;
};

struct scene {
	uint16_t port;	      /* the agent's */
	uint64_t own_netns;   /* inode of the namespace we are in */
	struct fact_sink out; /* where facts go on to */
	struct fact_sink tee; /* put here */
	bool broken;	      /* memory was short: something was not remembered */
	void (*pause)(void *ctx, const struct fact_sink *sink); /* NULL: nobody waits */
	void *pause_ctx;

	struct procfs_row *rows; /* every process of the host */
	size_t n_rows, rows_cap;
	struct scene_process *processes; /* that FACT_PROCESS was put of, sorted by scene_sort() */
	size_t n_processes, processes_cap;
	struct scene_work_dir *work_dirs; /* each once */
	size_t n_work_dirs, work_dirs_cap;
	struct fact_socket *sockets; /* by cookie, each once after scene_sort() */
	size_t n_sockets, sockets_cap;
	struct fact_holder *holders; /* by cookie, pid, fd; each once after scene_sort() */
	size_t n_holders, holders_cap;
	struct scene_agent *agents;
	size_t n_agents, agents_cap;
	int32_t *linked; /* scene_find_linked(): who holds a connection to the agent port; sorted */
	size_t n_linked, linked_cap;
	struct scene_run *runs; /* scene_find_runs(): the run of each of these, sorted */
	size_t n_runs, runs_cap;
	char api_work_dir[512]; /* what the agent's API said last */
};

void scene_init(struct scene *scene, uint16_t port);
void scene_clear(struct scene *scene);

/* Forgets all but api_work_dir; facts go to out from now on. */
void scene_begin(struct scene *scene, const struct fact_sink *out);

/* The pass is over: of the sockets nothing is asked any more, and they are many. */
void scene_end(struct scene *scene);

/* To be called often where reading takes long and few facts are put: see survey_options. */
void scene_pause(struct scene *scene);

void scene_row(struct scene *scene, const struct procfs_row *row);
void scene_sort(struct scene *scene);
void scene_sort_processes(struct scene *scene); /* these alone */

/* All after scene_sort(). */
void scene_find_linked(struct scene *scene); /* from the sockets and holders known so far */
void scene_find_runs(struct scene *scene);   /* from these and the processes known so far */
bool scene_is_linked(const struct scene *scene, int32_t pid);

/*
 * Is it plain which process of the run is the executor? Exactly one has a link, it runs a Mesos
 * library, and it is no child of another: not a task that talks to the agent, not a forked copy
 * that still has the link which the executor has closed.
 */
bool scene_run_is_plain(const struct scene *scene, uint64_t run);
const struct scene_process *scene_process_find(const struct scene *scene, int32_t pid);
const struct fact_holder *scene_holders(const struct scene *scene, uint64_t cookie, size_t *n);

/* Has it the agent port at either end? */
bool scene_is_agents(const struct scene *scene, const struct fact_socket *socket);

/*
 * The agent to ask and to read the files of: by its name if one has it, and the last of those that
 * were put, which is one of our own namespace if there is one. NULL for none.
 */
const struct scene_agent *scene_agent(const struct scene *scene);

/*
 * Opens a namespace by one of its processes. A descriptor; -ENOENT when none is left; -EACCES when it
 * may be the namespace of one that this process may not look into.
 */
int scene_netns_open(const struct scene *scene, uint64_t netns);

#endif
