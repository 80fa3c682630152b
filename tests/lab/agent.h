/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_AGENT_H
#define LAB_AGENT_H

#include "checkpoint.h"
#include "conn.h"
#include "glog.h"
#include "http.h"
#include "launch.h"
#include "loop.h"
#include "msg.h"

#include <stdbool.h>

/* The agent (src/slave/slave.cpp): one process, one loop. */

struct agent_flags {
	char *ip, *hostname, *master, *work_dir, *runtime_dir, *launcher_dir, *version;
	char *recovery_timeout, *reregistration_timeout, *retry_interval;
	char *recovery_delay; /* from listening to asking the executors */
	char *lab_dir;	      /* of the node: bin/, lib/, state/ */
	char *lab_name;
	char *api; /* ok, or how it misbehaves: agent_misbehave.c */
	char *port;
	char *serial;	     /* of this start: each notice to the node carries it */
	char *netns;	     /* inode number of the node's network namespace */
	char *hold;	     /* yes: no re-registration is answered until `release` */
	char *recover;	     /* reconnect, cleanup */
	char *removed_after; /* the master removes an agent that was away that long; empty: never */
	char *away;	     /* how long no agent ran, as removed_after */
	char *mptcp;	     /* yes: it listens with IPPROTO_MPTCP */
	char *listen_ip;     /* empty: ip */
	char *advertise_ip, *advertise_port; /* empty: ip, port */
	char *claims; /* the agent whose id it takes for its own; empty: none's */
	char *domain_sockets, *domain_socket; /* true or false; path */
	char *orphans;		      /* keep, destroy: containers that no checkpoint lists */
	char *strict;		      /* true: a damaged checkpoint ends the recovery */
	char *attributes;	      /* "rack:r1;zone:z", of text alone */
	char *reconfiguration_policy; /* equal, additive */
};

/* TERMINATING: shutting down; it exits when its executors have. */
enum agent_state {
	AGENT_STARTING,
	AGENT_RECOVERING,
	AGENT_ASKING,
	AGENT_RUNNING,
	AGENT_TERMINATING
};

enum container_state { C_REGISTERING, C_RUNNING, C_TERMINATING, C_TERMINATED };

/* One executor as the agent knows it. */
struct container {
	struct container *next;
	struct agent *agent;
	struct launch *l; /* what was launched; after a recovery only the ids */
	char *executor_id, *framework_id, *container_id, *directory;
	enum container_state state;
	bool checkpoint;
	bool http;  /* v1: subscribed over HTTP */
	char *upid; /* v0: "executor(1)@ip:port" */
	union addr address;
	struct conn *link;   /* C2 */
	struct conn *from;   /* where its messages came from: our end of C1 */
	struct conn *stream; /* v1: where events go */
	pid_t forked_pid;
	int pidfd;
	struct watch *exit_watch;
	bool launched_task;
	bool taskless;		   /* recovered without a task */
	bool held;		   /* it has asked for its re-registration and is kept waiting */
	bool destroyed;		   /* by us: then it was SIGKILL */
	bool framework_ends;	   /* its updates are ignored */
	struct msg_status pending; /* what to report of its task when it has been destroyed */
	bool acked;		   /* the last update */
	struct msg_status status;
	struct msg_status history[4]; /* as /state lists them */
	size_t n_history;
};

struct agent {
	struct loop *loop;
	struct agent_flags flags;
	bool year;
	bool rebooted; /* the checkpoints are of another boot */
	enum agent_state state;
	bool holding; /* as flags.hold, until it is released */
	char *slave_id, *upid, *launcher_dir;
	uint16_t port; /* advertised */
	double start_time, recovery_seconds;
	struct listener *tcp, *unix_socket; /* agent_server.c */
	struct container *containers;
	struct container **last;
	struct buf queue; /* launches that wait, one a line */
	struct timer *retry;
	unsigned int terminated, valid_updates;
	unsigned int nets; /* subnets handed out */
	struct peer *peers;
	unsigned long serial; /* of the last peer */
};

#define agent_log(a, level, where, ...) glog((a)->year, level, where, __VA_ARGS__)

int agent_main(int argc, char **argv);

/* agent_flags.c */
void agent_flags_parse(struct agent_flags *f, int argc, char **argv);
const char *agent_ip(const struct agent *a);			     /* advertised */
void agent_flags_json(struct buf *out, const struct agent_flags *f); /* {"name":"value",...} */

/* agent.c */
struct msg_ids agent_ids(const struct container *c);
struct checkpoint_ids agent_paths(const struct container *c);
struct container *agent_find(struct agent *a, const char *framework_id, const char *executor_id);
struct container *agent_add(struct agent *a, const char *framework_id, const char *executor_id,
			    const char *container_id);
void agent_set_state(struct container *c, enum container_state state);
void agent_watch_exit(struct container *c); /* of forked_pid */
void agent_terminated(struct container *c, int status, bool known);
void agent_notify(struct agent *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *container_state_name(enum container_state state);

/*
 * agent_recovery_files.c: what slave/state.cpp needs of each level of the tree. False where the
 * agent passes over it; damage ends the agent, or with --strict=false counts as missing.
 */
bool agent_slave_info(struct agent *a);
bool agent_framework_info(struct agent *a, const char *framework_dir);
bool agent_executor_info(struct agent *a, const char *executor_dir);
bool agent_tasks_info(struct agent *a, const char *run_dir); /* of all tasks of a run */
void agent_resources_info(struct agent *a);
pid_t agent_forked_pid(struct agent *a, const struct checkpoint_ids *at); /* 0: none */
void agent_recovery_failed(struct agent *a, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/* agent_launch.c */
char *agent_launch(struct agent *a, const char *line); /* NULL, or what is wrong (malloc'd) */
void agent_launch_more(struct agent *a);

/* agent_exec.c: messages of v0 executors and calls of v1 executors */
void agent_message(struct agent *a, struct conn *from, const char *name,
		   const struct http_msg *req);
void agent_executor_call(struct agent *a, struct conn *from, const struct http_msg *req);
void agent_send(struct container *c, const char *name, struct buf *body); /* link or temporary */
void agent_forget_conn(struct agent *a, const struct conn *conn);	  /* it is being closed */
void agent_answer_held(struct agent *a);

/* agent_status.c: task states */
void agent_take_status(struct container *c, const struct msg_status *status); /* of an executor */
void agent_report_end(struct container *c); /* the executor is gone, its task had no end */
struct msg_status agent_made_status(enum msg_task_state state, enum msg_reason reason,
				    const char *message);

/* agent_orders.c: orders to executors, and to the agent itself */
void agent_shutdown_executor(struct container *c);
void agent_order_signals(struct agent *a);			 /* SIGUSR1 */
void agent_removed(struct agent *a);				 /* by the master */
bool agent_order(struct agent *a, const char *line, char **why); /* false: not one of them */
void agent_maybe_quit(struct agent *a);				 /* nothing is left to wait for */
void agent_reply_shutdown(struct agent *a, const struct http_msg *req); /* to an unknown one */

/* agent_orphans.c: the containerizer's runtime directory */
void agent_note_container(struct container *c);
void agent_destroy_orphans(struct agent *a);

/* agent_recovery.c */
bool agent_recover_state(struct agent *a); /* false: nothing is checkpointed */
void agent_start_recovery(struct agent *a);
char *agent_release(struct agent *a); /* NULL, or what is wrong (malloc'd) */

/* agent_server.c */
void agent_listen(struct agent *a);
void agent_control(struct agent *a); /* DIR/agents/NAME.sock */

/* The number of a connection, unique in this agent; and its connection, NULL once closed. */
unsigned long agent_conn_serial(struct agent *a, const struct conn *c);
struct conn *agent_conn(struct agent *a, unsigned long serial);

/* agent_http.c: everything that is not an executor's */
void agent_api(struct agent *a, struct conn *c, const struct http_msg *req);
const struct container *agent_visible(const struct agent *a); /* where the API's lists begin */
bool agent_executor_done(const struct container *c); /* gone, nothing waits for its framework */
void agent_put_version(struct agent *a, struct buf *out);

/* agent_calls.c: the answer to {"type":"..."}; false: no such call */
bool agent_call(struct agent *a, const char *request, struct buf *out);

/* agent_misbehave.c: true: nothing else is to be answered to this request. */
bool agent_misbehave(struct agent *a, struct conn *c, const char *target);
bool agent_misbehave_known(const char *api);

#endif
