/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a snapshot consists of: for snapshot*.c, which fill it, sort it and look things up in it. */
#ifndef EW_OBSERVE_SNAPSHOT_INTERNAL_H
#define EW_OBSERVE_SNAPSHOT_INTERNAL_H

#include "observe/snapshot.h"

/* A work directory of an agent. */
struct work_dir {
	char path[512];
};

/* A run of an executor, once for each of its processes that has a connection. */
struct run {
	uint64_t run;
	bool is_executor; /* this process with a connection looks like the executor of the run */
};

struct snapshot {
	struct agent_ports ports;
	uint16_t api_port, info_port; /* 0: not known */
	int netns_fd;		      /* NETNS_OWN: ours */
	uint64_t netns;
	enum ew_tri elsewhere;
	int64_t until;
	bool owner_known;
	uint32_t owner; /* of the agent's work directory */
	bool broken;

	struct procfs_row *rows;
	size_t n_rows, rows_cap;
	struct snapshot_process *processes; /* by pid, each once, when sorted */
	size_t n_processes, processes_cap;
	struct work_dir *work_dirs; /* each once */
	size_t n_work_dirs, work_dirs_cap;
	struct fact_socket *sockets; /* by cookie, each once, when sorted */
	size_t n_sockets, sockets_cap;
	struct snapshot_timer *timers; /* as they were listed */
	size_t n_timers, timers_cap;
	struct fact_holder *holders; /* by cookie, pid, fd, each once, when sorted */
	size_t n_holders, holders_cap;
	struct snapshot_agent *agents;
	size_t n_agents, agents_cap;
	int32_t *linked; /* sorted: processes with a connection to the agent port */
	size_t n_linked, linked_cap;
	struct run *runs; /* sorted: the run of each of these */
	size_t n_runs, runs_cap;
	char api_work_dir[512];
};

/* Room for one more than n items; false: none, and the snapshot is broken. */
bool snapshot_reserve(struct snapshot *snapshot, void *items, size_t *cap, size_t n, size_t size);

/* Sorts, and keeps one of each run of equals. */
void snapshot_sort_unique(void *items, size_t *n, size_t size,
			  int (*order)(const void *a, const void *b));

#endif
