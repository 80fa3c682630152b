/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_EXEC_H
#define LAB_EXEC_H

#include "conn.h"
#include "launch.h"
#include "loop.h"
#include "msg.h"

/*
 * An executor: what v0 (src/exec/exec.cpp) and v1 (src/executor/executor.cpp) have in
 * common. Everything runs on the loop's thread; the workers only wait, as libprocess' do.
 */
struct executor;

struct exec_protocol {
	const char *name; /* "v0" */
	void (*start)(struct executor *ex);
	void (*update)(struct executor *ex, const struct msg_status *status); /* send it */
	void (*links)(struct executor *ex, struct buf *json); /* elements of an array */
};

extern const struct exec_protocol exec_v0, exec_v1;

struct executor {
	struct launch *l;
	struct loop *loop;
	const struct exec_protocol *protocol;
	void *p; /* the protocol's own */
	union addr agent;
	struct msg_ids ids;
	bool year;	  /* in log lines */
	const char *role; /* "agent", before 1.0 "slave" */
	bool checkpoint;
	long long recovery_ms;
	struct timer *recovery; /* the clock */
	const char *phase;
	const char *upid; /* v0: where it listens; NULL: nowhere */
	bool connected;	  /* as the driver understands it */
	bool registered;  /* ever */
	bool aborted;	  /* shutting down: events of the agent are ignored */
	bool killed;	  /* the task was ordered to end */
	bool wait_ack;	  /* it exits when its last update is acknowledged, not before */
	bool exiting;
	pid_t task_pid; /* 0: not running */
	pid_t task_host_pid;
	int task_fd; /* its pidfd */
	struct msg_status *unacked;
	size_t n_unacked;
};

int executor_main(int argc, char **argv);

#define exec_log(ex, level, where, ...) glog((ex)->year, level, where, __VA_ARGS__)

/* Notes the phase (a literal) in the node's state directory, for `status`. */
void exec_phase(struct executor *ex, const char *phase);

void exec_launch_task(struct executor *ex); /* once; later calls do nothing */
void exec_acknowledged(struct executor *ex, const unsigned char uuid[16]);

/* Starts or stops the clock; when it runs out the executor ends itself. */
void exec_wait_for_agent(struct executor *ex);
void exec_stop_waiting(struct executor *ex);

/* KILL: ends the task, then the process. */
void exec_kill(struct executor *ex);

/* The way out: ends the task, then the process; killpg() when the grace period is over. */
void exec_shutdown(struct executor *ex);

/* The element of a link for `status`. */
void exec_link_json(struct buf *json, const struct conn *c);

/* exec_task.c */
void exec_task_start(struct executor *ex, void (*ended)(struct executor *ex, int status));
void exec_task_signal(struct executor *ex, int sig); /* to its tree, stopped meanwhile */

#endif
