/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LAB_SPEC_H
#define LAB_SPEC_H

#include "launch.h"

#include <stddef.h>

/* What `up` brings up; the format is in README.md. Zeroed members do not occur. */
struct spec_agent {
	char *name, *comm, *port, *version, *api;
	char *recovery_timeout, *reregistration_timeout, *retry_interval, *recovery_delay;
	char *removed_after, *orphans, *strict;
	char *ip;					 /* empty: the node's */
	char *listen_ip, *advertise_ip, *advertise_port; /* empty: the ip, the port */
	char *uid;					 /* of its processes */
	char *claims;	     /* it gives itself out as that agent; empty: it does not */
	char *domain_socket; /* yes, no */
	char *mptcp;	     /* yes, no */
	char *ns;	     /* none, pid: the agent is its first process */
	char *env;	     /* NAME=VALUE, with blanks between: more variables */
	char *boot_id;	     /* what its mount namespace shows; empty: the host's */
};

struct spec_connection {
	char *kind, *name, *agent;
	unsigned long count;
};

struct spec {
	char *ip;
	char *rules; /* of nft, loaded before anybody connects; empty: none */
	bool conntrack;
	struct spec_agent *agents;
	size_t n_agents;
	struct launch **launches;
	size_t n_launches;
	struct spec_connection *connections;
	size_t n_connections;
};

void spec_init(struct spec *s); /* one agent, nothing else */

/* One line; NULL if understood, else what is wrong with it (malloc'd). */
char *spec_line(struct spec *s, const char *line);

/* A whole text; ends the process with a message where it is wrong. */
void spec_read(struct spec *s, const char *path); /* "-": standard input */

struct spec_agent *spec_find_agent(const struct spec *s, const char *name); /* or NULL */

#endif
