/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The node as a scan has read it so far: what later steps of the scan ask about. Filled by
 * snapshot_add() and snapshot_add_row() alone; pointers into it live until the next of these.
 */
#ifndef EW_OBSERVE_SNAPSHOT_H
#define EW_OBSERVE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/agent_ports.h"
#include "facts.h"
#include "observe/proc/procfs.h"

struct snapshot;

struct snapshot_timer {
	uint64_t cookie;
	uint16_t remote_port;
	int64_t mono;	  /* when it was listed */
	int64_t probe_in; /* until it expires, from then on */
};

/* A process with a FACT_PROCESS. */
struct snapshot_process {
	int32_t pid;
	uint64_t start;
	bool mesos; /* has MESOS_EXECUTOR_ID */
	int32_t ppid;
	bool library;	      /* has a Mesos library mapped, as far as that was looked for */
	uint64_t netns;	      /* inode; 0: not known */
	struct ew_addr agent; /* its agent's, by MESOS_SLAVE_PID; port 0: not known */
	uint64_t run;	      /* the same for all with the same framework, executor, container id */
	int32_t work_dir;     /* for snapshot_work_dir(); -1: not known */
	bool domain_socket;   /* has MESOS_DOMAIN_SOCKET */
};

/* A process that listens on the agent port. */
struct snapshot_agent {
	int32_t pid;
	uint64_t start;
	bool mesos; /* its name says so */
	uint32_t uid;
	struct ew_addr listen;
	uint64_t netns;
	uint64_t cookie;
};

/* ports: the agent's. NULL: out of memory. */
struct snapshot *snapshot_new(const struct agent_ports *ports);
void snapshot_free(struct snapshot *snapshot);

/*
 * The agent is in this network namespace: a descriptor, copied, or NETNS_OWN. elsewhere: may one of
 * another namespace be meant? Returns 0 or a negative errno.
 */
int snapshot_enter(struct snapshot *snapshot, int netns, enum ew_tri elsewhere);

/* The agent's work directory belongs to this user; NULL: not known. */
void snapshot_set_owner(struct snapshot *snapshot, const uint32_t *uid);

/* No source is waited for beyond that time: mono ns; 0, as at first: no bound. */
void snapshot_bound(struct snapshot *snapshot, int64_t until);
int64_t snapshot_until(const struct snapshot *snapshot);

/* One more port that the agent advertises; false: it was known, or there is no room. */
bool snapshot_add_port(struct snapshot *snapshot, uint16_t port);

/*
 * Forgets everything but the ports, the namespace, the bound, the owner, and what the API and the
 * work directory named.
 */
void snapshot_begin(struct snapshot *snapshot);

/* Forgets the sockets, which are many, at the end of a scan. */
void snapshot_end(struct snapshot *snapshot);

/* Remembers what matters of a fact, whatever its type. */
void snapshot_add(struct snapshot *snapshot, const struct fact *fact);

/* Remembers a process of the host. */
void snapshot_add_row(struct snapshot *snapshot, const struct procfs_row *row);

/* Whether memory was short: something is not in the snapshot. */
bool snapshot_is_broken(const struct snapshot *snapshot);

/* The port that the agent listens on, and all of its ports. */
uint16_t snapshot_port(const struct snapshot *snapshot);
const struct agent_ports *snapshot_ports(const struct snapshot *snapshot);

/* The port that the agent's own answer, and slave.info, said last that it advertises; 0: none. */
uint16_t snapshot_api_port(const struct snapshot *snapshot);
uint16_t snapshot_info_port(const struct snapshot *snapshot);

/* Inode of the agent's network namespace: our own, or the one named. */
uint64_t snapshot_netns(const struct snapshot *snapshot);

/* Directory that snapshot_process.work_dir stands for. */
const char *snapshot_work_dir(const struct snapshot *snapshot, int32_t work_dir);

/* Work directory of the agent's last answer; "" when it has not named one. */
const char *snapshot_api_work_dir(const struct snapshot *snapshot);

/* ---- sequences: the element number i, NULL at the end ---- */

/* Processes of the host, in the order of the list. */
const struct procfs_row *snapshot_row(const struct snapshot *snapshot, size_t i);
/* Processes with a FACT_PROCESS, and how many these are. */
size_t snapshot_n_processes(const struct snapshot *snapshot);
const struct snapshot_process *snapshot_process(const struct snapshot *snapshot, size_t i);
/* Sockets, after snapshot_sort() each once, by cookie. */
const struct fact_socket *snapshot_socket(const struct snapshot *snapshot, size_t i);
/* Keepalive timers that run on established connections. */
const struct snapshot_timer *snapshot_timer(const struct snapshot *snapshot, size_t i);

/* ---- look-ups: of what was added before the last snapshot_sort() ---- */

void snapshot_sort(struct snapshot *snapshot);
void snapshot_sort_processes(struct snapshot *snapshot); /* these alone */

/* NULL: no FACT_PROCESS. */
const struct snapshot_process *snapshot_process_find(const struct snapshot *snapshot, int32_t pid);

/* Descriptors that refer to the socket, *n in a row, by pid and number; NULL: none. */
const struct fact_holder *snapshot_holders(const struct snapshot *snapshot, uint64_t cookie,
					   size_t *n);

/* Processes that listen on the agent port, those in the agent's namespace last. */
const struct snapshot_agent *snapshot_listener(const struct snapshot *snapshot, size_t i);

/* Whether the process' agent is another one, that listens in another namespace than ours does. */
bool snapshot_is_elsewhere(const struct snapshot *snapshot, const struct snapshot_process *process);

/* Whether the socket has a port of the agent at either end. */
bool snapshot_is_agents(const struct snapshot *snapshot, const struct fact_socket *socket);

/* Finds, among the sockets and descriptors known so far, who has a connection to the agent. */
void snapshot_find_linked(struct snapshot *snapshot);
bool snapshot_is_linked(const struct snapshot *snapshot, int32_t pid);

/* Finds the executor of each run among the processes known so far, after snapshot_find_linked(). */
void snapshot_find_runs(struct snapshot *snapshot);

/*
 * Whether it is clear which process of the run is the executor: exactly one has a connection to the
 * agent port, it has a Mesos library mapped, and its parent is not in the run. So it is neither a
 * task that talks to the agent nor a forked copy that still has a connection which the executor has
 * closed.
 */
bool snapshot_run_is_plain(const struct snapshot *snapshot, uint64_t run);

/*
 * Whether this process may be the agent: it is in the agent's namespace, and its user is root or
 * owns the agent's work directory.
 */
bool snapshot_may_be_agent(const struct snapshot *snapshot, const struct snapshot_agent *agent);

/*
 * The agent to ask, and whose files to read; no other process is ever asked. Of several that may be
 * it, one whose name is an agent's is preferred, then the one added last (those in the agent's own
 * namespace are added last). NULL: none.
 */
const struct snapshot_agent *snapshot_agent(const struct snapshot *snapshot);

/*
 * Opens a network namespace through one of its processes. Returns a descriptor, the caller's;
 * -ENOENT: no process is in it; -EACCES: maybe one that may not be looked into is; -EMFILE and the
 * like.
 */
int snapshot_netns_open(const struct snapshot *snapshot, uint64_t netns);

#endif
