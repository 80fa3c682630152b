/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Facts: the only data that flows between the modules.
 *
 * observe and act emit facts, model folds them into executors with verdicts and outcomes, record
 * writes them to a file and reads them back. A fact says what was observed; the model decides what
 * it means. Everything that a verdict depends on travels as a fact, the time of judging included,
 * so that a recording replayed through the model gives the same result.
 *
 * Strings belong to the emitter and live until emit() returns; NULL and "" both mean "not known".
 * Times are CLOCK_MONOTONIC nanoseconds, durations nanoseconds, unless the name says
 * otherwise. A process is named by pid in the host's pid namespace and start, in clock ticks since
 * boot (field 22 of /proc/PID/stat, proc(5)).
 */
#ifndef EW_FACTS_H
#define EW_FACTS_H

#include <stdint.h>

#include "facts_agent.h"
#include "facts_connection.h"
#include "facts_next_start.h"
#include "facts_node.h"
#include "facts_process.h"
#include "facts_session.h"

/* Numbers are part of the recording format: never reused, new ones at the end. */
enum fact_type {
	FACT_SESSION = 1, /* first of every recording */
	FACT_HOOK = 2,	  /* the program that serves a hook, or why none does */
	FACT_PROCESS = 3, /* read from /proc */
	FACT_SOCKET = 4,  /* a TCP socket as it stood */
	FACT_HOLDER = 5,  /* a descriptor that refers to a socket */
	FACT_TCP = 6,	  /* a state change of a socket, as it happens */
	FACT_EXEC = 7,
	FACT_EXIT = 8,
	FACT_SIGNAL = 9,
	FACT_MESSAGE = 10,    /* a protocol message went out on a socket */
	FACT_CT_ACTIVE = 11,  /* is connection tracking in force in a namespace? */
	FACT_CT_ENTRY = 12,   /* has connection tracking an entry for a socket? */
	FACT_CHECKPOINT = 13, /* one executor run found under the agent's work dir */
	FACT_WORK_DIR = 14,   /* the checkpoint tree as a whole */
	FACT_AGENT = 15,      /* a process listens on the agent port */
	FACT_API = 16,	      /* the agent's HTTP API answered, or did not */
	FACT_API_EXECUTOR = 17,
	FACT_UNREAD = 18, /* something that may decide could not be read */
	FACT_LOST = 19,	  /* events lost in the kernel */
	FACT_ACT = 20,
	FACT_COMMAND = 21,  /* the command of `run` */
	FACT_SCAN = 22,	    /* a scan begins or ends */
	FACT_BASELINE = 23, /* an executor of the audit that verify compares with */
	FACT_NOW = 24,	    /* the time at which verdicts are given */
	FACT_FORK = 25,
	FACT_FIREWALL = 26,  /* what the rules do with a link's FIN that meets no entry */
	FACT_UNIX_LINK = 27, /* a connection of an executor to an agent's domain socket */
	FACT_TASK = 28,	     /* a task's own state, as a message, the disk or the API tells it */
	FACT_END = 29,	     /* how an executor ended, as the disk, the API or a log tells it */
	FACT_SERVICE = 30,   /* the service manager's unit that runs the agent */
	FACT_DISK = 31,	     /* room on a file system that the agent writes to */
	FACT_MASTER = 32,    /* the agent's master answered, did not, or was not asked */
	FACT_DOCKER = 33,    /* the docker daemon answered, or did not */
	FACT_CONTAINER = 34, /* a container of Mesos' in it; before its FACT_DOCKER */
	FACT_HOST = 35,	     /* the host's load, and whether the agent's address is there */
	FACT_KEEPALIVE = 36, /* TCP keepalive runs on an executor's end of a link */
	FACT_PORT = 37,	     /* another port that executors reach the agent at */
	FACT_AGENT_LOG = 38, /* the line of its log that says why an agent ended */
	FACT_FORESEEN = 39,  /* a finding of the audit that verify and run compare with */
	/* A flag of the running agent or of the next start, which comes before its flags. */
	FACT_FLAG = 40,
	FACT_NEXT_START = 41,
	/* slave.info: how the agent has described itself to the master. */
	FACT_AGENT_INFO = 42,
	FACT_DAMAGE = 43,     /* a file at which an agent's recovery fails */
	FACT_AGENT_AWAY = 44, /* no agent listened any more */
	/* A socket listens on a port that an executor names as its agent's and that is not ours. */
	FACT_LISTENER = 45,
	FACT_AUDIT_LOG = 46, /* whether the audit log has the results of the acts */
	FACT_TYPES_END,	     /* one more than the last */
};

struct fact {
	enum fact_type type;
	int64_t mono; /* when it happened, or was read */
	union {
		struct fact_session session;
		struct fact_hook hook;
		struct fact_process process;
		struct fact_socket socket;
		struct fact_holder holder;
		struct fact_tcp tcp;
		struct fact_fork fork;
		struct fact_exec exec;
		struct fact_exit exit;
		struct fact_signal signal;
		struct fact_message message;
		struct fact_ct_active ct_active;
		struct fact_ct_entry ct_entry;
		struct fact_checkpoint checkpoint;
		struct fact_work_dir work_dir;
		struct fact_agent agent;
		struct fact_api api;
		struct fact_api_executor api_executor;
		struct fact_unread unread;
		struct fact_lost lost;
		struct fact_act act;
		struct fact_command command;
		struct fact_scan scan;
		struct fact_baseline baseline;
		struct fact_now now;
		struct fact_firewall firewall;
		struct fact_unix_link unix_link;
		struct fact_task task;
		struct fact_end end;
		struct fact_service service;
		struct fact_agent_away agent_away;
		struct fact_audit_log audit_log;
		struct fact_damage damage;
		struct fact_flag flag;
		struct fact_next_start next_start;
		struct fact_agent_info agent_info;
		struct fact_disk disk;
		struct fact_master master;
		struct fact_docker docker;
		struct fact_container container;
		struct fact_host host;
		struct fact_keepalive keepalive;
		struct fact_port port;
		struct fact_agent_log agent_log;
		struct fact_foreseen foreseen;
		struct fact_listener listener;
	};
};

/* Where facts go. emit() copies what it stores; the emitter is not told of failures. */
struct fact_sink {
	void (*emit)(void *ctx, const struct fact *fact);
	void *ctx;
};

static inline void fact_emit(const struct fact_sink *sink, const struct fact *fact)
{
	sink->emit(sink->ctx, fact);
}

#endif
