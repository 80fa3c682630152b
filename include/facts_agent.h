/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The agent, its checkpoints and its API, and what they tell of executors and tasks. Part of
 * facts.h. */
#ifndef EW_FACTS_AGENT_H
#define EW_FACTS_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

struct fact_agent {
	int32_t pid;
	uint64_t start;
	const char *comm;
	const char *exe;
	const char *cgroup;
	struct ew_addr listen;
	uint64_t netns;
	uint64_t cookie; /* of the listening socket */
	bool gone;	 /* it no longer listens */
	enum ew_tri uid_known;
	uint32_t uid;
	uint64_t pidns;
	int32_t pidns_init; /* host pid; 0: not known */
};

/* session.agent_port is the listener's; the agent advertises this one. */
struct fact_port {
	uint32_t port;
	const char *source; /* "flags", "api", "disk"; "watch": an earlier one of this port;
			     * "baseline": the last audit, of an agent that is down */
};

struct fact_listener {
	struct ew_addr listen;
	uint64_t netns; /* inode of the namespace */
};

/* Since the agent of the baseline; the first time that an execwatch found none. */
struct fact_agent_away {
	int64_t wall; /* CLOCK_REALTIME */
};

struct fact_agent_log {
	int32_t pid;
	uint64_t start;
	const char *source; /* "stderr", "log_dir", "journal" */
	const char *text;   /* cut at 400 bytes */
};

struct fact_work_dir {
	const char *path;
	const char *slave_id;	 /* slaves/latest; empty: the agent never registered */
	enum ew_tri readable;	 /* NO: nothing can be said of registrations */
	enum ew_tri same_boot;	 /* NO: pids in it are of another boot */
	enum ew_tri owner_known; /* YES: uid is its owner's */
	uint32_t uid;		 /* owner of meta/ */
	enum ew_tri latest;	 /* slaves/latest: YES names an agent that is there; NO: missing or
				    dangling */
	uint32_t info_port; /* of that agent's slave.info: the port that it advertises; 0: not known
			     */
	int64_t boot_written; /* when meta/boot_id was written, which ends a recovery;
				 CLOCK_REALTIME; 0: not known */
};

struct fact_checkpoint {
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	int32_t forked_pid; /* 0: no such file */
	const char *upid;   /* libprocess.pid; empty: no such file */
	bool http;	    /* http.marker is there: v1 */
	bool completed;	    /* executor.sentinel is there */
	bool latest;	    /* runs/latest names this run */
	enum ew_tri
		own_boot; /* YES: its container has a boot id of its own, and it is this run's */
	const char *const *tasks; /* names (ids where there is no name), n_tasks of them */
	size_t n_tasks;
	enum ew_tri owner_known; /* YES: uid is the owner of the run's directory in meta/ */
	uint32_t uid;
	enum ew_tri recoverable; /* NO: a file is missing or damaged without which an agent that
				    starts does not take this run, or its task, back; unknown: such
				    a file could not be read, as obstacle says, or (without one) an
				    older recording */
	const char *obstacle;	 /* "executor.info is missing"; empty: none */
	int64_t forked_wall;	 /* when forked.pid was written, CLOCK_REALTIME; 0: not known */
};

/* An agent ends its recovery with an error here, and exits (Mesos slave/state.cpp). */
struct fact_damage {
	const char *path;
	const char *text;  /* "executor.info holds no protobuf" */
	enum ew_tri fatal; /* NO: not with --strict=false, which is not the default */
};

struct fact_api {
	const char *url;
	int32_t http_status; /* 0: no answer */
	const char *problem; /* empty: the answer was understood */
	bool recovering;     /* 503 "Agent has not finished recovery" */
	const char *slave_id;
	const char *version;
	double start_time;	    /* of the agent, seconds of wall clock; changes on restart */
	int64_t reregister_timeout; /* flag executor_reregistration_timeout; 0: not known */
	int64_t recovery_timeout;   /* flag recovery_timeout, for executors to come; 0: not known */
	const char *work_dir;
	uint32_t answer_nr;   /* numbers the answers; executors of an answer carry the same */
	const char *upid;     /* field "pid" of /state: "slave(1)@10.0.0.7:5051" */
	enum ew_tri complete; /* NO: authorization may have left executors out (ACLs) */
	int32_t pid;	      /* of the process that answered; 0: not known */
	uint64_t start;
	enum ew_tri strict; /* flag strict: any damaged checkpoint makes the recovery fail */
};

struct fact_api_executor {
	uint32_t answer_nr;
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	bool completed;
	const char *const *tasks;
	size_t n_tasks;
	const char *state; /* "running", "registering", "terminating", …; empty: the API does not
			      tell */
};

/* The task's own state: an executor exits 0 whatever its task did. */
struct fact_task {
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	const char *task_id;
	const char *state;  /* "TASK_FINISHED" */
	const char *reason; /* "REASON_…"; empty: none */
	const char *source; /* "message", "disk", "api" */
	int64_t wall;	    /* when the state was reached, CLOCK_REALTIME; 0: not known */
	const char *by;	    /* who states it: "executor", "agent", "master"; empty: not known */
};

struct fact_end {
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	const char *cause;  /* an outcome: "finished", "killed-by-agent", "self-terminated", … */
	const char *source; /* "disk", "api", "log" */
	const char *text;   /* what it rests on: the log line, the file */
	int64_t wall;	    /* CLOCK_REALTIME; 0: not known */
};

#endif
