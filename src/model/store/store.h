/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The model's memory: the newest state that facts gave of each object, and the events in the life
 * of each executor that its verdict depends on. Private to the model.
 */
#ifndef EW_MODEL_STORE_STORE_H
#define EW_MODEL_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/agent_ports.h"
#include "base/now.h"
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
#define ENTRIES_MAX 2

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
	struct fact_host node;		     /* the last one */
	LIST(struct fact_foreseen) foreseen; /* of the audit before, by id */
	struct fact_agent_log agent_log;     /* the last one */
	LIST(struct damage) damages;
	LIST(struct netns) namespaces;
	LIST(struct fact_hook) hooks;
	LIST(struct fact_unread) unread;
	LIST(struct lost_events_fact) losses;
	LIST(struct act) acts;
	LIST(struct fact) early; /* messages of processes that may yet turn out to be the agent */
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

/* Reserves one more element; false when memory is short (and the store is marked broken). */
#define store_reserve(store, list)                                                                 \
	store_reserve_((store), &(list).v, &(list).cap, (list).n, sizeof(*(list).v))
bool store_reserve_(struct store *store, void *items, size_t *cap, size_t n, size_t size);

/* Ended processes are kept for a while, so that verify can say how an executor ended. */
#define STORE_KEEP_ENDED (60 * 60 * NS_PER_S)
/*
 * Ended connections are kept too, since events of different rings arrive out of order. By then
 * struct registration holds what their end meant to an executor. A restart ends six connections
 * for each executor.
 */
#define STORE_KEEP_CONNECTION (5 * NS_PER_S)

void store_init(struct store *store);
void store_clear(struct store *store);
void store_apply(struct store *store, const struct fact *fact);

/* How many connections to the present agent's domain socket the process has. */
uint32_t store_unix_links(const struct store *store, const struct process *process);

/* False for NULL, after its exit, and once a complete scan no longer shows it. */
bool process_is_alive(const struct process *process);
/* NULL when there is none, or no memory. */
struct process *store_process(struct store *store, int32_t pid, uint64_t start);
struct process *store_process_find(const struct store *store, int32_t pid, uint64_t start);
/*
 * Began the process, which has the run's pid, long after forked.pid was written? Then the pid was
 * reused. False where either time is not known.
 */
bool store_pid_is_reused(const struct store *store, const struct checkpoint *checkpoint,
			 const struct process *process);
struct checkpoint *store_checkpoint_find(const struct store *store, const struct process_facts *p);
/* key's texts are pooled. */
struct checkpoint *store_checkpoint_of_run(const struct store *store, const struct run_key *key);
/* The program that serves a hook, or why none does; NULL: nothing is told of this hook. */
const struct fact_hook *store_hook(const struct store *store, const char *hook);
const char *store_text(struct store *store, const char *text);
/* mono to wall clock; 0 stays 0. */
int64_t store_wall(const struct store *store, int64_t mono);
/* Wall clock to mono; 0 stays 0. */
int64_t store_mono(const struct store *store, int64_t wall);

/* The other end: same tuple mirrored, in the same namespace or else in any. NULL: none is known. */
struct connection *store_peer(const struct store *store, const struct connection *conn);
/*
 * The other end, when only the port was translated from one that the agent advertises to the one
 * that it listens on, and connection tracking has forgotten that; conn is either of the two. NULL:
 * none is known, or one that is another connection's end.
 */
struct connection *store_peer_advertised(const struct store *store, const struct connection *conn);
/* The other end behind address translation, as the entry of connection tracking tells it. */
struct connection *store_peer_translated(const struct store *store, const struct entry *entry);

/*
 * When it was held in this session, mono; 0: it was not, or has lost a link or registered since.
 * What came after a hold of an earlier session was not observed: that one is told apart.
 */
int64_t store_held_at(const struct store *store, const struct process *process);
bool store_held_before(const struct store *store, const struct process *process);
/* When an act on this process was done; 0: none was, as far as is known. */
int64_t store_treated_at(const struct store *store, int32_t pid, uint64_t start);

/* ---- task_ends.c ---- */
void store_apply_task(struct store *store, const struct fact *fact);
void store_apply_task_message(struct store *store, const struct process *process,
			      const struct fact *fact);
void store_apply_end(struct store *store, const struct fact *fact);
void store_clear_run_ends(struct store *store);
/* NULL: nothing is known. key's texts are pooled. */
const struct run_end *store_run_end(const struct store *store, const struct run_key *key);
struct run_key store_run_key(struct store *store, const char *fid, const char *eid,
			     const char *cid);

/* ---- lost_events.c ---- */
void store_apply_lost(struct store *store, const struct fact *fact);
/* Counts only losses that can matter: since the audit that is compared with, or in this watch. */
struct events {
	uint64_t seen, lost;
};
struct events store_events(const struct store *store);
/* Would a message that an agent sends have been seen? */
bool store_sees_messages(const struct store *store);

/* ---- agents.c ---- */
void store_apply_agent(struct store *store, const struct fact *fact);
void store_apply_damage(struct store *store, const struct fact *fact);
/* Live events tell that a process began or ceased to listen on the agent port, or ended. */
void store_agent_listens(struct store *store, const struct fact *fact);
void store_agent_closed(struct store *store, const struct fact *fact);
void store_agent_exited(struct store *store, const struct fact *fact);
/* At the end of a complete scan of sockets. */
void store_end_agents(struct store *store, int64_t mono);

/* ---- next_start.c ---- */
void store_apply_flag(struct store *store, const struct fact *fact);
void store_apply_next_start(struct store *store, const struct fact *fact);
void store_apply_agent_info(struct store *store, const struct fact *fact);
void store_clear_next_starts(struct store *store);
/* What will start after this agent; NULL: nothing is known of it. */
const struct fact_next_start *store_next_start(const struct store *store,
					       const struct agent *agent);
/*
 * A flag of the agent (next: of the start after it); NULL: it is not given. Of the running agent
 * what its API tells, defaults included, else what its command line and environment have.
 */
const struct fact_flag *store_flag(const struct store *store, const struct agent *agent, bool next,
				   const char *name);
/* The running agent's, as its command line or environment gives it; NULL: they do not. */
const struct fact_flag *store_flag_given(const struct store *store, const struct agent *agent,
					 const char *name);

/* ---- services.c ---- */
void store_apply_service(struct store *store, const struct fact *fact);
void store_clear_services(struct store *store);
/* The newest fact on the unit that runs this agent; NULL: there is none. */
const struct fact_service *store_service(const struct store *store, const struct agent *agent);

/* ---- node.c ---- */
void store_apply_disk(struct store *store, const struct fact *fact);
void store_apply_master(struct store *store, const struct fact *fact);
void store_apply_docker(struct store *store, const struct fact *fact);
void store_apply_container(struct store *store, const struct fact *fact);
void store_apply_host(struct store *store, const struct fact *fact);
void store_apply_foreseen(struct store *store, const struct fact *fact);
void store_apply_agent_log(struct store *store, const struct fact *fact);
void store_clear_node(struct store *store);
/* After this the master removes a silent agent: its own word, else that of --master-timeout. ns. */
int64_t store_master_timeout(const struct store *store);

/* Is a program of that name, by comm or by the last part of exe, an agent? */
bool agent_has_name(const char *comm, const char *exe);

/* The agent that listens now; NULL: none does. */
const struct agent *store_agent(const struct store *store);
/*
 * Another agent on the same port, when no evidence tells which of the two is meant. NULL: there
 * is none.
 */
const struct agent *store_rival(const struct store *store);
/*
 * True when agent listens on the agent port as a user that is neither root nor the owner of the
 * agent's work directory: it is a tenant's process.
 */
bool agent_is_impostor(const struct store *store, const struct agent *agent);
/* Another agent than the one meant that listens at the address; NULL: none is known. */
const struct agent *store_other_agent(const struct store *store, const struct ew_addr *addr,
				      uint64_t netns);
/* At the end of a scan of checkpoints. */
void store_count_named(struct store *store);
/*
 * The agent that last ended by itself within its recovery, while none serves since; *n: how many
 * did so. NULL: none. Of the agent that was there at the first scan it is not known.
 */
const struct agent *store_failed_start(const struct store *store, size_t *n);
/* Was this process ever the agent? */
bool store_is_agent(const struct store *store, int32_t pid, uint64_t start);

/* The agent that listened last; NULL: none was ever seen. */
const struct agent *store_last_agent(const struct store *store);

/*
 * The process that owns the connection: the holder of a descriptor or, until a scan of descriptors,
 * the process that connected or accepted it. A child may have inherited the descriptor and keep it
 * after its parent has closed its own.
 */
bool connection_owner_counts(const struct connection *conn);
bool connection_is_of(const struct connection *conn, int32_t pid, uint64_t start);
/* A connection towards the agent port. */
bool connection_is_link(const struct store *store, const struct connection *conn);
/* True when its remote end is the address of this process' own agent: other agents may listen on
 * the same port. */
bool connection_is_link_of(const struct store *store, const struct connection *conn,
			   const struct process *process);

/* ---- connection_index.c ---- */
struct connection *store_connection_at(const struct store *store, uint64_t netns,
				       const struct ew_addr *local, const struct ew_addr *remote);
/* Changes the ends of a connection. A reused port names the newer connection. */
void connection_move(struct store *store, struct connection *conn, uint64_t netns,
		     const struct ew_addr *local, const struct ew_addr *remote);
void connection_unindex(struct store *store, struct connection *conn);

/* ---- process_connections.c ---- */
void store_process_connection_add(struct store *store, int32_t pid, uint64_t start,
				  uint64_t cookie);
/* Some may have been forgotten, or have another owner by now: check connection_is_of(). */
const uint64_t *store_process_connections(const struct store *store, int32_t pid, uint64_t start,
					  size_t *ret_n);
/* Removes connections that the store has forgotten, and processes without any. */
void store_prune_process_connections(struct store *store);

/* ---- connections.c ---- */
struct connection *store_connection_find(const struct store *store, uint64_t cookie);
void store_apply_socket(struct store *store, const struct fact *fact);
void store_apply_holder(struct store *store, const struct fact *fact);
void store_apply_tcp(struct store *store, const struct fact *fact);
void store_apply_message(struct store *store, const struct fact *fact);
void store_apply_entry(struct store *store, const struct fact *fact);
void store_apply_firewall(struct store *store, const struct fact *fact);
void store_apply_keepalive(struct store *store, const struct fact *fact);
void store_end_sockets(struct store *store, int64_t mono);
/* Forgets connections that ended longer ago than STORE_KEEP_CONNECTION. */
void store_forget_sockets(struct store *store, int64_t mono);
void store_clear_sockets(struct store *store);

/* ---- checkpoints_listings.c: runs as the disk and the API tell them ---- */
void store_apply_checkpoint(struct store *store, const struct fact *fact);
void store_apply_listing(struct store *store, const struct fact *fact);
void store_apply_api(struct store *store, const struct fact *fact);
void store_end_checkpoints(struct store *store);
void store_clear_runs(struct store *store);
/*
 * Gives a process without a Mesos environment (overwritten, or unreadable) the ids of the
 * checkpointed run whose forked.pid names it.
 */
void store_adopt(struct store *store);
bool store_is_listed(const struct store *store, const struct process_facts *p);
/* A pooled copy of a list, or old itself if that is equal; old is freed otherwise. */
const char *const *store_texts(struct store *store, const char *const *texts, size_t n,
			       const char *const *old, size_t n_old);

/* ---- registration.c: the effect of events on an executor's registration ---- */
void registration_link_ended(struct store *store, struct connection *conn, int64_t mono);
void registration_link_refused(struct store *store, const struct connection *conn, int64_t mono);
void registration_message(struct store *store, const struct fact *fact);
/* After a scan of processes: applies messages whose sender was not known to be the agent before. */
void registration_early(struct store *store);
void registration_signal(struct store *store, const struct fact *fact);

#endif
