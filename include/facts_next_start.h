/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What starts the agent, and with which flags. Part of facts.h. */
#ifndef EW_FACTS_NEXT_START_H
#define EW_FACTS_NEXT_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

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
	int64_t start_timeout; /* TimeoutStartSec, ns; -1: none; 0: not known */
	/*
	 * true: the unit that --next-unit names, where that is not the running agent's as it stands
	 * on this host; unit is then its name or path as given, and cgroup, main_pid and loggers
	 * are empty.
	 */
	bool next;
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
	enum ew_tri bound; /* NO: the address that its flag ip gives is on no interface */
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

#endif
