/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a survey has seen so far: its facts pass through a sink that remembers what later steps need
 * (whose namespaces to enter, which links to look up, who is the agent).
 */
#ifndef EW_OBSERVE_SNAPSHOT_H
#define EW_OBSERVE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "observe/proc/procfs.h"

struct snapshot_process {
	int32_t pid;
	uint64_t start;
	bool mesos; /* has MESOS_EXECUTOR_ID */
	int32_t ppid;
	bool library;	  /* has a Mesos library mapped, as far as it was looked for */
	uint64_t run;	  /* the same for all with the same framework, executor, container id */
	int32_t work_dir; /* what its MESOS_DIRECTORY is below: number of snapshot.work_dirs; -1:
			   * none
			   */
};

struct snapshot_work_dir {
	char path[512];
};

struct snapshot_run {
	uint64_t run;
	bool is_executor; /* this linked process looks like the executor, not like its task */
};

struct snapshot_agent {
	int32_t pid;
	uint64_t start;
	bool mesos; /* its name says so */
	struct ew_addr listen;
	uint64_t netns;
	uint64_t cookie;
};

struct snapshot {
	uint16_t port;	      /* the agent's */
	uint64_t own_netns;   /* inode of the namespace we are in */
	struct fact_sink out; /* where facts go on to */
	struct fact_sink tee; /* put here */
	bool broken;	      /* memory was short: something was not remembered */
	void (*pause)(void *ctx, const struct fact_sink *sink); /* NULL: nobody waits */
	void *pause_ctx;

	struct procfs_row *rows; /* every process of the host */
	size_t n_rows, rows_cap;
	struct snapshot_process
		*processes; /* that FACT_PROCESS was put of, sorted by snapshot_sort() */
	size_t n_processes, processes_cap;
	struct snapshot_work_dir *work_dirs; /* each once */
	size_t n_work_dirs, work_dirs_cap;
	struct fact_socket *sockets; /* by cookie, each once after snapshot_sort() */
	size_t n_sockets, sockets_cap;
	struct fact_holder *holders; /* by cookie, pid, fd; each once after snapshot_sort() */
	size_t n_holders, holders_cap;
	struct snapshot_agent *agents;
	size_t n_agents, agents_cap;
	int32_t *linked; /* snapshot_find_linked(): who holds a connection to the agent port; sorted
			  */
	size_t n_linked, linked_cap;
	struct snapshot_run *runs; /* snapshot_find_runs(): the run of each of these, sorted */
	size_t n_runs, runs_cap;
	char api_work_dir[512]; /* what the agent's API said last */
};

void snapshot_init(struct snapshot *snapshot, uint16_t port);
void snapshot_clear(struct snapshot *snapshot);

/* Forgets all but api_work_dir; facts go to out from now on. */
void snapshot_begin(struct snapshot *snapshot, const struct fact_sink *out);

/* The pass is over: of the sockets nothing is asked any more, and they are many. */
void snapshot_end(struct snapshot *snapshot);

/* To be called often where reading takes long and few facts are put: see scan_options. */
void snapshot_pause(struct snapshot *snapshot);

void snapshot_row(struct snapshot *snapshot, const struct procfs_row *row);
void snapshot_sort(struct snapshot *snapshot);
void snapshot_sort_processes(struct snapshot *snapshot); /* these alone */

/* All after snapshot_sort(). */
void snapshot_find_linked(
	struct snapshot *snapshot);		    /* from the sockets and holders known so far */
void snapshot_find_runs(struct snapshot *snapshot); /* from these and the processes known so far */
bool snapshot_is_linked(const struct snapshot *snapshot, int32_t pid);

/*
 * Is it plain which process of the run is the executor? Exactly one has a link, it runs a Mesos
 * library, and it is no child of another: not a task that talks to the agent, not a forked copy
 * that still has the link which the executor has closed.
 */
bool snapshot_run_is_plain(const struct snapshot *snapshot, uint64_t run);
const struct snapshot_process *snapshot_process_find(const struct snapshot *snapshot, int32_t pid);
const struct fact_holder *snapshot_holders(const struct snapshot *snapshot, uint64_t cookie,
					   size_t *n);

/* Has it the agent port at either end? */
bool snapshot_is_agents(const struct snapshot *snapshot, const struct fact_socket *socket);

/*
 * The agent to ask and to read the files of: by its name if one has it, and the last of those that
 * were put, which is one of our own namespace if there is one. NULL for none.
 */
const struct snapshot_agent *snapshot_agent(const struct snapshot *snapshot);

/*
 * Opens a namespace by one of its processes. A descriptor; -ENOENT when none is left; -EACCES when
 * it may be the namespace of one that this process may not look into.
 */
int snapshot_netns_open(const struct snapshot *snapshot, uint64_t netns);

#endif
