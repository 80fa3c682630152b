/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What else of the node a restart of the agent meets. Part of facts.h. */
#ifndef EW_FACTS_NODE_H
#define EW_FACTS_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts_values.h"

struct fact_host {
	uint32_t cpus;	   /* online; 0: not known */
	double load;	   /* of the last minute */
	enum ew_tri bound; /* NO: the address that the agent listens on is on no interface */
	struct ew_addr address;
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

#endif
