/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All that the model remembers: the newest state that facts gave of each object, and the events in
 * the life of each executor that its verdict depends on. What is done with it: store.h.
 */
#ifndef EW_MODEL_STORE_STATE_H
#define EW_MODEL_STORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/agent_ports.h"
#include "base/strpool.h"
#include "facts.h"
#include "model/report.h"

struct run_key {
	const char *framework_id; /* pooled: equal texts are equal pointers */
	const char *executor_id;
	const char *container_id;
};

struct process_key {
	int32_t pid;
	int32_t zero; /* padding is part of the hashed key */
	uint64_t start;
};

/*
 * The executor's side of its registration, followed by what was seen of it (Mesos exec.cpp: exited,
 * reconnect, reregistered; executor.cpp: disconnected). Times are mono; 0: did not happen.
 */
struct registration {
	int64_t down_since;    /* its last link ended, it has not registered since */
	int64_t last_down;     /* the last time down_since was set */
	int64_t last_twice;    /* the last time down_twice was set */
	int64_t down_twice;    /* a link ended, or was refused, while it was down already: it ends
				  itself at once */
	int64_t asked;	       /* ReconnectExecutorMessage was sent to it */
	int64_t register_sent; /* (Re)RegisterExecutorMessage, SUBSCRIBE */
	int64_t registered;    /* (Re)registered, or the 200 of SUBSCRIBE, was sent to it */
	int32_t registrar;     /* by this agent */
	uint64_t registrar_start;
	uint64_t subscribe_on;	    /* cookie of the connection that SUBSCRIBE was sent on */
	int64_t refused;	    /* SUBSCRIBE was answered otherwise than with 200 */
	int32_t refused_with;	    /* HTTP status of that answer */
	int64_t answered;	    /* the agent acknowledged something it had sent: a 2xx answer,
				       StatusUpdateAcknowledgementMessage */
	int64_t kill_asked;	    /* KillTaskMessage was sent to it: its framework's wish */
	struct ew_addr answered_at; /* where its libprocess takes answers, as its registration or
				       the disk says */
	int64_t shutdown_sent;	    /* ShutdownExecutorMessage, or event SHUTDOWN, was sent to it */
	int64_t ended_its_task;	    /* it sent a deadly signal to another process */
};

/* The part of FACT_PROCESS that verdicts depend on; texts are pooled. */
struct process_facts {
	int32_t pid;
	int32_t ppid;
	uint64_t start;
	uint64_t netns;
	const char *comm;
	const char *exe;
	int32_t session; /* 0: not known */
	int32_t ns_pid;	 /* its own getpid(); 0: not known */
	uint64_t pidns;
	uint32_t uid;
	const char *slave_pid;
	const char *slave_id;
	const char *directory; /* MESOS_DIRECTORY */
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	const char *domain_socket;
	const char *library;
	const char *library_version;
	const char *version_from;
	int64_t recovery_timeout;
	int64_t shutdown_grace;
	int64_t backoff_max;
	int64_t in_state;
	int32_t tracer;
	int32_t pidns_init;
	const char *pidns_outer;
	const char *cgroup;
	const char *state;
	enum ew_tri frozen;
	enum ew_tri library_deleted;
	enum ew_tri environ_read;
	bool checkpoint;
};

/* Connections over domain sockets whose other ends the same agent holds. */
struct unix_links {
	uint32_t seen; /* number of the snapshot that showed them */
	uint32_t n;
	int32_t agent;
	uint64_t agent_start;
};

struct process {
	struct process_key key;
	bool known; /* facts is filled */
	struct process_facts facts;
	uint32_t seen; /* number of the last snapshot of processes that showed it */
	bool ended;    /* an exit was seen */
	bool vanished; /* a snapshot no longer shows it, and its exit was not seen */
	int64_t ended_at;
	struct fact_exit exit;
	int64_t link_end;  /* it dropped a link before it was known to be an executor; 0: no */
	int64_t last_link; /* when the newest link that was seen of it was made; 0: none */
	bool agent_known;  /* agent_addr is filled */
	struct ew_addr agent_addr; /* where its agent is, as MESOS_SLAVE_PID says */
	bool agents_child;	   /* the agent forked it */
	bool killed_by_agents;	   /* the agent or a child of it sent the fatal signal */
	bool in_baseline;
	/* Ids of a registration that came before its environment was read; pooled; NULL: none did.
	 */
	const char *said_executor_id;
	const char *said_framework_id;
	bool adopted; /* its ids come from the checkpointed run with its pid */
	struct run_key adopted_run;
	const char *adopted_slave_id;
	struct unix_links unix_links;
	struct registration history;
	UT_hash_handle hh;
};

struct holder {
	int32_t pid;
	int32_t fd;
	uint64_t start;
	uint32_t seen;
};

/* Connection tracking of a connection's packets, in one of the namespaces of its ends. */
#define ENTRIES_MAX 5 /* both ends' namespaces, two on the way, one that is not known */

struct entry {
	uint64_t netns;
	uint32_t seen; /* number of the snapshot that it was found in */
	enum ew_tri present;
	bool translated;
	int64_t expires_at; /* mono; -1: not known */
	/* The addresses of the other end's socket, when translated. */
	struct ew_addr reply_local;
	struct ew_addr reply_remote;
};

/* What the rules of its namespace do with the agent's FIN. Texts are pooled. */
struct firewall {
	uint64_t netns;
	uint32_t seen; /* number of the scan that told; 0: none */
	enum ew_tri accepted;
	enum ew_tri untracked;
	const char *rule;
	const char *cure;
	const char *not_judged;
};

/* Of the executor's end; times are mono. */
struct conn_keepalive {
	uint32_t seen; /* number of the scan that told; 0: none */
	bool on;
	uint32_t idle, interval, count; /* seconds, but for count */
	int64_t next_at;		/* when the next probe is due; -1: not known */
};

/* Kept small: a large node has tens of thousands. */
struct connection {
	struct fact_socket facts;   /* its ends: connection_move() */
	struct connection *next_at; /* in the same slot of store.tuples */
	int64_t hooked_at;	    /* time of the last event on its state */
	int64_t established_at;	    /* when it was first seen so */
	int64_t stood_at;	    /* when it was last seen so */
	int64_t ended_at;	    /* when it had left ESTABLISHED; 0: it has not */
	uint64_t owner_start;
	int32_t owner; /* who connected, or accepted; 0: not seen */
	uint32_t seen; /* number of the last snapshot of sockets that showed it, or its end */
	struct holder *holders;
	uint32_t n_holders;
	uint8_t n_entries;
	bool indexed;	/* in store.tuples */
	bool was_there; /* shown by the first snapshot, not seen to be made */
	struct entry entries[ENTRIES_MAX];
	struct firewall firewall;
	struct conn_keepalive keepalive;
	UT_hash_handle hh;
};

/* Connections by their ends. */
struct connection_index {
	struct connection **slots;
	size_t n, n_slots; /* a power of two */
};

struct checkpoint {
	struct run_key key;
	struct fact_checkpoint facts;
	uint32_t first; /* number of the snapshot that showed it first */
	uint32_t seen;
	UT_hash_handle hh;
};

/* A checkpoint at which an agent's recovery fails. Texts are pooled. */
struct damage {
	const char *path;
	const char *text;
	enum ew_tri fatal;
	uint32_t seen;
};

/* What one source says of the end of a task. */
struct task_end {
	struct task_end *next;
	const char *task_id; /* pooled */
	const char *state;   /* a final one */
	const char *reason;  /* "REASON_…"; "" */
	const char *by;	     /* "executor", "agent", "master"; "" */
	enum cause source;   /* CAUSE_EVENT: a message, of this process */
	int32_t pid;
	uint64_t start;
	int64_t at; /* mono; 0: not known */
};

/* Evidence of an executor's end found after it. */
struct post_mortem {
	struct post_mortem *next;
	const char *cause, *source, *text; /* as in fact_end */
	int64_t at;			   /* mono; 0: not known */
};

struct run_end {
	struct run_key key;
	struct task_end *tasks;
	struct post_mortem *found;
	UT_hash_handle hh;
};

struct listing {
	struct run_key key;
	uint32_t answer_nr;
	bool completed;
	const char *const *tasks;
	size_t n_tasks;
	UT_hash_handle hh;
};

struct agent {
	struct fact_agent facts;
	int64_t appeared;     /* mono; when it was first seen */
	bool was_there;	      /* at the first snapshot: it may have appeared at any time before */
	int64_t gone_at;      /* 0: it is there */
	int64_t recovered_at; /* when it was first seen to serve; 0: it was not */
	bool exited;	      /* its exit was seen: status, as wait(2) gives it; -1: not known */
	int32_t status;
	uint32_t seen;
	uint32_t named; /* executors of the checkpoint tree whose MESOS_SLAVE_PID names its address
			 */
};

struct netns {
	uint64_t inode;
	enum ew_tri ct_active;
	uint32_t seen;
	uint64_t entries;    /* of connection tracking */
	uint64_t limit;	     /* of them; 0: not known */
	int64_t established; /* how long an idle connection keeps its entry, ns; 0: not known */
};

struct act {
	struct fact_act facts;
	int64_t at;
};

/* An act that was done, in this session or an earlier one of this boot. */
struct treatment {
	int32_t pid;
	uint64_t start;
	int64_t at;
};

struct lost_events_fact {
	struct fact_lost facts;
	int64_t at; /* no later than this */
};

/* Growing array of plain structs. */
#define LIST(type)                                                                                 \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n, cap;                                                                     \
	}

/* Cookies of the connections that a process has made, accepted or held, while they are known. */
struct process_connections {
	struct process_key key;
	LIST(uint64_t) cookies; /* some twice */
	UT_hash_handle hh;
};

struct container {
	struct fact_container facts; /* texts are pooled */
	uint32_t seen;		     /* number of the snapshot that showed it */
};

/* Where executors of another port have their agent. */
struct listener {
	struct fact_listener facts;
	uint32_t seen; /* number of the last snapshot that showed it */
};

struct store {
	struct strpool *pool;
	bool broken; /* memory was short: facts are missing */
	int64_t now; /* of the last FACT_NOW, else of the last fact */
	bool interrupted, final;
	bool incomplete; /* the recording lacks facts */
	struct fact_session session;
	struct agent_ports ports; /* session.agent_port, then those that the agent advertises */
	int64_t session_began;
	int64_t gone_by; /* mono; no agent listened then since the baseline's; 0: not known */
	struct process *processes;
	struct connection *connections;
	struct connection_index tuples;
	struct process_connections *conns;
	struct checkpoint *checkpoints;
	struct listing *listings;
	struct run_end *run_ends;
	LIST(struct treatment) treatments;
	LIST(struct treatment) holds; /* "hold", likewise */
	LIST(struct agent) agents;
	LIST(struct listener) listeners;
	LIST(struct fact_service) services; /* of agents */
	LIST(struct fact_next_start) next_starts;
	LIST(struct fact_flag) flags;
	struct fact_agent_info agent_info; /* of slaves/latest */
	bool has_agent_info;
	LIST(struct fact_disk) disks;	   /* one for each role */
	LIST(struct container) containers; /* of docker */
	struct fact_docker docker;
	bool has_docker;
	uint32_t docker_seen; /* number of the snapshot of its last answer */
	struct fact_master master;
	bool has_master;
	struct fact_host node;			/* the last one */
	LIST(struct fact_foreseen) foreseen;	/* of the audit before, by id */
	struct fact_agent_log agent_log;	/* the last one */
	LIST(struct fact_audit_log) audit_logs; /* the last one of each log */
	LIST(struct damage) damages;
	LIST(struct netns) namespaces;
	LIST(struct fact_hook) hooks;
	LIST(struct fact_unread) unread;
	LIST(struct lost_events_fact) losses;
	LIST(struct act) acts;
	/* Messages of processes that may yet turn out to be the agent, and those of the agent to
	 * an end that only a scan of connection tracking may tell. */
	LIST(struct fact) early;
	bool early_unplaced; /* one of the latter is among them */
	bool translates;     /* an entry with address translation was seen */
	LIST(struct fact_baseline) baselines;
	struct fact_work_dir work_dir;
	bool has_work_dir;
	int64_t work_dir_at;
	struct fact_api api; /* the last answer */
	bool has_api;
	int64_t api_at;
	uint32_t listed_answer_nr; /* of the last complete listing */
	struct { /* SIGUSR1 was sent to the agent: unregister and shut down all executors */
		int64_t at; /* mono; 0: it was not */
		int32_t sender;
		const char *comm;
	} agent_signalled;
	int64_t checkpoints_read; /* when the last complete scan of the checkpoints began */
	bool listed_any;	  /* that listing has executors */
	bool mptcp_hidden;	  /* an MPTCP link exists whose owner could not be read */
	bool agent_hidden;	  /* a process that could not be read listens on the agent port */
	struct fact_command command;
	int64_t command_ended; /* 0 */
	uint32_t snapshot;     /* number of the current one */
	uint32_t scope;	       /* of the current one; 0 between snapshots */
	int64_t snapshot_began;
	uint32_t complete; /* scopes that the last snapshot which tried them completed */
	int64_t forgot;	   /* when ended connections were forgotten last */
	/* Number of the first snapshot that read the work directory's checkpoints; 0: none. */
	uint32_t first_checkpoints;
	uint32_t socketed; /* number of the last snapshot that completed SCAN_SOCKETS */
	uint32_t tracked;  /* number of the last snapshot that completed SCAN_TRACKING */
};

#endif
