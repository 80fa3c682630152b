/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes. Part of facts.h. */
#ifndef EW_FACTS_PROCESS_H
#define EW_FACTS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

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

#endif
