/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_NODE_H
#define LAB_NODE_H

#include "agent.h"
#include "conn.h"
#include "loop.h"
#include "spec.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * A node: the supervisor that `up` starts. It lives in the node's network namespace, is
 * the reaper of everything the node starts, and takes all of it along when it ends.
 */

struct node_agent {
	struct node *node;
	const struct spec_agent *spec;
	pid_t pid; /* 0: not running */
	int pidfd;
	struct watch *exit_watch;
	bool listening, recovered, launched;
	unsigned int serial; /* how often it was started */
	double ended;	     /* when it last did, by the wall clock; 0: never */
};

/* How an agent is started, apart from its spec. */
struct node_agent_start {
	bool hold;	     /* re-registrations, until `release` */
	const char *recover; /* reconnect, cleanup */
};

struct node_exec {
	struct launch *l; /* as in the spec, with its container id */
	struct node_agent *agent;
	bool launched;	/* an agent has reported it */
	bool told;	/* the one that runs now has */
	bool task_runs; /* an agent has seen TASK_RUNNING */
	enum container_state state;
	pid_t forked_pid;
	pid_t killer; /* the helper that just signalled it */
	int frozen;   /* by us, in a cgroup of this version; 0: it is not */
};

struct node {
	struct loop *loop;
	char *dir;
	struct spec spec;
	struct node_agent *agents;
	struct node_exec *execs;
	size_t n_execs;
	size_t n_up;	  /* how many of them have come up, from the first */
	struct buf notes; /* what agents notified, not yet a line */
	int notes_fd[2];
	int life_fd;  /* EOF: `up` is gone */
	int ready_fd; /* the answer to `up`; -1 once given */
	int ctl_fd;
	struct request *requests;
	struct timer *tick;
	unsigned long ns; /* the network namespace, netns.h */
};

int up_main(int argc, char **argv);

/* node.c */
int node_main(struct node *n);				  /* the supervisor's life */
void node_end(struct node *n) __attribute__((noreturn));  /* kills everything first */
void node_write_file(const char *path, const char *text); /* and a newline */
void node_let_in(struct node *n); /* users other than root to the node's directory */
struct node_agent *node_find_agent(struct node *n, const char *name); /* or NULL */

/* node_agent.c */
void node_agent_start(struct node_agent *a, const struct node_agent_start *how);
const char *node_agent_ip(const struct node_agent *a);
void node_agent_stop(struct node_agent *a, int sig);
void node_agent_notes(void *arg, uint32_t events); /* reads notes_fd */
/* One exchange over the agent's own socket: 0 and "ok", else -errno with *why (malloc'd). */
int node_agent_ask(struct node_agent *a, const char *line, char **why);
void node_agent_launch(struct node_agent *a); /* all of its executors */

/* node_exec.c */
bool node_exec_selected(const struct node_exec *e, const char *selector, char *state);
char *node_exec_state(const struct node *n, const struct node_exec *e); /* its file, or NULL */
/* Is it where its spec wants it, or gone? */
bool node_exec_settled(const struct node *n, const struct node_exec *e);
pid_t node_exec_pid(const char *state, const char *member);  /* "pid", "task_pid"; 0: none */
char *node_exec_text(const char *state, const char *member); /* of plain text; NULL or malloc'd */
/* Calls back with each link's ends. Returns the first error. */
int node_exec_links(const char *state,
		    int (*fn)(void *arg, const union addr *local, const union addr *remote),
		    void *arg);
void node_status(struct node *n, struct buf *json); /* members of an object */

/* node_select.c: what is done to chosen executors. False: no such command. */
bool node_select_command(struct node *n, int argc, char **argv, struct buf *json, char **why);
const char *node_option(int argc, char **argv, const char *name, const char *preset); /* --name */
int node_signal(const char *name); /* "KILL" or a number */

/* Processes of another user that give themselves out as an executor. */
struct impostors {
	pid_t of;		  /* whose environment they copy */
	struct node_agent *agent; /* that they connect to */
	unsigned int count;
	uid_t uid;
	char kind[16]; /* of bystander.c: idle (connected), none */
	char comm[32];
};

/* node_impostors.c: 0 or -errno; pids: of those that were started, with commas */
int node_impostors(struct node *n, const struct impostors *wanted, struct buf *pids);

/* node_hold.c */
pid_t node_trace(pid_t pid, bool stop); /* the tracer's pid, or -errno; stop: all threads */
int node_freeze(struct node_exec *e, pid_t pid, int version); /* of cgroups: 1 or 2 */
int node_thaw(struct node_exec *e, pid_t pid);
void node_thaw_all(struct node *n);

/* node_ctl.c */
void node_ctl_listen(struct node *n);
void node_ctl_check(struct node *n); /* has what requests wait for come about? */

#endif
