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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0 is "not known", so that a field that was not filled in never counts as evidence. */
enum ew_tri { EW_UNKNOWN = 0, EW_NO = 1, EW_YES = 2 };

/* IPv4 is kept v4-mapped (::ffff:a.b.c.d), so both ends of a mixed connection compare equal. */
struct ew_addr {
	uint8_t ip[16];
	uint16_t port; /* host byte order */
};

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
	FACT_TYPES_END,	      /* one more than the last */
};

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
};

struct fact_hook {
	const char *hook;    /* "tcp-state", "exec", "exit", "signal", "messages", "seed", … */
	const char *program; /* "tp_btf/inet_sock_set_state"; empty: none could be had */
	const char *reason;  /* why a better one could not be had */
	bool best_effort;    /* sees only part: absence proves nothing */
};

/* The Mesos part of a process' environment; empty strings where absent. */
struct fact_process {
	int32_t pid;
	uint64_t start;
	int32_t ppid;
	int32_t ns_pid; /* its own getpid(); 0: not known */
	uint32_t uid;
	const char *comm;
	const char *exe; /* as readlink gives it, without " (deleted)" */
	bool exe_deleted;
	const char *cmdline; /* arguments joined by blanks, cut at 512 bytes */
	const char *cgroup;  /* of systemd's hierarchy, or the unified one */
	uint64_t netns;	     /* inode of the namespace, as in readlink /proc/PID/ns/net */
	uint64_t pidns;
	int32_t pidns_init; /* host pid of the first process of its pid namespace; 0: not known */
	int32_t pgrp;	    /* 0: not known */
	int32_t session;    /* 0: not known */
	const char *state;  /* letter of /proc/PID/stat: "R", "S", "D", "T", "t", "Z"; empty: not
			       known */
	int64_t in_state; /* at least so long it has been in state D or T, ns; 0: seen once, or not
			     known */
	int32_t tracer;	  /* host pid; 0: none, or not known */
	enum ew_tri frozen;	  /* by its cgroup (freezer v1 or cgroup.freeze) */
	enum ew_tri environ_read; /* NO: permission or gone */
	const char *slave_pid;	  /* MESOS_SLAVE_PID */
	const char *slave_id;
	const char *framework_id;
	const char *executor_id;
	const char *directory;	  /* MESOS_DIRECTORY */
	const char *container_id; /* last part of directory */
	bool checkpoint;	  /* MESOS_CHECKPOINT is exactly "1" */
	int64_t recovery_timeout; /* 0: not set */
	int64_t shutdown_grace;	  /* MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD; 0: not set */
	int64_t backoff_max;	  /* MESOS_SUBSCRIPTION_BACKOFF_MAX; 0: not set */
	const char *domain_socket;
	const char *library;	      /* mapped libmesos: its path; empty: none mapped */
	const char *library_version;  /* "1.0.4"; empty: not known */
	const char *version_from;     /* "library", "stderr"; the environment has the agent's */
	const char *library_build_id; /* hexadecimal, of the mapped file; empty: not known */
	enum ew_tri library_deleted;  /* the mapped file has been replaced or removed */
	const char *pidns_outer; /* inodes of the pid namespaces around its own, innermost first,
				    each followed by a comma; "none": none that execwatch may see;
				    empty: not known */
};

struct fact_socket {
	uint64_t cookie; /* SO_COOKIE: names the socket on this host until reboot */
	uint64_t inode;	 /* 0: ownerless, no descriptor refers to it */
	uint64_t netns;	 /* inode of the namespace */
	struct ew_addr local;
	struct ew_addr remote;
	uint32_t state;	  /* TCP_ESTABLISHED… of tcp_states.h */
	int64_t idle;	  /* since data was last sent or received; -1: not known */
	bool mptcp;	  /* it carries a socket of IPPROTO_MPTCP, to which descriptors refer */
	int64_t probe_in; /* until its keepalive timer expires; 0: none runs, or not known */
};

struct fact_holder {
	uint64_t cookie;
	int32_t pid;
	uint64_t start;
	int32_t fd;
};

struct fact_tcp {
	uint64_t cookie;
	uint64_t netns;
	struct ew_addr local;
	struct ew_addr remote;
	uint32_t from;
	uint32_t to;
	int32_t pid; /* of the process that caused it; 0: in softirq, where the current process is
			unrelated */
	uint64_t start;
};

struct fact_fork {
	int32_t pid;
	uint64_t start;
	int32_t parent;
};

struct fact_exec {
	int32_t pid;
	uint64_t start;
	const char *comm;
	const char *filename;
};

struct fact_exit {
	int32_t pid;
	uint64_t start;
	const char *comm;
	int32_t status; /* as wait(2) gives it; -1: not known */
	int32_t signal; /* last deadly signal that was delivered; 0: none seen */
	int32_t killer; /* sender of that signal, host pid; 0: not known or the kernel */
	uint64_t killer_start;
	const char *killer_comm;
};

struct fact_signal {
	int32_t pid; /* target */
	uint64_t start;
	int32_t signal;
	int32_t sender; /* host pid */
	uint64_t sender_start;
	const char *sender_comm;
};

/* Values are part of the recording format, as mesos/message.h names them. */
struct fact_message {
	uint64_t cookie; /* the socket it was sent on */
	int32_t pid;	 /* the sender */
	uint64_t start;
	struct ew_addr local;
	struct ew_addr remote;
	uint64_t netns;
	const char *name; /* "ReregisterExecutorMessage", "SUBSCRIBE", "200 OK", "TLS", … */
	const char *from; /* UPID of the sender as it says; empty for v1 */
	const char *executor_id; /* when the first bytes of the body hold it */
	const char *framework_id;
	const char
		*task_id; /* of a StatusUpdateMessage, its acknowledgement or UPDATE; empty: none */
	const char *task_state; /* "TASK_FAILED"; empty: none */
	int32_t status;		/* of an HTTP response; 0: none */
};

struct fact_ct_active {
	uint64_t netns;
	enum ew_tri in_force; /* YES: conntrack hooks are registered in this namespace */
	uint64_t entries;     /* in this namespace */
	uint64_t limit;	      /* of entries; 0: not known */
	int64_t established;  /* nf_conntrack_tcp_timeout_established of the namespace; 0: not
				 known */
};

struct fact_ct_entry {
	uint64_t cookie;
	uint64_t netns; /* where it was looked up */
	enum ew_tri present;
	int64_t timeout; /* left until it expires; -1: not known */
	int32_t zone;	 /* of connection tracking; 0: the default zone */
	bool translated; /* the reply tuple is not the mirrored original: address translation */
	struct ew_addr
		reply_local; /* the other end's own view of the connection, when translated */
	struct ew_addr reply_remote;
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

/*
 * As getsockopt(2) gives it, through a copy of the executor's descriptor. Not emitted for a socket
 * on which no keepalive timer runs.
 */
struct fact_keepalive {
	uint64_t cookie;
	int32_t pid; /* whose descriptor was copied */
	uint64_t start;
	enum ew_tri on;	   /* SO_KEEPALIVE */
	uint32_t idle;	   /* TCP_KEEPIDLE, seconds */
	uint32_t interval; /* TCP_KEEPINTVL, seconds */
	uint32_t count;	   /* TCP_KEEPCNT */
	int64_t probe_in;  /* until the next probe; -1: not known */
};

/* The FIN of the agent's end of a link, as if connection tracking had forgotten the link. */
struct fact_firewall {
	uint64_t cookie;	/* of the executor's end */
	uint64_t netns;		/* whose rules */
	enum ew_tri accepted;	/* YES: certainly; NO: certainly dropped */
	enum ew_tri untracked;	/* YES: the rules keep it from connection tracking */
	const char *rule;	/* the deciding one: "inet fw in handle 4: iifname lo accept" */
	const char *cure;	/* a command line that makes it accepted for good; empty: none */
	const char *not_judged; /* why accepted is unknown; empty: it is known */
};

struct fact_unix_link {
	int32_t pid; /* the executor's */
	uint64_t start;
	int32_t fd; /* -1: not known */
	uint64_t inode;
	uint64_t peer_inode; /* 0: not known */
	int32_t peer_pid;    /* who holds the other end; 0: not known */
	uint64_t peer_start;
	const char *path; /* the listener's */
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

struct fact_service {
	int32_t pid; /* of the agent */
	uint64_t start;
	const char *unit;      /* "mesos-slave.service"; empty: no service manager's unit */
	const char *cgroup;    /* the unit's */
	const char *kill_mode; /* "control-group", "mixed", "process", "none"; empty: not known */
	/* As systemd has loaded the unit; where it cannot be asked, as its files say. */
	const char *from;    /* "systemctl", "files"; empty: neither could be read */
	int32_t main_pid;    /* host pid; 0: not known */
	const char *restart; /* "always", "no", …; empty: not known */
	enum ew_tri send_sigkill;
	enum ew_tri delegate;
	enum ew_tri need_reload;  /* YES: its files have changed since they were loaded */
	int64_t stop_timeout;	  /* -1: none; 0: not known */
	int64_t restart_delay;	  /* 0: none, or not known */
	const char *const *steps; /* "ExecStartPre=-/bin/x y", "KillSignal=SIGTERM" */
	size_t n_steps;
	/* As its files say. */
	const char *file_kill_mode; /* empty: they could not be read */
	const char *const *file_steps;
	size_t n_file_steps;
	const char *const *missing; /* "ExecStartPre=/opt/x: No such file or directory" */
	size_t n_missing;
	const char *const *differs; /* "KillMode: process is loaded, the files say mixed" */
	size_t n_differs;
	const char *const *files; /* paths of its file and of its drop-ins */
	size_t n_files;
	enum ew_tri changed;	    /* YES: one of them is newer than the agent's process */
	const char *changed_file;   /* which; empty: none */
	const char *problem;	    /* why the files could not be read; empty: they were */
	const char *const *loggers; /* "123 mesos-logrotate": container loggers in its cgroup */
	size_t n_loggers;
};

/* Of the directory, or of the nearest one above it that is there. */
struct fact_disk {
	const char *role; /* "work", "runtime", "log" */
	const char *path;
	uint64_t bytes; /* of the whole file system */
	uint64_t bytes_free;
	uint64_t inodes; /* 0: it does not count them */
	uint64_t inodes_free;
	enum ew_tri read_only; /* how it is mounted */
};

struct fact_master {
	const char *url;	 /* where it was asked: "http://10.0.0.1:5050"; or "zk://…" */
	const char *problem;	 /* why it has not told all; empty: it has */
	bool named;		 /* by --master-url; else by the running agent's own flag */
	int32_t http_status;	 /* of its last answer; 0: none */
	const char *slave_id;	 /* the agent that was asked for */
	enum ew_tri lists_agent; /* among those that are registered with it */
	int64_t removal_after;	 /* it removes an agent that is silent for so long; 0: not known */
};

struct fact_docker {
	const char *socket;
	enum ew_tri answers;
	const char *problem;	  /* empty: it answers */
	enum ew_tri kill_orphans; /* the running agent's flag docker_kill_orphans */
};

struct fact_container {
	const char *name;  /* "mesos-…" */
	const char *state; /* "running", "exited", …; empty: not told */
};

struct fact_host {
	uint32_t cpus;	   /* online; 0: not known */
	double load;	   /* of the last minute */
	enum ew_tri bound; /* NO: the address that the agent listens on is on no interface */
	struct ew_addr address;
};

/* session.agent_port is the listener's; the agent advertises this one. */
struct fact_port {
	uint32_t port;
	const char *source; /* "flags", "api", "disk"; "watch": an earlier one of this port */
};

struct fact_foreseen {
	const char *id;
	const char *severity; /* "warning", "critical", "unknown" */
	const char *evidence;
};

struct fact_agent_log {
	int32_t pid;
	uint64_t start;
	const char *source; /* "stderr", "log_dir", "journal" */
	const char *text;   /* cut at 400 bytes */
};

/* Only flags that findings compare. */
struct fact_flag {
	int32_t pid; /* of the running agent, also for the next start; 0: not known */
	uint64_t start;
	const char *when;     /* "running", "next" */
	const char *name;     /* "work_dir" */
	const char *value;    /* of file://PATH the content of that file */
	const char *source;   /* "api", "command-line", "environment", or the path of a file */
	const char *problem;  /* why the value is not known; empty: it is */
	bool on_command_line; /* else in the environment: unknown names are passed over there */
};

struct fact_next_start {
	int32_t pid; /* of the running agent */
	uint64_t start;
	const char *unit;    /* empty: no unit, the running agent's command line is taken */
	const char *program; /* of ExecStart */
	const char *version; /* --next-version; empty: not given */
	enum ew_tri known;   /* YES: all its flags are known; NO: problem says why not */
	const char *problem;
	bool named;		    /* --next-unit or --next-env names something */
	const char *const *sources; /* paths that were read */
	size_t n_sources;
	const char *const *missing; /* "EnvironmentFile=/etc/x: No such file or directory" */
	size_t n_missing;
	const char *const *twice; /* flags that stand on the command line more than once */
	size_t n_twice;
};

struct fact_agent_info {
	const char *slave_id;
	const char *hostname;
	uint32_t port;
	const char *domain;	       /* "REGION/ZONE"; empty: none */
	const char *const *attributes; /* each as its flag would have it: "rack:r1" */
	size_t n_attributes;
	const char *const *resources; /* "cpus(*):4" */
	size_t n_resources;
	const char *problem; /* why it could not be read; empty: it was */
};

/* An agent ends its recovery with an error here, and exits (Mesos slave/state.cpp). */
struct fact_damage {
	const char *path;
	const char *text;  /* "executor.info holds no protobuf" */
	enum ew_tri fatal; /* NO: not with --strict=false, which is not the default */
};

/* Since the agent of the baseline; the first time that an execwatch found none. */
struct fact_agent_away {
	int64_t wall; /* CLOCK_REALTIME */
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

struct fact_now {
	bool interrupted; /* Ctrl-C: report what is known */
	bool final;	  /* the bound of --until is reached */
	bool incomplete;  /* facts are missing from the recording that is replayed */
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
