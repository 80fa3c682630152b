/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The session itself: what it observes by, what it did, and what it compares with. Part of facts.h.
 */
#ifndef EW_FACTS_SESSION_H
#define EW_FACTS_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

struct fact_session {
	const char *tool; /* version of execwatch */
	const char *verb;
	const char *host;
	const char *boot_id;
	const char *kernel;
	uint32_t agent_port;
	int64_t wall_offset; /* CLOCK_REALTIME - CLOCK_MONOTONIC */
	int64_t master_timeout;
	uint64_t netns; /* inode of the agent's network namespace: execwatch's own, or the one named
			 */
	int64_t horizon;     /* conntrack entries that expire sooner are at risk; 0: each executor's
				recovery timeout */
	bool restart_wanted; /* `run`: its command is to restart the agent */
	enum ew_tri elsewhere; /* may an agent of another namespace than netns be meant? YES:
				  --agent-url names the agent; unknown: an older recording */
	bool work_dir_given;   /* --work-dir names the agent that is meant */
	const char *ignored;   /* ids of findings that count for nothing, with commas */
	const char *command;   /* of `run`, before it is started; quoted */
	const char *script;    /* lines of the scripts that it names that findings look at */
	bool dry_run;	       /* --dry-run: what would be done, and nothing is */
};

struct fact_hook {
	const char *hook;    /* "tcp-state", "exec", "exit", "signal", "messages", "seed", … */
	const char *program; /* "tp_btf/inet_sock_set_state"; empty: none could be had */
	const char *reason;  /* why a better one could not be had */
	bool best_effort;    /* sees only part: absence proves nothing */
};

struct fact_audit_log {
	uint64_t unwritten;  /* results that could not be written, and are not there now */
	const char *problem; /* "write audit log '…': No space left on device"; empty: none */
	int64_t opened; /* which of a session's logs, by when it was opened, mono ns; 0: not told */
};

struct fact_unread {
	const char *object; /* "/proc/12/environ", "conntrack of netns 4026531840" */
	const char *reason;
	int32_t pid;	 /* whose evidence is missing; 0: not one process' */
	uint64_t cookie; /* which socket's; 0: not one socket's */
};

struct fact_lost {
	const char *cause; /* "lifecycle-ring", "message-ring", … */
	uint64_t lost;	   /* in total, up to mono */
	uint64_t seen;
};

/* Sources of a scan. Objects that a completed source no longer shows are gone. */
#define SCAN_SOCKETS	 1u
#define SCAN_PROCESSES	 2u
#define SCAN_CHECKPOINTS 4u
#define SCAN_TRACKING	 8u
#define SCAN_API	 16u
#define SCAN_ALL	 31u

struct fact_scan {
	const char *phase; /* "begin", "end" */
	uint32_t scope;	   /* SCAN_ bits; at the end those that were completed */
};

struct fact_now {
	bool interrupted; /* Ctrl-C: report what is known */
	bool final;	  /* the bound of --until is reached */
	bool incomplete;  /* facts are missing from the recording that is replayed */
};

struct fact_act {
	const char *phase;  /* "intent", "result" */
	const char *action; /* "shutdown", "protect", "unprotect", "hold" */
	const char *framework_id;
	const char *executor_id;
	int32_t pid;
	uint64_t start;
	int32_t fd;
	uint64_t cookie;
	uint64_t inode;
	const char *method;    /* "ptrace", "pidfd", "message"; empty: not reached */
	const char *result;    /* "done", "failed", "refused", "skipped"; "held", "sent" */
	const char *reason;    /* for people */
	const char *reason_id; /* for scripts: "no-thread"; empty: done, or recorded by an older
				  version */
	int64_t stopped;       /* how long a thread of the target was stopped; -1: none was */
	int64_t effect;	       /* until the executor had closed the socket; -1: it has not */
	int64_t interrupted; /* as stopped, from the request to stop on; -1: none was, or unknown */
	/*
	 * Processes that were forked during the act and then held a copy of the socket, and those
	 * of them that keep the connection open; -1: not known.
	 */
	int32_t copies;
	int32_t copies_left;
	int64_t begun; /* when the call was begun, mono ns; 0: it was not, or not recorded */
	/* Of "protect" and "unprotect": keepalive before it, and as read back after it; all 0: not
	   read. Seconds. */
	enum ew_tri before_on;
	uint32_t before_idle;
	uint32_t before_interval;
	uint32_t before_count;
	enum ew_tri on;
	uint32_t idle;
	uint32_t interval;
	uint32_t count;
	const char *proof; /* of what was done: "entry-renewed", "read-back", "answer",
			      "answer+log"; empty: none, or by effect */
	const char *bytes; /* of "hold": what was, or will be, sent; %HH, but printable ASCII */
};

struct fact_command {
	const char *text; /* arguments joined, quoted */
	int32_t pid;
	const char *phase; /* "started", "ended" */
	int32_t status;	   /* as wait(2) gives it */
};

struct fact_baseline {
	const char *framework_id;
	const char *executor_id;
	const char *container_id;
	const char *protocol;
	const char *verdict;
	int32_t pid;
	uint64_t start;
	int64_t recovery_timeout;
	int32_t agent_pid; /* the agent of that audit; 0: none */
	uint64_t agent_start;
	uint64_t link;		   /* cookie of its link; 0: none */
	int64_t taken_wall;	   /* when the audit was made, CLOCK_REALTIME */
	int64_t disconnected_wall; /* when its clock began to run; 0: it does not */
	const char *const *tasks;
	size_t n_tasks;
	const char *slave_id; /* the agent's at that audit; empty: not known */
};

struct fact_foreseen {
	const char *id;
	const char *severity; /* "warning", "critical", "unknown" */
	const char *evidence;
};

#endif
